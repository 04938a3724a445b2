"""`plan`, `check`, `reconcile`, `resume`: what the hub reads, cannot read, and leaves."""

import json
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.audit.finding import AuditRecord, Finding, FindingKind, SeenFinding
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.hub.codec_replies import reply_to_json
from ecr_warden.hub.request import question_from_text
from ecr_warden.state.commands import MAX_TARGETS
from local.testing.seed import CHECKOUT, CI, HOME, NOW, PUSH_USER, PUSHER, SPEC_FILE
from tests.cli.command import Command
from tests.cli.test_can_i_hub import with_estate
from tests.cli.test_hub import InProcess, over
from tests.usecases.hub import queries_of
from tests.usecases.pattern_world import shop, world_of
from tests.usecases.test_queries_unread import CLOSED, closed
from tests.usecases.world import OPEN, World, present, tampered, world_in_sync

UNREAD = f"state unknown: {CLOSED}"


def without(world: World, *targets: Target) -> World:
    """These cannot be read."""
    return closed(world, lambda target: target in targets)


def narrowed(verb: tuple[str, ...], target: Target) -> tuple[str, ...]:
    """A plan takes a file; what asks the hub alone takes targets."""
    return (*verb, *(("--target",) if verb[0] in ("plan", "check") else ()), str(target))


