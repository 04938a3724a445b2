"""The matrix of a report: who is in it, in which way, on what grounds, and what is said once there is no room."""

import json
from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.open_to_all import snapshot as organization_of
from bench.open_to_all import spec_of
from ecr_warden.audit.finding import Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.grounds import Ground
from ecr_warden.core.codec.base import dumps, to_json
from ecr_warden_cli.page.rows import SharedAccess, access_to_json, accesses, sets_of, to_csv
from ecr_warden_cli.report.matrix import Sources, matrix_of, runs_of, taken
from ecr_warden_cli.report.report import Matrix, Report
from local.testing.seed import compiled
from tests.counting import counted
from tests.reports import APPS, CI, OUTSIDER, REGION, REGISTRY, example, snapshot, spec_text
from tests.snapshots import estate_from_text

SHADOW = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/shadow-pusher"


@cache
def report_of_example() -> Report:
    """Made when a test asks, so that a bug that is planted shows."""
    return example()


def accesses_of(report: Report, repository: str, access: str) -> dict[str, dict[str, Any]]:
    """By principal."""
    found = [*accesses(report)]
    target = f"repository/{REGISTRY}/{REGION}/{repository}"
    forms = (access_to_json(one, report.matrix, sets_of(found)) for one in found if target in targets_of(one, report))
    return {one["principal"]: one for one in forms if one["access"] == access}


def targets_of(access: SharedAccess, report: Report) -> list[str]:
    return [report.matrix.rows[number].target for number in access.rows]


GROUNDS = {
    "a grant of the spec": ("billing/ledger", "pull", f"arn:aws:iam::{CI}:user/deploy-1", Ground.SPEC),
    "a push grant": ("billing/ledger", "push", f"arn:aws:iam::{CI}:user/build-billing", Ground.SPEC),
    "a role that nobody granted": ("billing/ledger", "push", SHADOW, Ground.NONE),
    "outsiders through it": ("billing/ledger", "push", f"anybody in account {OUTSIDER}", Ground.NONE),
    "an administrator": ("billing/ledger", "push", f"arn:aws:iam::{REGISTRY}:user/admin", Ground.ADMINISTRATOR),
    "an identity in a repository of nobody's": (
        *("old/prototype", "pull", f"arn:aws:iam::{REGISTRY}:user/admin", Ground.UNNAMED),
    ),
}


@pytest.mark.parametrize("name", GROUNDS)
def test_each_access_has_its_ground(name: str) -> None:
    repository, access, principal, ground = GROUNDS[name]
    found = accesses_of(report_of_example(), repository, access)[principal]
    assert (found["ground"], found["inSpec"]) == (ground, ground is Ground.SPEC)


def test_what_also_allowed_covers_is_said_to_be_so() -> None:
    spec = json.loads(spec_text()) | {"also_allowed": [{"principals": [SHADOW, OUTSIDER], "reason": "moving house"}]}
    found = accesses_of(example(text=json.dumps(spec).encode()), "billing/ledger", "push")
    assert {found[who]["ground"] for who in (SHADOW, f"anybody in account {OUTSIDER}")} == {Ground.ALSO_ALLOWED}


def test_an_outsider_in_a_repository_that_the_spec_does_not_name_has_no_ground() -> None:
    estate = snapshot()
    repositories = estate["accounts"][REGISTRY]["ecr"][REGION]["repositories"]
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}, "Action": "ecr:*"}
    repositories[len(APPS)]["policy"] = {"Version": "2012-10-17", "Statement": statement}
    assert repositories[len(APPS)]["repositoryName"] == "old/prototype"
    found = accesses_of(example(estate), "old/prototype", "pull")
    assert found[f"anybody in account {OUTSIDER}"]["ground"] == Ground.NONE
    assert found[f"arn:aws:iam::{REGISTRY}:user/admin"]["ground"] == Ground.UNNAMED


