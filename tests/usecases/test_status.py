"""`status`: which run or sweep looked at a target last, and what is wrong with the hub."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.finding import AuditBegun, AuditRecord
from ecr_warden.collect.sweep import Budget
from ecr_warden.core.address import identity_policy
from ecr_warden.core.failures import PortError, RegionDisabled
from ecr_warden.core.job import Queue
from ecr_warden.core.queue import QueueState
from ecr_warden.core.result import Result
from ecr_warden.core.target import Target
from ecr_warden.hub.request import AskStatus
from ecr_warden.hub.selecting import NothingAccepted
from ecr_warden.notify.ports import CHAT, waiting_key
from ecr_warden.state.specs import SpecVersion
from ecr_warden.state.target_status import Standing, TargetStatus
from iam_access.text.printable import show_time
from local.testing.memory.hub import MemorySpecs
from local.testing.memory.wiring import PARAMETERS
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, EVERYTHING, HOME, NOW, PUSHER, USERS
from tests.usecases.hub import ask, hub_status
from tests.usecases.pattern_world import shop, world_of
from tests.usecases.test_queries_unread import closed
from tests.usecases.uploads import upload
from tests.usecases.world import OPEN, World, bare_world, present, world_in_sync

MINUTE = timedelta(minutes=1)


def status_of(world: World, target: Target) -> TargetStatus:
    return next(status for status in hub_status(world).targets if status.target == str(target))


def codes(world: World) -> list[str]:
    return [trouble.code for trouble in hub_status(world).troubles]


def test_a_sweep_counts_as_the_last_look_at_a_target() -> None:
    world = world_in_sync()
    before = status_of(world, PUSHER)
    world.clock.advance(5 * MINUTE)
    assert status_of(world, PUSHER) == before
    world.sweep()
    seen = status_of(world, PUSHER)
    assert before.last is not None and seen.last is not None
    assert (before.last.at, seen.last.at) == (NOW, NOW + 5 * MINUTE)
    assert (seen.last.result, seen.last.run_id, seen.due) == (Result.IN_SYNC, before.last.run_id, False)


def test_an_audit_that_runs_is_no_failure_until_its_time_is_over() -> None:
    world = world_in_sync()
    world.sweep()
    world.audits.keep(AuditRecord(world.clock.now(), ACCEPTED.version, {}, failure=AuditBegun(1)))
    assert codes(world) == ["access-unaudited"]
    world.clock.advance(15 * MINUTE)
    assert codes(world) == ["audit-failed"]


def test_an_audit_that_follows_one_that_was_killed_or_none_that_was_whole_of_late_is_a_failure() -> None:
    world = world_in_sync()
    world.sweep()
    now = world.clock.now()
    for times, whole, code in (
        (2, now, "audit-failed"),
        (1, now - timedelta(hours=3), "audit-failed"),
        (1, now - timedelta(hours=1), "access-unaudited"),
    ):
        begun = AuditRecord(now, ACCEPTED.version, {}, failure=AuditBegun(times), audited_at=whole)
        world.audits.keep(begun)
        assert codes(world) == [code], (times, whole)


def test_a_target_that_a_sweep_found_drifted_is_due_until_a_run_ends() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.clock.advance(MINUTE)
    world.sweep()
    found = status_of(world, CHECKOUT)
    assert found.last is not None
    assert (found.due, found.last.at, found.last.result) == (True, NOW + MINUTE, Result.IN_SYNC)
    assert not status_of(world, PUSHER).due
    world.clock.advance(MINUTE)
    world.drain()
    repaired = status_of(world, CHECKOUT)
    assert repaired.last is not None
    assert (repaired.due, repaired.last.at, repaired.last.result) == (False, NOW + 2 * MINUTE, Result.CONVERGED)


def test_reported_drift_that_disappeared_without_a_run_is_in_sync() -> None:
    world = world_in_sync()
    right = world.documents.live[D1]
    world.switch.enabled = False
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    assert status_of(world, CHECKOUT).trouble
    world.documents.live[D1] = right
    world.clock.advance(MINUTE)
    world.sweep()
    now = status_of(world, CHECKOUT)
    assert now.last is not None
    assert (now.trouble, now.last.result) == (False, Result.IN_SYNC)


def test_a_repository_seen_by_a_sweep_is_not_pending_and_one_created_since_is() -> None:
    world = world_of("a")
    world.sweep()
    world.drain()
    world.clock.advance(MINUTE)
    world.sweep()
    assert status_of(world, shop("a")).last is not None
    world.documents.make(shop("b"))
    assert status_of(world, shop("b")).last is None


def test_a_sweep_of_another_spec_version_says_nothing_about_a_target() -> None:
    world = world_in_sync()
    world.clock.advance(MINUTE)
    world.sweep()
    world.specs.compiled = replace(ACCEPTED, version="v2")
    last = present(status_of(world, PUSHER).last)
    assert last.at == NOW


def test_what_a_sweep_has_read_since_it_could_not_be_read_is_not_unknown_by_a_newer_version() -> None:
    world = world_in_sync()
    closed(world, lambda target: target == CHECKOUT)
    world.run(CHECKOUT)
    assert status_of(world, CHECKOUT).standing is Standing.UNKNOWN
    world.recover()
    world.clock.advance(MINUTE)
    world.sweep()
    world.specs.compiled = replace(ACCEPTED, version="v2")
    assert status_of(world, CHECKOUT).standing is Standing.PENDING


def test_a_part_that_could_not_be_read_completely_has_no_sweep_record() -> None:
    world = world_in_sync()
    closed(world, lambda target: target.name == "*" and target.account == CI)
    world.clock.advance(MINUTE)
    world.sweep()
    assert world.sweep_records.noted.keys() == {HOME, f"{HOME}/eu-central-1"}


def test_a_healthy_hub_has_no_troubles() -> None:
    world = world_in_sync()
    assert codes(world) == []
    world.clock.advance(40 * MINUTE)
    assert codes(world) == [], "twice the schedule and ten minutes"


def uploaded(world: World) -> None:
    world.specs.file = SpecVersion("v7", b"version: 1")


def refused(world: World) -> None:
    upload(world, "version: 7", "v7")


def gone(world: World) -> None:
    world.specs.file = None


def unversioned(world: World) -> None:
    world.specs.versioned = False


def unreadable(world: World) -> None:
    world.specs = Unread(compiled=world.specs.compiled)


class Unread(MemorySpecs):
    """The spec's bucket cannot be read."""

    def current(self) -> SpecVersion:
        raise PortError("s3 says no")


