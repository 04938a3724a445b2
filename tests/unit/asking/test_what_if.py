"""What if: each kind of change laid over an estate, and the differences against those of two whole answers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.answers import estates
from ecr_warden.access.difference import DifferenceKind, differences
from ecr_warden.access.graph import RepositoryGraph, who_can_any
from ecr_warden.core.actions import Access
from ecr_warden.core.estate import Estate
from ecr_warden_cli.asking.snapshot import estate_of
from ecr_warden_cli.asking.what_if import ChangeKind, NotInEstate, Supposed, laid_over
from iam_access.document.document import parse_document
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath
from local.testing.printed import complete
from tests.snapshots import estate_from_text
from tests.tables import load
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, allow, document, managed, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANN, DEPLOY = f"arn:aws:iam::{HOME}:user/ann", f"arn:aws:iam::{HOME}:role/deploy"
LOGIN = f"arn:aws:iam::{HOME}:policy/login"
APP = f"{HOME}/eu-central-1/app"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
DEVELOPERS = f"arn:aws:iam::{HOME}:group/developers"


def small_estate() -> Estate:
    """Ann may log in, and nothing else; the role may pull, and trusts nobody that exists."""
    group = {"Arn": DEVELOPERS, "GroupName": "developers", "GroupPolicyList": []}
    attached = [{"PolicyArn": LOGIN, "PolicyName": "login"}]
    return estate_of(
        snapshot(
            user("ann", GroupList=["developers"], AttachedManagedPolicies=attached),
            role("deploy", {"AWS": f"arn:aws:iam::{HOME}:user/nobody"}, allow(PULL), TOKEN),
            policies=[managed("login", document(TOKEN))],
            groups=[group],
        ),
        at=NOW,
    )


def change(kind: ChangeKind, of: str, *statements: dict[str, Any], **more: Any) -> Supposed:
    given = parse_document(document(*statements)) if statements else None
    return Supposed(kind, of, given, **more)


def to_pull(principal: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": PULL}


DENY_PULL = {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"}
DENY_ALL_PULL = {**DENY_PULL, "Principal": "*"}
TRUST_ANN = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}


def test_whoever_is_unclear_before_and_after_is_not_listed() -> None:
    """Not even if the conditions differ under which they may have it."""
    boundary = {"PermissionsBoundaryArn": f"arn:aws:iam::{HOME}:policy/gone", "PermissionsBoundaryType": "Policy"}
    before = estate_of(snapshot(user("ann", allow(PULL), PermissionsBoundary=boundary)), at=NOW)
    with_mfa = allow(PULL, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    after = laid_over(before, [change(ChangeKind.IDENTITY_POLICY, ANN, with_mfa, name="own")])
    assert [*differences(RepositoryGraph(before), RepositoryGraph(after))] == []
    removed = laid_over(before, [change(ChangeKind.IDENTITY_POLICY, ANN, name="own")])
    found = differences(RepositoryGraph(before), RepositoryGraph(removed))
    assert [(one.access, one.kind) for one in found] == [(Access.PULL, DifferenceKind.UNCLEAR)]


KINDS: dict[str, Any] = load((Path(__file__).parents[2] / "cases/access/what_if.yaml").read_text())["kinds"]


@pytest.mark.parametrize("case", KINDS)
def test_each_kind_of_change_counts(case: str) -> None:
    row, estate = KINDS[case], small_estate()
    changes = [
        change(ChangeKind(kind), of, *more.pop("statements", ()), **more)
        for kind, of, more in ((one.pop("kind"), one.pop("of"), one) for one in map(dict, row["suppose"]))
    ]
    found = differences(RepositoryGraph(estate), RepositoryGraph(laid_over(estate, changes)))
    asked = row.get("access", Access.PULL)
    assert {one.subject.arn: one.kind for one in found if one.access == asked} == row["differs"]


def test_a_source_whose_deletions_are_replicated_counts_at_the_destination() -> None:
    given = snapshot(user("ann", allow("ecr:BatchDeleteImage", f"arn:aws:ecr:us-east-1:{AWAY}:repository/app")))
    rules = [{"destinations": [{"region": "eu-central-1", "registryId": HOME}], "deleteReplication": {"enabled": True}}]
    source = {"repositories": [{"repositoryName": "app", "policy": None}], "replicationConfiguration": {"rules": rules}}
    given["accounts"][AWAY] = {"iam": {}, "ecr": {"us-east-1": source}}
    estate = estate_of(complete(given), at=NOW)
    let_in = change(
        ChangeKind.REPOSITORY_POLICY, f"{AWAY}/us-east-1/app", {**to_pull({"AWS": HOME}), "Action": "ecr:*"}
    )
    found = differences(RepositoryGraph(estate), RepositoryGraph(laid_over(estate, [let_in])))
    gains = {one.repository.account for one in found if one.subject.arn == ANN and one.access is Access.DELETE}
    assert gains == {AWAY, HOME}


def test_each_endpoint_limits_by_itself() -> None:
    everything, only_push = to_pull("*") | {"Action": "*", "Resource": "*"}, to_pull("*") | {"Action": "ecr:PutImage"}
    given = [
        change(ChangeKind.ENDPOINT_POLICY, name, one) for name, one in (("narrow", only_push), ("wide", everything))
    ]
    estate = small_estate()
    (found,) = (
        one
        for one in differences(RepositoryGraph(estate), RepositoryGraph(laid_over(estate, given)))
        if one.access is Access.PULL
    )
    assert [text.partition(",")[0] for text in found.after.conditions] == ["not through the VPC endpoint narrow"]


def test_repositories_that_an_endpoint_tells_apart_are_not_alike() -> None:
    given = snapshot(role("deploy", {"Service": "ec2.amazonaws.com"}, allow("ecr:*")))
    repositories = [{"repositoryName": name, "policy": None} for name in ("app", "web")]
    given["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"] = repositories
    estate = estate_of(given, at=NOW)
    only_app = to_pull("*") | {"Action": "*", "Resource": f"arn:aws:ecr:eu-central-1:{HOME}:repository/app"}
    changed = laid_over(estate, [change(ChangeKind.ENDPOINT_POLICY, "vpce-1", only_app)])
    found = differences(RepositoryGraph(estate), RepositoryGraph(changed))
    assert {one.repository.name for one in found if one.access is Access.PULL} == {"web"}


def test_an_endpoint_that_lets_one_user_in_tells_users_with_the_same_policies_apart() -> None:
    estate = estate_of(snapshot(user("ann", allow("ecr:*")), user("bob", allow("ecr:*"))), at=NOW)
    only_ann = {**to_pull({"AWS": ANN}), "Action": "*", "Resource": "*"}
    changed = laid_over(estate, [change(ChangeKind.ENDPOINT_POLICY, "vpce-1", only_ann)])
    found = differences(RepositoryGraph(estate), RepositoryGraph(changed))
    assert {one.subject.principal.name for one in found if one.access is Access.PULL} == {"bob"}


def test_an_endpoint_adds_its_conditions_to_others() -> None:
    from_office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    given = snapshot(role("deploy", {"Service": "ec2.amazonaws.com"}, allow(PULL, Condition=from_office)))
    estate = estate_of(given, at=NOW)
    not_pull = change(ChangeKind.ENDPOINT_POLICY, "vpce-1", to_pull("*") | {"Condition": {"Bool": {"aws:a": "true"}}})
    (found,) = (
        one
        for one in differences(RepositoryGraph(estate), RepositoryGraph(laid_over(estate, [not_pull])))
        if one.access is Access.PULL
    )
    assert any("vpce-1" in text for text in found.after.conditions)


ABSENT = {
    "the removal of an inline policy that nobody has": (
        Supposed(ChangeKind.IDENTITY_POLICY, ANN, name="nope"),
        "has no inline policy nope to remove",
    ),
    "a user that does not exist": (change(ChangeKind.BOUNDARY, f"{ANN}a", TOKEN), "did you mean"),
    "the trust policy of a user": (change(ChangeKind.TRUST_POLICY, ANN, TRUST_ANN), "is no role"),
    "a managed policy that nobody has": (change(ChangeKind.MANAGED_POLICY, f"{LOGIN}s", TOKEN), "no managed policy"),
    "a repository that does not exist": (change(ChangeKind.REPOSITORY_POLICY, f"{APP}s"), "no repository"),
    "a registry of another region": (change(ChangeKind.REGISTRY_POLICY, f"{HOME}/eu-west-1"), "no registry"),
    "the tags of a repository that were not read": (
        Supposed(ChangeKind.TAGS, APP, tags={"stage": "prod"}),
        "the tags of .* were not read",
    ),
    "an account that was not read": (change(ChangeKind.SERVICE_CONTROL_POLICY, AWAY, DENY_PULL), "no account"),
}


@pytest.mark.parametrize("case", ABSENT)
def test_a_change_of_what_is_not_there_is_refused(case: str) -> None:
    supposed, said = ABSENT[case]
    with pytest.raises(NotInEstate, match=said):
        laid_over(small_estate(), [supposed])


def some_changes(estate: Estate) -> Iterator[Supposed]:
    """Changes that give and take, of the first user or role that there is, the last role and the first repository."""
    identities = sorted(estate.identities(), key=lambda one: one.arn)
    target = next(estate.repositories()).target
    yield Supposed(
        ChangeKind.REPOSITORY_POLICY,
        f"{target.account}/{target.region}/{target.name}",
        parse_document(document(to_pull("*"))),
    )
    account, everything = target.account, {**to_pull("*"), "Action": "*", "Resource": "*"}
    without_mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    for kind, of, *statements in (
        (ChangeKind.SERVICE_CONTROL_POLICY, account, DENY_PULL),
        (ChangeKind.SERVICE_CONTROL_POLICY, "*", {**DENY_PULL, "Action": "ecr:*", "Condition": without_mfa}),
        (ChangeKind.SERVICE_CONTROL_POLICY, account, allow(["ecr:BatchGetImage", "sts:*"])),
        (ChangeKind.RESOURCE_CONTROL_POLICY, account, {**DENY_ALL_PULL, "Action": "sts:AssumeRole"}),
        (ChangeKind.RESOURCE_CONTROL_POLICY, "*", {**DENY_ALL_PULL, "Action": "ecr:*", "Condition": without_mfa}),
        (ChangeKind.REGISTRY_POLICY, f"{account}/{target.region}", to_pull("*")),
        (ChangeKind.ENDPOINT_POLICY, "vpce-1", everything, {**DENY_ALL_PULL, "Resource": f"*/{target.name}"}),
    ):
        yield Supposed(kind, of, parse_document(document(*statements)))
    for first in identities[:1]:
        yield Supposed(ChangeKind.IDENTITY_POLICY, first.arn, parse_document(document(allow("*"))), "supposed")
        for last in [one for one in identities if one.kind is IdentityKind.ROLE][-1:]:
            trust = {"Effect": "Allow", "Principal": {"AWS": first.arn}, "Action": "sts:AssumeRole"}
            yield Supposed(ChangeKind.TRUST_POLICY, last.arn, parse_document(document(trust)))


def whole_answer(estate: Estate) -> dict[tuple[str, str, Access], AccessPath]:
    graph = RepositoryGraph(estate)
    return {
        (arn, repository.target.key, access): path
        for repository in estate.repositories()
        for access in Access
        for arn, path in who_can_any(graph, graph.ways(access, repository)).items()
    }


def standing(path: AccessPath | None) -> tuple[object, ...]:
    return ("no", ()) if path is None else (path.answer, path.conditions)


def differ(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Of what is unclear before and after, nothing says that it differs."""
    return before != after and {before[0], after[0]} != {Answer.UNKNOWN}


