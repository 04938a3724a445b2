"""`mode:` at repositories, at accounts and under `settings:`: which targets are repaired, and with which grants."""

import json

import pytest

from ecr_warden.core.desired import CompiledSpec, DesiredValue, Mode
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.versions.changes import changed_patterns, changed_targets, succeeding
from iam_access.document.document import Document
from local.testing.seed import compiled

ANNA, BOB = UserTarget("111111111111", "anna"), UserTarget("111111111111", "bob")
ONE, TWO = (RoleTarget("222222222222", name) for name in ("one", "two"))
A, B = (RepositoryTarget("222222222222", "eu-central-1", f"shop/{name}") for name in "ab")
GONE = UserTarget("111111111111", "gone")
LITERAL = "{Version: '2012-10-17', Statement: {Effect: Allow, Action: 's3:GetObject', Resource: '*'}}"


def spec(
    default: str = "", ci: str = "", registry: str = "", a: str = "", b: str = "", more: str = "", version: str = "v1"
) -> CompiledSpec:
    """Anna pulls from both repositories, and pushes to each through its own role; bob pulls from the second only."""

    def mode(said: str) -> str:
        return f", mode: {said}" if said else ""

    return compiled(
        f"""
version: 1
accounts:
  ci: {{id: "111111111111"{mode(ci)}}}
  registry: {{id: "222222222222", regions: [eu-central-1]{mode(registry)}}}
repositories:
  - {{name: shop/a, account: registry, pull: [ci:user/anna], push: [{{role: one, by: [ci:user/anna]}}]{mode(a)}}}
  - name: shop/b
    account: registry
    pull: [ci:user/anna, ci:user/bob]
    push: [{{role: two, by: [ci:user/anna]}}]
{f"    mode: {b}" if b else ""}
{f"settings: {{mode: {default}}}" if default else ""}
{more}
""",
        version,
    )


# What is said of two repositories, a and b; the end of the grant at a, and that of b; when sessions of their role end.
ENDS: dict[str, tuple[str, str, str, str, list[int]]] = {
    "the earlier end": ("enforce", "enforce", "2099-01", "2099-02", [1]),
    "no end that all grants have": ("enforce", "enforce", "2099-01", "2099-01", []),
    "an end where others have none": ("enforce", "enforce", "2099-01", "", [1]),
    "no end of what is observed": ("observe", "enforce", "2099-01", "2099-02", []),
    "the end of enforced grants, if only observed ones go on": ("enforce", "observe", "2099-01", "2099-02", [1]),
    "none where nothing is enforced": ("observe", "observe", "2099-01", "2099-02", []),
}


@pytest.mark.parametrize("name", ENDS)
def test_sessions_end_with_enforced_grants_where_others_of_the_role_go_on(name: str) -> None:
    a, b, *ends, expected = ENDS[name]
    until_a, until_b = (f", until: {end}-01T00:00:00Z" if end else "" for end in ends)
    accepted = compiled(
        f"""
version: 1
accounts:
  ci: {{id: "111111111111"}}
  registry: {{id: "222222222222", regions: [eu-central-1]}}
repositories:
  - name: shop/a
    account: registry
    mode: {a}
    push: [{{role: one, by: [ci:user/anna]{until_a}}}]
  - name: shop/b
    account: registry
    mode: {b}
    push: [{{role: one, by: [ci:user/bob]{until_b}}}]
""",
        accepted=True,
    )
    assert [end.month for end in accepted.targets[ONE.key].ends] == expected
    assert {end.until.month for end in accepted.ends if end.role is not None} == {*expected}


