"""A spec's desired documents, by target."""

import random
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.access_spec.compile import common_limits, written_by_hand
from ecr_warden.access_spec.render import PULL_ACTIONS, READ_ACTIONS
from ecr_warden.access_spec.spec import Limits, PushGrant
from ecr_warden.audit.also_allowed import covers
from ecr_warden.core.address import DOCUMENT_KINDS, identity_policy, repository_policy, trust_policy
from ecr_warden.core.desired import (
    AlsoAllowed,
    DesiredValue,
    Extent,
    Mode,
    MustNotExist,
    RoleSettings,
)
from ecr_warden.core.ecr import ECR
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from iam_access.catalogue import actions, matching_actions
from iam_access.document.document import Document
from iam_access.lint import lint
from local.testing.seed import compiled
from tests.tables import load
from tests.unit.access_spec.cases import ACCOUNTS, CASES, NOW, sections

ANNA = UserTarget("111111111111", "anna")
BOB = UserTarget("111111111111", "bob")
PUSHER = RoleTarget("222222222222", "pusher")
CHECKOUT = RepositoryTarget("222222222222", "eu-central-1", "shop/checkout")
GRANTS = """
repositories:
  - name: shop/checkout
    account: registry
    pull: [deployers]
    push: [{role: pusher, by: [ci:user/bob, deployers]}]
"""
ASSUME = '{Statement: {Effect: Allow, Action: "sts:assumerole", Resource: "arn:aws:iam::222222222222:role/x/legacy"}}'
TRUST = (
    "{Statement: {Effect: Allow, Action: sts:AssumeRole, Principal: {AWS: ["
    '"arn:aws:iam::111111111111:user/anna", "arn:aws:iam::111111111111:root", "arn:aws:iam::999999999999:user/eve"]}}}'
)
LITERALS = f"""
documents:
  - {{kind: identity-policy, account: ci, user: anna, name: assume, document: {ASSUME}}}
  - {{kind: trust-policy, account: registry, role: legacy, document: {TRUST}}}
"""


def shown(value: DesiredValue) -> str:
    match value:
        case Document(text=text):
            return text
        case MustNotExist():
            return "must not exist"
        case RoleSettings():
            return f"path {value.path}, {value.max_session_duration} s, boundary {value.boundary}"


@pytest.mark.parametrize(
    "case", [one for one in sections("documents.txt") if "\nrepositories:" in one[1]], ids=lambda case: case[0]
)
def test_lint_finds_nothing_in_the_documents_of_grants(case: tuple[str, str]) -> None:
    spec, _, _ = case[1].replace("@accounts", ACCOUNTS).partition("\n---\n")
    grants = spec.partition("\ndocuments:")[0]
    targets = compiled(grants).targets.values()
    assert any(entry.documents for entry in targets)
    for entry in targets:
        for address, value in entry.documents.items():
            if isinstance(value, Document):
                assert lint(value, DOCUMENT_KINDS[address.kind], ECR) == ()


@pytest.mark.parametrize("case", sections("documents.txt"), ids=lambda case: case[0])
def test_a_spec_defines_its_documents(case: tuple[str, str]) -> None:
    spec, _, expected = case[1].replace("@accounts", ACCOUNTS).partition("\n---\n")
    documents = [
        " ".join(filter(None, (address.kind, address.target.key, address.name, shown(value))))
        for entry in compiled(spec).targets.values()
        for address, value in entry.documents.items()
    ]
    assert documents == [line for line in expected.split("\n") if line]


def test_version_mode_and_accounts_are_carried() -> None:
    observe = compiled(ACCOUNTS, version="abc")
    assert (observe.version, observe.mode, observe.accounts) == (
        "abc",
        Mode.OBSERVE,
        ("111111111111", "222222222222"),
    )
    assert observe.targets == {}
    assert compiled(ACCOUNTS + "\nsettings: {mode: enforce}").mode is Mode.ENFORCE