def stopped(world: World) -> None:
    world.switch.enabled = False


def late(world: World) -> None:
    world.clock.advance(40 * MINUTE + timedelta(seconds=1))


def late_after_a_sweep(world: World) -> None:
    world.sweep()
    late(world)


def unlisted(world: World) -> None:
    closed(world, lambda target: target.name == "*" and target.account == CI)
    late(world)
    world.sweep()


def accepted_at_an_unknown_time(world: World) -> None:
    world.log.kept.clear()


def cron(world: World) -> None:
    world.wiring.edit("rule ecr-warden-sweep", schedule="cron(0 * * * ? *)")
    world.wiring.edit("stack of the hub", parameters=PARAMETERS | {"SweepSchedule": "cron(0 * * * ? *)"})
    world.clock.advance(timedelta(days=1, seconds=1))


def rule_gone(world: World) -> None:
    world.wiring.remove("rule ecr-warden-trail")


def rule_disabled(world: World) -> None:
    world.wiring.edit("rule ecr-warden-spec", state="DISABLED")


def rule_aside(world: World) -> None:
    world.wiring.edit("rule ecr-warden-outcomes", targets=[])


def rule_unread(world: World) -> None:
    world.wiring.hide("rule ecr-warden-trail", PortError("no permission"))


def queue(waiting: int, in_flight: int, ago: timedelta | None, of: Queue = Queue.AUDIT) -> Callable[[World], None]:
    """A queue, of which the last job was done so long ago."""

    def spoil(world: World) -> None:
        world.clock.advance(MINUTE)
        finished = None if ago is None else world.clock.now() - ago
        world.queues.found = [QueueState(of, waiting, in_flight, finished)]

    return spoil


def never_done(world: World) -> None:
    world.sweep()
    world.clock.advance(30 * MINUTE)
    queue(1, 0, None)(world)


def queues_unread(world: World) -> None:
    world.queues.error = PortError("no permission")


def left_over(world: World) -> None:
    world.budget = Budget(of_spec=1)
    for user in USERS:
        world.put(identity_policy(user, "ecr-warden-pull"), EVERYTHING)
    world.sweep()


