"""`ecr-warden check`, on the memory adapter."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.address import DENY_OLDER_SESSIONS, identity_policy, repository_policy
from ecr_warden.core.sessions import Sessions, denial_of
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import (
    CHECKOUT,
    HOME,
    OUTSIDER,
    PUSHER,
    SPEC_FILE,
)
from tests.cli.command import HERE, Command
from tests.contracts.worlds import MemoryWorld, make_in_sync


@pytest.fixture
def command(command: Command) -> Command:
    """The command over the world, which it reads once for the plans and for who has access."""
    return replace(command, entries=None)


def test_every_target_is_listed_when_all_are_in_sync(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    ran = command("check", str(SPEC_FILE), *HERE)
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "ok          repository/222222222222/eu-central-1/shop/checkout",
        "ok          registry:role/ecr-pusher",
        "ok          ci:user/pull-user-1",
        "ok          ci:user/pull-user-2",
        "ok          ci:user/push-user",
        "0 findings of access at 2026-01-01T00:00:00Z, by the policies that could be read",
        "5 targets: 5 ok, 0 differ, 0 unreadable",
    ]


def test_a_missing_target_is_reported_once(world: MemoryWorld, command: Command) -> None:
    ran = command("check", str(SPEC_FILE), *HERE)
    assert ran.code == 2
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == [
        "differs     repository/222222222222/eu-central-1/shop/checkout: it does not exist",
        "differs     registry:role/ecr-pusher: it does not exist",
        "differs     ci:user/pull-user-1: it does not exist",
        "differs     ci:user/pull-user-2: it does not exist",
        "differs     ci:user/push-user: it does not exist",
        "1 finding of access at 2026-01-01T00:00:00Z, by the policies that could be read",
        "5 targets: 0 ok, 5 differ, 0 unreadable",
    ]


def test_an_expired_session_cutoff_is_not_a_difference_to_a_short_plan(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    cutoff = denial_of(Sessions(command.clock.now() - timedelta(hours=13)))
    world.put(identity_policy(PUSHER, DENY_OLDER_SESSIONS), cutoff)
    assert command("check", str(SPEC_FILE), *HERE).code == 0
    assert command("plan", str(SPEC_FILE), *HERE).code == 2


def test_json(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    ran = command("check", str(SPEC_FILE), *HERE, "--json")
    answer = ran.json
    assert ran.code == 2
    assert list(answer) == ["schema", "specVersion", "targets", "summary", "access"]
    assert answer["summary"] == {"targets": 5, "ok": 4, "differs": 1, "unreadable": 0, "unaudited": 0}
    first, second, *_ = answer["targets"]
    assert (first["target"], first["status"]) == (str(CHECKOUT), "differs")
    assert [drift["kind"] for drift in first["drifts"]] == ["missing"]
    assert second == {"target": str(PUSHER), "status": "ok", "drifts": [], "audited": None}


def shadow(account: str) -> dict[str, Any]:
    """A role that somebody in an account may assume, and that may do everything with images."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    ecr = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    return {
        "Arn": f"arn:aws:iam::{HOME}:role/shadow-pusher",
        "RoleId": "AROASHADOW",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
        "RolePolicyList": [{"PolicyName": "ecr", "PolicyDocument": {"Version": "2012-10-17", "Statement": ecr}}],
    }


def test_a_repository_is_not_ok_if_somebody_else_has_access_although_its_documents_are(
    world: MemoryWorld, command: Command
) -> None:
    make_in_sync(world)
    command.reader = LiveEstateReader(world.documents, {HOME: {"RoleDetailList": [shadow(OUTSIDER)]}})
    ran = command("check", str(SPEC_FILE), *HERE)
    assert ran.code == 2
    does = "pull and push and call ecr:SetRepositoryPolicy on"
    said = f"anybody in account {OUTSIDER} can {does} shop/checkout: NOT IN SPEC"
    assert ran.out.splitlines()[0].startswith(f"differs     {CHECKOUT}: {said}")
    assert f"  {said} (found 2026-01-01T00:00:00Z)\n    through registry:role/shadow-pusher\n" in ran.out
    assert ran.last_line == "5 targets: 4 ok, 1 differs, 0 unreadable"
    answer = command("check", str(SPEC_FILE), *HERE, "--json").json
    [repository, *others] = answer["targets"]
    assert (repository["status"], repository["audited"]["status"]) == ("differs", "false")
    assert {one["status"] for one in others} == {"ok"}
    assert {one["finding"]["kind"] for one in answer["access"]["findings"]} == {"extra-access"}


def test_a_repository_is_unaudited_if_not_all_policies_were_read(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    unread = {"PolicyArn": f"arn:aws:iam::{HOME}:policy/not-read"}
    somebody = {"Arn": f"arn:aws:iam::{HOME}:user/anna", "AttachedManagedPolicies": [unread]}
    command.reader = LiveEstateReader(world.documents, {HOME: {"UserDetailList": [somebody]}})
    ran = command("check", str(SPEC_FILE), *HERE)
    assert ran.code == 1
    assert f"unaudited   {CHECKOUT}: who has access is unknown: " in ran.out
    assert ran.last_line == "5 targets: 4 ok, 0 differ, 0 unreadable, 1 unaudited"