# Those in which many can do much take long each time.
LARGE = {
    *("carried", "conditions", "partly-read", "organization", "one-account", "perimeter", "variables"),
    *("federation", "boundaries", "gates"),
}
ESTATES = [
    pytest.param(one, id=one.name, marks=[pytest.mark.thorough] if one.name in LARGE else []) for one in estates()
]


@pytest.mark.parametrize("asked", ESTATES)
def test_the_differences_are_those_of_two_whole_answers(asked: Any) -> None:
    estate = estate_from_text(asked.text, at=NOW)
    before = whole_answer(estate)
    different = 0
    first, *others = some_changes(estate)
    # Each estate has two of them, a large one three, and all estates together every one several times.
    for supposed in (first, *random.Random(asked.name).sample(others, 2 if asked.name in LARGE else 1)):
        changed = laid_over(estate, [supposed])
        after = whole_answer(changed)
        expected = {
            (*key, standing(before.get(key)), standing(after.get(key)))
            for key in before.keys() | after.keys()
            if differ(standing(before.get(key)), standing(after.get(key)))
        }
        found = {
            (
                *(one.subject.arn, one.repository.key, one.access),
                (one.before.answer, one.before.conditions),
                (one.after.answer, one.after.conditions),
            )
            for one in differences(RepositoryGraph(estate), RepositoryGraph(changed))
            if one.access in [*Access]
        }
        assert found == expected, supposed
        different += len(found)
    assert different > 0