def test_a_short_plan_through_the_hub_has_each_targets_status() -> None:
    world = world_in_sync()
    ran = over(world)("check")
    assert (ran.code, ran.last_line) == (1, "5 targets: 4 ok, 0 differ, 0 unreadable, 1 unaudited")
    world.sweep()
    ran = over(world)("check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.last_line == "5 targets: 5 ok, 0 differ, 0 unreadable"
    ran = over(tampered())("check")
    assert ran.code == 2
    assert f"differs     {CHECKOUT}: repository policy changed\n" in ran.out
    assert ran.last_line == "5 targets: 3 ok, 2 differ, 0 unreadable"


def test_plan_through_the_hub_shows_what_would_be_written_and_writes_nothing() -> None:
    world = tampered()
    ran = over(world)("plan")
    assert ran.code == 2
    assert f"{CHECKOUT}\n  repository policy: changed: " in ran.out
    assert "    1. update repository policy (" in ran.out
    assert ran.last_line == "5 targets: 3 ok, 2 differ, 0 unreadable; 3 to write, 0 held"
    assert (world.writes, world.command_records.taken, world.jobs.sent) == ([], {}, [])
    assert over(world)("plan", "--target", str(PUSH_USER)).code == 0


@pytest.mark.parametrize("verb", [("plan",), ("check",)])
def test_unreadable_targets_are_an_error_and_drift_is_still_shown(verb: tuple[str, ...]) -> None:
    assert over(tampered())(*verb).code == 2
    ran = over(without(tampered(), CHECKOUT))(*verb)
    assert ran.code == 1
    assert str(CLOSED) in ran.out
    assert "registry:role/ecr-pusher" in ran.out


@pytest.mark.parametrize("verb", [("plan",), ("check",), ("reconcile",)])
def test_repositories_that_could_not_be_listed_are_an_error(verb: tuple[str, ...]) -> None:
    world = world_of("a")
    assert over(world)(*verb).code == 0
    unlisted = closed(world, lambda target: isinstance(target, RepositoryTarget) and "*" in target.name)
    ran = over(unlisted)(*verb)
    assert ran.code == 1
    assert UNREAD in ran.out
    assert " all as the accepted spec says" not in ran.out
    assert over(unlisted)(*narrowed(verb, UserTarget(CI, "anna"))).code == 0


def test_apply_repairs_what_it_can_and_is_an_error_if_anything_was_unreadable() -> None:
    world = without(tampered(), CHECKOUT)
    ran = over(world)("reconcile")
    assert ran.code == 1
    assert "registry:role/ecr-pusher: repaired" in ran.out
    assert f"{CHECKOUT}: cannot be read: state unknown" in ran.out
    assert ran.last_line == f"1 target could not be read beforehand: {CHECKOUT}"
    as_json = over(without(tampered(), CHECKOUT))("reconcile", "--json")
    assert (as_json.code, as_json.json["unreadable"]) == (1, [{"target": str(CHECKOUT), "reasons": [str(CLOSED)]}])


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_resume_is_an_error_if_anything_was_unreadable_even_with_drift_left(form: tuple[str, ...]) -> None:
    world = world_of("a")
    accepted = present(world.specs.compiled)
    world.specs.compiled = replace(accepted, mode=Mode.OBSERVE)
    world.put(repository_policy(shop("a")), OPEN)
    pause = ("pause", str(shop("a")), "--for", "1h", "--reason", "a migration")
    command = over(world)
    assert command(*pause).code == 0
    assert command("resume", str(shop("a")), *form).code == 2
    assert command(*pause).code == 0
    closed(world, lambda target: isinstance(target, RepositoryTarget) and "*" in target.name)
    assert command("resume", str(shop("a")), "shop/*", *form).code == 1


class Small(InProcess):
    """A hub whose answers have little room."""

    def answer(self, request: str) -> dict[str, Any]:
        return reply_to_json(queries_of(self.world, 10).answer(question_from_text(request)))


@pytest.mark.parametrize("verb", [("plan",), ("check",), ("reconcile",)])
def test_targets_omitted_from_the_answer_count_as_differing(verb: tuple[str, ...]) -> None:
    world = tampered()
    ran = Command(hub=Small(world), clock=world.clock)(*verb)
    assert ran.code == 2
    assert "and 2 more targets that differ" in ran.out


def test_a_command_with_too_many_targets_is_not_sent() -> None:
    world = world_of()
    for number in range(MAX_TARGETS):
        world.documents.make(shop(f"r{number}"))
    ran = over(world)("pause", "all", "--for", "1h", "--reason", "x")
    assert (ran.code, ran.out) == (1, "")
    assert f"a command takes {MAX_TARGETS} at most; name fewer" in ran.err
    assert world.command_records.taken == {}
    assert over(world)("pause", str(shop("r1")), "--for", "1h", "--reason", "x").code == 0


def test_an_unlistable_repository_can_be_paused_by_its_full_name() -> None:
    world = closed(world_of("a"), lambda target: isinstance(target, RepositoryTarget) and "*" in target.name)
    refused = over(world)("pause", "shop/*", "--for", "1h", "--reason", "x")
    assert refused.code == 1
    assert "name the targets in full" in refused.err
    assert over(world)("pause", str(shop("a")), "--for", "1h", "--reason", "x").code == 0
    assert json.loads(over(world)("status", str(shop("a")), "--json").out)["targets"][0]["pause"]["reason"] == "x"


def test_a_short_plan_through_the_hub_has_the_findings_of_its_last_proof_and_says_how_old_it_is() -> None:
    world = world_in_sync()
    world.sweep()
    shadow = f"arn:aws:iam::{HOME}:role/shadow-pusher"
    finding = Finding(FindingKind.EXTRA, str(CHECKOUT), "push", shadow, (shadow,))
    world.audits.keep(AuditRecord(NOW, "v1", {}, (SeenFinding(finding, NOW),), audited_at=NOW))
    world.clock.advance(timedelta(minutes=5))
    ran = over(world)("check")
    assert ran.code == 2
    said = "registry:role/shadow-pusher can push shop/checkout: NOT IN SPEC"
    assert f"differs     {CHECKOUT}: {said}\n" in ran.out
    assert "1 finding of access at 2026-11-24T10:00:00Z, by the policies that could be read\n" in ran.out
    world.clock.advance(timedelta(hours=1))
    world.audits.keep(AuditRecord(NOW, "v1", {}, audited_at=NOW))
    ran = over(world)("check")
    assert ran.code == 1
    assert f"unaudited   {CHECKOUT}: who has access is unknown: ci (111111111111) was last s" in ran.out


@pytest.mark.parametrize("verb", [("check",), ("plan",), ("status",), ("reconcile",)])
def test_one_target_is_counted_in_the_singular(verb: tuple[str, ...]) -> None:
    assert over(world_in_sync())(*narrowed(verb, PUSH_USER)).last_line.startswith("1 target: ")


def test_a_file_is_compared_with_the_accounts_as_the_hub_last_read_them() -> None:
    command = over(with_estate())
    read = "by the policies as the hub has read them since 2026-11-24T10:00:00Z\n"
    ran = command("plan", str(SPEC_FILE))
    assert (ran.code, ran.err, ran.last_line) == (
        0,
        read,
        "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held",
    )
    changed = SPEC_FILE.read_bytes().replace(b"[ci:user/push-user]", b"[ci:user/push-user, ci:user/pull-user-1]")
    ran = command("check", "-", "--target", str(PUSHER), stdin=changed)
    assert (ran.code, ran.out.splitlines()[0], ran.err) == (
        2,
        "differs     registry:role/ecr-pusher: trust policy changed",
        read,
    )


def test_an_account_that_the_hub_has_not_read_is_unreadable() -> None:
    other = SPEC_FILE.read_bytes().replace(b"accounts:\n", b'accounts:\n  third: {id: "333333333333"}\n')
    ran = over(with_estate())("check", "-", stdin=other.replace(b"ci:user/pull-user-1", b"third:user/x"))
    assert (ran.code, "unreadable  third:user/*: third (333333333333): it was not read\n" in ran.out) == (1, True)


def test_a_file_without_a_hub_says_how_to_read_the_accounts_oneself() -> None:
    world = world_in_sync()
    world.specs.compiled = None
    for verb in ("plan", "check"):
        ran = over(world)(verb, str(SPEC_FILE))
        assert (ran.code, "to read the accounts yourself: --profile ACCOUNT=PROFILE" in ran.err) == (1, True)


@pytest.mark.parametrize("verb", ["plan", "check"])
def test_a_target_that_the_file_does_not_have_is_an_error(verb: str) -> None:
    ran = over(with_estate())(verb, str(SPEC_FILE), "--target", "shop/chekout")
    assert (ran.code, ran.out) == (1, "")
    assert 'the spec has no target "shop/chekout"; did you mean "shop/checkout"?' in ran.err