# The modes of default, ci, registry, a, b; the targets that are enforced; a user or role that the spec does not name.
MODES: dict[str, tuple[dict[str, str], set[Target], Mode]] = {
    "nothing is said: everything is observed": ({}, set(), Mode.OBSERVE),
    "the default enforces everything": ({"default": "enforce"}, {A, B, ONE, TWO, ANNA, BOB}, Mode.ENFORCE),
    "one repository with its role and its identities": ({"a": "enforce"}, {A, ONE, ANNA}, Mode.ENFORCE),
    "all but one repository": ({"default": "enforce", "b": "observe"}, {A, ONE, ANNA}, Mode.ENFORCE),
    "an account's repositories, and who uses them": (
        {"registry": "enforce"},
        {A, B, ONE, TWO, ANNA, BOB},
        Mode.ENFORCE,
    ),
    "a repository differs from its account": (
        {"default": "enforce", "registry": "observe", "a": "enforce"},
        {A, ONE, ANNA},
        Mode.ENFORCE,
    ),
    "an account whose users and roles are not written": (
        {"default": "enforce", "ci": "observe"},
        {A, B, ONE, TWO},
        Mode.OBSERVE,
    ),
    "an account of users alone enforces no grant": ({"ci": "enforce"}, set(), Mode.ENFORCE),
}


@pytest.mark.parametrize("name", MODES)
def test_targets_have_the_mode_of_what_they_belong_to(name: str) -> None:
    said, enforced, orphans = MODES[name]
    found = spec(**said)
    assert {entry.target for entry in found.targets.values()} == {A, B, ONE, TWO, ANNA, BOB}
    assert {entry.target for entry in found.targets.values() if found.mode_of(entry.target) is Mode.ENFORCE} == enforced
    assert found.mode_of(GONE) is orphans
    assert found.overall_mode is (Mode.ENFORCE if enforced or said.get("default") == "enforce" else Mode.OBSERVE)


def test_only_accounts_that_say_a_mode_have_one_of_their_own() -> None:
    assert spec(ci="observe").account_modes == {"111111111111": Mode.OBSERVE}
    assert spec(default="enforce").account_modes == {}


def resources(documents: dict[str, DesiredValue], name: str) -> object:
    document = documents[name]
    assert isinstance(document, Document)
    return json.loads(document.text)["Statement"][-1]["Resource"]


def test_a_shared_document_has_the_enforced_grants_alone_and_remembers_the_others() -> None:
    arns = [f"arn:aws:ecr:eu-central-1:222222222222:repository/shop/{name}" for name in "ab"]
    roles = [f"arn:aws:iam::222222222222:role/ecr-warden/{name}" for name in ("one", "two")]
    anna = spec(a="enforce").targets[ANNA.key]
    written = {address.name: value for address, value in anna.documents.items()}
    assert resources(written, "ecr-warden-pull") == arns[0]
    assert resources(written, "ecr-warden-assume") == roles[0]
    granted = {address.name: value for address, value in anna.granted.items()}
    assert resources(granted, "ecr-warden-pull") == arns
    assert resources(granted, "ecr-warden-assume") == roles
    assert anna.widen_after == {next(at for at in anna.documents if at.name == "ecr-warden-assume"): (ONE,)}


def test_what_is_only_observed_has_all_of_its_grants() -> None:
    bob = spec(a="enforce").targets[BOB.key]
    assert (bob.mode, bob.observed) == (None, {})
    assert {address.name for address in bob.documents} == {"ecr-warden-pull"}


def test_a_shared_push_role_pushes_only_to_the_enforced_repository() -> None:
    shared = compiled(
        """
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
repositories:
  - {name: shop/a, account: registry, push: [{role: one, by: [ci:user/anna]}], mode: enforce}
  - {name: shop/b, account: registry, push: [{role: one, by: [ci:user/bob]}]}
""",
        accepted=True,
    ).targets[ONE.key]
    assert {address.kind: "user/bob" in str(value) for address, value in shared.documents.items()} == {
        "role": False,
        "trust-policy": False,
        "identity-policy": False,
    }
    assert "shop/b" not in str(shared.documents)
    assert {address.kind for address in shared.observed} == {"trust-policy", "identity-policy"}
    assert "user/bob" in str(shared.granted)
    assert shared.dependents == (ANNA,)