STAYS = f"version {ACCEPTED.version} stays in force"
TROUBLES: dict[str, tuple[Callable[[World], None], str, tuple[str, ...]]] = {
    "a version that was not processed": (uploaded, "spec-pending", ("version v7 of the spec was uploaded", STAYS)),
    "a version that was refused": (refused, "spec-refused", ("was refused at 2026-11-24T10:00:00Z: E0", STAYS)),
    "a spec that was deleted": (gone, "spec-missing", ("there is no", STAYS)),
    "a bucket without versions": (unversioned, "spec-unversioned", ("has no version", STAYS)),
    "a bucket that cannot be read": (
        unreadable,
        "spec-unread",
        ("it is not known whether version", "is the current one: s3 says no"),
    ),
    "jobs that wait while none is done": (
        queue(12, 3, 26 * MINUTE),
        "jobs-stuck",
        ("jobs of ecr-warden-audit are stuck: 12 wait, 3 in flight, the last done at 2026-11-24T09:35:00Z",),
    ),
    "a change that nobody looks at for 30 seconds": (
        queue(1, 0, timedelta(seconds=31), Queue.REPAIR),
        "jobs-waiting",
        ("a change was reported and is not looked at yet: 1 wait, 0 in flight",),
    ),
    "a job that hangs": (queue(0, 1, 26 * MINUTE), "jobs-stuck", ("0 wait, 1 in flight",)),
    "a queue of which no job was ever done": (never_done, "jobs-stuck", ("1 wait", "none done yet")),
    "queues that cannot be read": (
        queues_unread,
        "queues-unread",
        ("whether jobs are stuck: no permission",),
    ),
    "more repairs than a sweep asks for": (
        left_over,
        "repairs-left-over",
        ("2 targets of", "differ and wait", "the next sweep asks for more"),
    ),
    "the stop switch": (stopped, "writes-stopped", ("writes are stopped by the switch",)),
    "no sweep since it was accepted": (
        late,
        "sweep-overdue",
        ("no sweep has completed yet (schedule: rate(15 minutes))",),
    ),
    "no sweep for too long": (
        late_after_a_sweep,
        "sweep-overdue",
        ("no sweep has completed since 2026-11-24T10:00:00Z",),
    ),
    "an account that no sweep can read": (unlisted, "sweep-overdue", (f"no sweep of {CI} has completed yet",)),
    "an acceptance before there was a log": (accepted_at_an_unknown_time, "sweep-overdue", ("yet",)),
    "no sweep for more than a day": (cron, "sweep-overdue", ("cron(",)),
    "a rule that is gone": (
        rule_gone,
        "wiring-cut",
        ("the rule ecr-warden-trail is missing: it delivers what CloudTrail",),
    ),
    "a rule that is off": (rule_disabled, "wiring-cut", ("the rule ecr-warden-spec is disabled",)),
    "a rule without its target": (rule_aside, "wiring-cut", ("no longer leads to its target",)),
    "a rule that cannot be read": (
        rule_unread,
        "wiring-unread",
        ("the rule ecr-warden-trail could not be read: no permission",),
    ),
    "a region that is not enabled": (
        lambda world: world.wiring.hide("rule ecr-warden-trail", RegionDisabled("the region is not enabled")),
        "region-disabled",
        ("the region is not enabled",),
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_reported_by_itself(name: str) -> None:
    spoil, code, words = TROUBLES[name]
    world = world_in_sync()
    spoil(world)
    [trouble] = hub_status(world).troubles
    assert trouble.code == code
    assert [word for word in words if word not in str(trouble)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        queue(1, 0, timedelta(seconds=30), Queue.REPAIR),
        queue(0, 0, timedelta(seconds=31), Queue.REPAIR),
        queue(1, 0, timedelta(seconds=31), Queue.AUDIT),
        *(queue(*state) for state in ((12, 3, 24 * MINUTE), (0, 0, 9 * 60 * MINUTE), (0, 0, None))),
    ],
)
def test_a_short_wait_and_a_queue_that_is_worked_on_are_no_trouble(
    spoil: Callable[[World], None],
) -> None:
    world = world_in_sync()
    spoil(world)
    assert hub_status(world).troubles == ()


def test_a_few_overdue_parts_are_named_and_the_rest_counted() -> None:
    world = world_in_sync()
    more = tuple(f"33333333333{digit}" for digit in range(5))
    world.specs.compiled = replace(ACCEPTED, accounts=(*ACCEPTED.accounts, *more))
    world.sweep()
    for account in more:
        del world.sweep_records.noted[account]
    late(world)
    world.specs.compiled = ACCEPTED
    world.sweep()
    world.specs.compiled = replace(ACCEPTED, accounts=(*ACCEPTED.accounts, *more))
    [trouble] = hub_status(world).troubles
    assert f"no sweep of {', '.join(more[:3])}, and 2 more has completed yet" in trouble.message


def test_before_any_spec_is_accepted_the_refused_one_is_named() -> None:
    world = bare_world()
    world.specs.compiled = None
    with pytest.raises(NothingAccepted, match="no spec is accepted yet; upload"):
        ask(world, AskStatus())
    upload(world, "version: 7", "v7")
    with pytest.raises(NothingAccepted, match="was refused: E0"):
        ask(world, AskStatus())


def test_what_waits_for_a_channel_stands_in_status_until_it_left() -> None:
    world = world_in_sync()
    since = world.incidents.clock.now()
    key = waiting_key(CHAT)
    world.incidents.add(key, ["one", "another"])
    [trouble] = [one for one in hub_status(world).troubles if one.code == "messages-wait"]
    assert trouble.message == f"2 messages for chat: waiting since {show_time(since)}"
    world.incidents.drop(key, world.incidents.close(key))
    assert codes(world) == []