def test_extent_says_which_other_policies_of_a_target_are_managed() -> None:
    targets = compiled(ACCOUNTS + GRANTS + LITERALS).targets
    assert {key: entry.extent for key, entry in targets.items()} == {
        CHECKOUT.key: Extent.WHOLE,
        PUSHER.key: Extent.WHOLE,
        "role/222222222222/legacy": Extent.OURS,
        ANNA.key: Extent.OURS,
        BOB.key: Extent.OURS,
    }
    assert {entry.extent for entry in compiled(ACCOUNTS + LITERALS).targets.values()} == {Extent.OURS}


def test_an_identity_waits_for_its_role_and_has_a_run_after_it() -> None:
    targets = compiled(ACCOUNTS + GRANTS).targets
    assert targets[PUSHER.key].dependents == (ANNA, BOB)
    assert targets[ANNA.key].widen_after == {identity_policy(ANNA, "ecr-warden-assume"): (PUSHER,)}
    assert targets[BOB.key].widen_after == {identity_policy(BOB, "ecr-warden-assume"): (PUSHER,)}
    assert targets[CHECKOUT.key].dependents == targets[ANNA.key].dependents == ()


def test_an_identity_with_a_literal_document_waits_for_a_role_of_the_spec() -> None:
    legacy = RoleTarget("222222222222", "legacy")
    targets = compiled(ACCOUNTS + GRANTS + LITERALS).targets
    assert targets[legacy.key].dependents == (ANNA,)
    assert targets[ANNA.key].widen_after == {
        identity_policy(ANNA, "ecr-warden-assume"): (PUSHER,),
        identity_policy(ANNA, "assume"): (legacy,),
    }
    denied = compiled(ACCOUNTS + LITERALS.replace('Effect: Allow, Action: "sts', 'Effect: Deny, Action: "sts')).targets
    assert denied[ANNA.key].widen_after == {}
    assert denied[legacy.key].dependents == ()
    alone = compiled(ACCOUNTS + "\n".join(LITERALS.split("\n")[:3])).targets
    assert alone[ANNA.key].widen_after == {}


def test_principals_of_a_document_are_known_by_arn() -> None:
    targets = compiled(ACCOUNTS + GRANTS + LITERALS).targets
    anna, bob = "arn:aws:iam::111111111111:user/anna", "arn:aws:iam::111111111111:user/bob"
    assert targets[CHECKOUT.key].principals == {anna: ANNA}
    assert targets[PUSHER.key].principals == {anna: ANNA, bob: BOB}
    # Neither an account nor a user of an account that is not read.
    assert targets["role/222222222222/legacy"].principals == {anna: ANNA}
    assert targets[ANNA.key].principals == {}


def test_a_repository_without_pull_must_have_no_policy() -> None:
    targets = compiled(ACCOUNTS + "\nrepositories: [{name: shop/checkout, account: registry}]").targets
    assert targets[CHECKOUT.key].documents == {repository_policy(CHECKOUT): MustNotExist()}


def test_every_document_has_an_address_of_its_target() -> None:
    for entry in compiled(ACCOUNTS + GRANTS + LITERALS).targets.values():
        assert entry.documents
        assert all(address.target == entry.target for address in entry.documents)
        assert set(entry.widen_after) <= set(entry.documents)
    assert trust_policy(PUSHER) in compiled(ACCOUNTS + GRANTS).targets[PUSHER.key].documents


def test_the_order_of_the_spec_does_not_matter() -> None:
    names = [f"user-{number}" for number in range(8)]
    texts = [_shuffled(random.Random(seed), names) for seed in range(20)]
    assert len(set(texts)) > 10
    first, *others = (compiled(text) for text in texts)
    for other in others:
        assert other == first
        # Mappings compare without order, but what is stored and shown has one.
        assert repr(other) == repr(first)