def test_a_literal_document_has_the_mode_of_its_account() -> None:
    literal = f"documents: [{{kind: identity-policy, account: ci, user: gone, name: x, document: {LITERAL}}}]"
    assert spec(default="enforce", more=literal).mode_of(GONE) is Mode.ENFORCE
    assert spec(default="enforce", ci="observe", more=literal).mode_of(GONE) is Mode.OBSERVE
    assert spec(ci="enforce", more=literal).mode_of(GONE) is Mode.ENFORCE


def pattern(mode: str = "", default: str = "", version: str = "v1") -> CompiledSpec:
    return compiled(
        f"""
version: 1
accounts: {{ci: {{id: "111111111111"}}, registry: {{id: "222222222222", regions: [eu-central-1]}}}}
repositories: [{{name: shop/*, account: registry, pull: [ci:user/anna]{f", mode: {mode}" if mode else ""}}}]
{f"settings: {{mode: {default}}}" if default else ""}
""",
        version,
    )


def test_a_pattern_gives_its_mode_to_every_repository_that_matches() -> None:
    assert pattern().mode_of(A) is Mode.OBSERVE
    assert pattern("enforce").mode_of(A) is Mode.ENFORCE
    assert pattern("observe", default="enforce").mode_of(A) is Mode.OBSERVE


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({}, {}, set[Target]()),
        ({}, {"default": "enforce"}, {A, B, ONE, TWO, ANNA, BOB}),
        ({}, {"a": "enforce"}, {A, ONE, ANNA}),
        ({"a": "enforce"}, {"a": "enforce", "b": "enforce"}, {B, TWO, ANNA, BOB}),
        ({"default": "enforce"}, {"registry": "enforce"}, set[Target]()),
        ({"default": "enforce"}, {"default": "enforce", "ci": "observe"}, {ANNA, BOB}),
    ],
)
def test_a_target_changes_with_its_mode(before: dict[str, str], after: dict[str, str], changed: set[Target]) -> None:
    assert set(changed_targets(spec(**before), spec(**after))) == changed


def test_a_pattern_changes_with_its_mode() -> None:
    assert changed_patterns(pattern(), pattern()) == ()
    assert len(changed_patterns(pattern(), pattern("enforce"))) == 1
    assert len(changed_patterns(pattern(), pattern(default="enforce"))) == 1
    assert changed_patterns(pattern("enforce"), pattern("enforce", default="observe")) == ()


def revoking(mode: str, default: str, version: str = "v1") -> CompiledSpec:
    return compiled(
        f"""
version: 1
accounts: {{ci: {{id: "111111111111"}}, registry: {{id: "222222222222", regions: [eu-central-1]}}}}
repositories: [{{name: shop/a, account: registry{f", mode: {mode}" if mode else ""}}}]
settings: {{mode: {default}}}
""",
        version,
    )


@pytest.mark.parametrize(
    ("mode", "default", "kept"),
    [("", "enforce", Mode.ENFORCE), ("enforce", "observe", Mode.ENFORCE)],
)
def test_a_removed_repository_loses_its_policy_in_the_mode_that_it_had(mode: str, default: str, kept: Mode) -> None:
    after = succeeding(revoking(mode, default), spec_without_repositories(default))
    assert set(after.removed) == {A.key}
    assert after.mode_of(A) is kept


@pytest.mark.parametrize(("mode", "default"), [("observe", "enforce"), ("", "observe")])
def test_a_repository_that_was_only_observed_keeps_its_policy_when_it_is_removed(mode: str, default: str) -> None:
    after = succeeding(revoking(mode, default), spec_without_repositories("enforce"))
    assert after.removed == {}
    assert after.mode_of(A) is Mode.ENFORCE


def spec_without_repositories(default: str) -> CompiledSpec:
    accounts = '{ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}'
    return compiled(f"version: 1\naccounts: {accounts}\nsettings: {{mode: {default}}}", "v2")