def test_a_way_that_the_spec_does_not_give_hides_behind_none_that_it_gives() -> None:
    estate, spec = snapshot(), json.loads(spec_text())
    spec["organizations"] = {"acme": {"id": "o-a1b2c3d4e5"}}
    [entry] = [one for one in spec["repositories"] if "billing/ledger" in one["name"]]
    entry["pull"] = [{"organization": "acme"}]
    helper = f"arn:aws:iam::{REGISTRY}:role/helper"
    trust = {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"sts:ExternalId": "help"}}}
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", **trust}
    may_pull = {"Effect": "Allow", "Action": ["ecr:BatchGet*", "ecr:Get*"], "Resource": "*"}
    own = [{"PolicyName": "own", "PolicyDocument": {"Statement": may_pull}}]
    role = {"Arn": helper, "AssumeRolePolicyDocument": {"Statement": assume}, "RolePolicyList": own}
    estate["accounts"][REGISTRY]["iam"]["RoleDetailList"].append(role)
    pull: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    pull["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    for repository in estate["accounts"][REGISTRY]["ecr"][REGION]["repositories"]:
        repository["policy"] = {"Version": "2012-10-17", "Statement": pull}
    found = accesses_of(example(estate, text=json.dumps(spec).encode()), "billing/ledger", "pull")
    anyone = found["anyone on the internet with an AWS account"]
    assert (anyone["through"], anyone["ground"]) == ([helper], Ground.NONE)


def test_an_access_has_its_chain_its_statements_its_teams_and_its_end() -> None:
    pusher = accesses_of(report_of_example(), "billing/ledger", "push")[f"arn:aws:iam::{CI}:user/build-billing"]
    role = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/push-billing"
    assert pusher["through"] == [role]
    assert pusher["because"] == [
        f"statement 1 of identity policy own of arn:aws:iam::{CI}:user/build-billing allows sts:AssumeRole",
        f"statement 1 of trust policy of push-billing of {role} allows sts:AssumeRole",
        f"statement 1 of identity policy push of {role} allows ecr:PutImage",
    ]
    assert pusher["until"] == "2026-12-06T06:00:00Z"
    assert {one.account for one in report_of_example().matrix.principals} >= {CI, REGISTRY, OUTSIDER}
    puller = accesses_of(report_of_example(), "billing/ledger", "pull")[f"arn:aws:iam::{CI}:user/deploy-1"]
    assert (puller["teams"], puller["until"]) == (["deployers"], None)


def test_every_statement_that_is_named_can_be_read() -> None:
    matrix = report_of_example().matrix
    known = {(matrix.texts[holder], matrix.texts[policy], number) for holder, policy, number, _ in matrix.statements}
    texts = [json.loads(matrix.texts[place]) for _, _, _, place in matrix.statements]
    assert all(one["Effect"] == "Allow" for one in texts)
    for one in accesses(report_of_example()):
        for because in one.way.because:
            for target in targets_of(one, report_of_example()):
                owners = {-1: one.principal.name, -2: target}
                owner = owners[because.holder] if because.holder < 0 else matrix.texts[because.holder]
                assert not because.statement or (owner, matrix.texts[because.policy], because.statement) in known


@pytest.mark.parametrize(("of_spec", "of_one", "observed"), [("enforce", "observe", 3), ("observe", "enforce", 3)])
def test_a_repository_of_which_drift_is_only_reported_is_marked(of_spec: str, of_one: str, observed: int) -> None:
    spec = json.loads(spec_text())
    spec["settings"]["mode"], spec["repositories"][0]["mode"] = of_spec, of_one
    report = example(text=json.dumps(spec).encode())
    assert sum(row.observed for row in report.matrix.rows) == observed
    assert report_of_example().mode == "enforce"
    assert not any(row.observed for row in report_of_example().matrix.rows)


def test_a_policy_that_was_not_read_is_said_to_be_and_makes_unknown_who_has_access() -> None:
    row = next(row for row in report_of_example().matrix.rows if row.target.endswith("/base/go"))
    assert "was not read: AccessDeniedException" in row.unread
    assert {one["answer"] for one in accesses_of(report_of_example(), "base/go", "push").values()} == {"unknown"}


def of_example(room: int, health: Mapping[str, RepositoryHealth] = MappingProxyType({})) -> Matrix:
    estate = estate_from_text(json.dumps(snapshot()), at=datetime(2026, 11, 27, tzinfo=UTC))
    return matrix_of(Sources(estate, compiled(spec_text()), health), room=room)


def test_of_repositories_that_are_alike_one_is_asked_whether_there_is_room_or_not() -> None:
    def work(repositories: int, room: int) -> int:
        estate = estate_from_text(
            json.dumps(organization_of(3, 60, repositories)), at=datetime(2026, 11, 28, tzinfo=UTC)
        )
        sources = Sources(estate, spec_of(3, repositories))
        return counted(lambda: matrix_of(sources, room=room))[1]

    for room in (10_000, 1_000_000):
        assert work(40, room) < 2 * work(10, room), room


def test_of_very_many_who_come_in_one_way_a_full_page_says_how_many_and_leaves_out_no_repository() -> None:
    estate = estate_from_text(json.dumps(organization_of(3, 60, 10)), at=datetime(2026, 11, 28, tzinfo=UTC))
    sources = Sources(estate, spec_of(3, 10))
    whole, folded = matrix_of(sources, room=1_000_000), matrix_of(sources, room=10_000)
    names = [principal.name for principal in folded.principals]
    assert (len(whole.principals), whole.left_out, folded.left_out) == (181, 0, 0)
    assert "120 principals: ecr-warden who-can pull lists them" in names
    assert sum(name.startswith("arn:") for name in names) == 61


@pytest.mark.parametrize("room", [0, 2_000, 4_000, 6_000, 8_000, 12_000, 1_000_000])
def test_what_there_is_no_room_for_is_counted(room: int) -> None:
    matrix, whole = of_example(room), of_example(1_000_000)
    assert matrix.left_out == sum(row.groups is None for row in matrix.rows)
    assert [row.target for row in matrix.rows] == [row.target for row in whole.rows]
    missing = len(whole.statements) - len(matrix.statements)
    assert (matrix.statements_left_out > 0 or matrix.left_out > 0) is (missing > 0)
    least = len(dumps(to_json(of_example(0))))
    assert len(dumps(to_json(matrix))) <= max(room, least)


def least_room(target: str, health: Mapping[str, RepositoryHealth]) -> int:
    """In which the target's row says who has access."""
    return next(
        room
        for room in range(2_000, 40_000, 1_000)
        if any(row.target == target and row.groups is not None for row in of_example(room, health).rows)
    )


@pytest.mark.parametrize("what", ["in_sync", "audited", "fresh"])
def test_what_is_not_in_order_takes_the_room_first(what: str) -> None:
    fine = Condition(ConditionStatus.TRUE, "", "", datetime(2026, 11, 27, tzinfo=UTC))
    in_order = {row.target: RepositoryHealth(fine, fine, fine) for row in of_example(0).rows}
    last = max(in_order)
    health = in_order | {last: replace(in_order[last], **{what: replace(fine, status=ConditionStatus.FALSE)})}
    assert least_room(last, health) < least_room(last, in_order)


def test_access_that_everybody_has_to_everything_takes_little_room() -> None:
    """Each in a way of their own: a cell for each of them would take some 40 times as much."""
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    users = [
        {
            "Arn": f"arn:aws:iam::{REGISTRY}:user/u{number}",
            "UserId": f"AIDA{number}",
            "UserPolicyList": [
                {"PolicyName": f"p{number}", "PolicyDocument": {"Version": "2012-10-17", "Statement": statement}}
            ],
        }
        for number in range(100)
    ]
    repositories = [{"repositoryName": f"app{number}", "policy": None} for number in range(100)]
    accounts = {
        CI: {"iam": {}},
        REGISTRY: {"iam": {"UserDetailList": users}, "ecr": {REGION: {"repositories": repositories}}},
    }
    report = example({"schema": 1, "takenAt": "2026-11-27T05:00:00Z", "accounts": accounts})
    assert sum(len(one.rows) for one in accesses(report)) == 2 * 100 * 100
    assert len(to_csv(report)) < 100_000
    assert report.matrix.left_out == 0
    assert len(dumps(to_json(report.matrix))) < 100_000


@given(st.sets(st.integers(0, 200)))
def test_runs_take_what_they_were_made_of(places: set[int]) -> None:
    assert [*taken(runs_of(places))] == sorted(places)