def _shuffled(chance: random.Random, names: list[str]) -> str:
    def some(values: list[str]) -> str:
        return "[" + ", ".join(chance.sample(values, len(values))) + "]"

    repositories = [
        f"{{name: shop/r{number}, account: registry, pull: {some(['all', 'ci:user/extra'])}, push: "
        + some(
            [
                f"{{role: p{number}, by: {some(['all'])}}}",
                f"{{role: p{number}, by: [ci:user/late], until: 2099-01-01T00:00:00Z}}",
            ]
        )
        + "}"
        for number in range(4)
    ]
    literals = [
        f"{{kind: identity-policy, account: ci, user: {name}, name: x, document: {ASSUME}}}" for name in names[:3]
    ] + [f"{{kind: trust-policy, account: registry, role: legacy, document: {TRUST}}}"]
    parts = [
        "version: 1",
        'accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: '
        + some(["eu-central-1", "eu-west-1"])
        + "}}",
        "teams: {all: " + some([f"ci:user/{name}" for name in names]) + "}",
        "repositories: " + some(repositories),
        "documents: " + some(literals),
    ]
    return "\n".join(chance.sample(parts, len(parts)))


def test_what_a_grant_may_let_people_read_is_what_aws_lists_as_reading_repositories() -> None:
    reading = {one.name for one in actions("ecr").values() if one.level in ("List", "Read") and one.arns}
    assert {action for action in READ_ACTIONS if "*" not in action} == reading - {*PULL_ACTIONS}
    for pattern in READ_ACTIONS:
        assert {one.level for one in matching_actions(pattern)} <= {"List", "Read"}, pattern


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        ((("10.0.0.0/8",), ("10.0.0.0/8",)), ("10.0.0.0/8",)),
        ((("10.0.0.0/8",), ("192.0.2.0/24",)), ()),
        ((("10.0.0.0/8",), ()), ()),
    ],
    ids=["the same networks", "different ones", "none for one of them"],
)
def test_a_role_of_several_grants_is_limited_to_networks_that_all_have(
    networks: tuple[tuple[str, ...], ...], expected: tuple[str, ...]
) -> None:
    """A session does not show by which grant it came: limiting it to one grant's networks would break the other."""
    grants = [PushGrant(role=PUSHER, by=(), limits=Limits(source_ip=one)) for one in networks]
    assert common_limits(grants).source_ip == expected


COVERED: dict[str, dict[str, Any]] = load((CASES / "also_allowed.yaml").read_text())["covered"]


@pytest.mark.parametrize("case", COVERED)
def test_an_entry_of_what_is_also_allowed_covers_a_principal(case: str) -> None:
    row = COVERED[case]
    entry = AlsoAllowed((row["entry"],), "why")
    assert covers(entry, row["principal"], "pull", "111111111111", "shop/a") is row["covers"]


def test_a_document_of_the_spec_is_literal_and_one_of_a_grant_is_not() -> None:
    spec = compiled(ACCOUNTS + GRANTS + LITERALS)
    assert spec.is_literal(identity_policy(ANNA, "assume"))
    assert not spec.is_literal(identity_policy(ANNA, "ecr-warden-assume"))
    assert not spec.is_literal(repository_policy(CHECKOUT))


@pytest.mark.parametrize(("account", "repository"), [("registry", "shop/checkout"), ("ci", "*")])
def test_a_permission_set_of_the_account_is_given_its_repositories_only(account: str, repository: str) -> None:
    """Whatever the pull scope: in its own account it could pull whatever its policy names."""
    puller = f"{{sso: {{permission_set: Reader, account: {account}}}}}"
    spec = ACCOUNTS + GRANTS.replace("pull: [deployers]", f"pull: [{puller}]\n    pull_scope: account")
    loaded = load_spec(spec.encode(), version="v1", now=NOW)
    assert isinstance(loaded, Valid), loaded
    (written,) = written_by_hand(loaded.spec).values()
    assert f'"arn:aws:ecr:eu-central-1:222222222222:repository/{repository}"' in written.text
