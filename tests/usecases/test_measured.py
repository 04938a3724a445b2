"""What each kind of work measures: a value where it is known, and nothing where it is not."""

from collections.abc import Callable, Sequence
from copy import replace
from datetime import datetime, timedelta

import pytest

from ecr_warden.audit.finding import AUDITED_FOR
from ecr_warden.core.desired import Mode
from ecr_warden.core.failures import PermissionMissing, Throttled
from ecr_warden.core.job import AuditAccess, Cause, CauseKind, ReconcileTarget, SweepAll
from ecr_warden.core.metrics import UNITS, Values
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result
from ecr_warden.hub.measured import DELIVERED
from ecr_warden.notify.ports import CHANNELS, waiting_key
from ecr_warden.state.hold import HoldState, Verdict
from ecr_warden.state.specs import SpecVersion
from ecr_warden.state.sweeps import parts_of
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, HOME
from tests.usecases.hub import ALICE, hub_status
from tests.usecases.test_audit import Estates, crash
from tests.usecases.test_holds import MINUTE, held
from tests.usecases.uploads import JOB, TEXT, accept_of, decide
from tests.usecases.world import MALLORY, OPEN, Crash, Fuse, World, bare_world, failing, present, world_in_sync

HOUR = timedelta(hours=1)


def call(world: World, ago: int = 41) -> Cause:
    """Mallory's call, as long ago as that in seconds."""
    at = (world.clock.now() - timedelta(seconds=ago)).isoformat()
    return Cause(CauseKind.EVENT, f"e{next(world.ids)}", "ecr:SetRepositoryPolicy", at, actor=MALLORY)


def measured(world: World) -> list[Values]:
    """Each line since the last look, but that a sweep has finished."""
    lines, world.metrics.lines[:] = [*world.metrics.lines], []
    return [line for line in lines if "SweepsFinished" not in line]


# ---------------------------------------------------------------- runs


def run(world: World, cause: Cause) -> Result | None:
    return world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


def _tampered(world: World) -> Result | None:
    world.put(D1, OPEN)
    return run(world, call(world))


def _without_an_event(world: World) -> Result | None:
    world.put(D1, OPEN)
    return run(world, Cause(CauseKind.SWEEP, "s1"))


def _failed(world: World) -> Result | None:
    failing(world, PermissionMissing("denied"))
    return _tampered(world)


def _failed_then_repaired(world: World) -> Result | None:
    failing(world, PermissionMissing("denied"), times=1)
    world.put(D1, OPEN)
    run(world, call(world))
    world.clock.advance(MINUTE)
    return run(world, Cause(CauseKind.SWEEP, "s1"))


def _paused(world: World) -> Result | None:
    now = world.clock.now()
    world.state.pause(CHECKOUT, Pause("p-1", ALICE, "a migration", now, now + HOUR))
    return _tampered(world)


def _observed(world: World) -> Result | None:
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)
    return _tampered(world)


def _in_sync(world: World) -> Result | None:
    return run(world, call(world))


def _rolled_out(world: World) -> Result | None:
    world.put(D1, OPEN)
    return run(world, Cause(CauseKind.SPEC, ACCEPTED.version))


RUNS: dict[str, tuple[Callable[[World], Result | None], Result, list[Values]]] = {
    "a tamper": (_tampered, Result.CONVERGED, [{"Repairs": 1, "SecondsToRepair": 41}]),
    "a tamper that no event reported": (_without_an_event, Result.CONVERGED, [{"Repairs": 1}]),
    "a repair that failed": (_failed, Result.FAILED, []),
    "one that failed at first": (
        _failed_then_repaired,
        Result.CONVERGED,
        [{"Repairs": 1, "SecondsToRepair": 101}],
    ),
    "a pause": (_paused, Result.REPORTED, []),
    "mode observe": (_observed, Result.REPORTED, []),
    "nothing to do": (_in_sync, Result.IN_SYNC, []),
    "a version that is rolled out": (_rolled_out, Result.CONVERGED, []),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_took_back_what_somebody_wrote_is_a_repair_and_once_it_is_over_has_lasted(name: str) -> None:
    world, (act, result, lines) = world_in_sync(), RUNS[name]
    measured(world)
    assert act(world) is result
    assert measured(world) == lines


def test_a_repair_whose_process_died_is_counted_by_the_run_that_closes_it() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    fuse = Fuse()
    while not world.writes:
        fuse.at, fuse.calls = fuse.at + 1, 0
        with pytest.raises(Crash):
            world.run(CHECKOUT, fuse=fuse)
        world.clock.advance(HOUR)  # whoever died holds no lease any more
    assert measured(world) == []
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert measured(world) == [{"Repairs": 1}]


def test_two_hundred_tampers_are_two_hundred_repairs() -> None:
    world = world_in_sync()
    measured(world)
    for _ in range(200):
        world.put(D1, OPEN)
        assert run(world, call(world, ago=5)) is Result.CONVERGED
        world.clock.advance(HOUR)
    assert measured(world) == [{"Repairs": 1, "SecondsToRepair": 5}] * 200


# ---------------------------------------------------------------- audits


def test_an_audit_says_how_many_outsiders_are_in_how_many_findings_there_are_and_what_differs() -> None:
    estates = Estates()
    estates.audit()
    none = {"TargetsDiffer": 0, "OutsidersIn": 0, "FindingsCritical": 0, "FindingsOther": 0}
    assert measured(estates.world) == [none]
    estates.open()
    estates.audit()
    [line] = measured(estates.world)
    read = [group.finding for group in hub_status(estates.world).access.findings]
    foreign = sum(finding.foreign for finding in read)
    counts = {"OutsidersIn": 1, "FindingsCritical": foreign, "FindingsOther": len(read) - foreign}
    assert (line, foreign) == ({"TargetsDiffer": 0, **counts}, 2), "who can push can give more away"
    estates.audit()
    assert measured(estates.world) == [line], "at each sweep, although nothing has changed"
    estates.close()
    estates.audit()
    assert measured(estates.world) == [none]


def test_our_own_who_have_too_much_are_no_outsiders() -> None:
    estates = Estates()
    estates.open(CI)
    estates.audit()
    [line] = measured(estates.world)
    assert (line["OutsidersIn"], line["FindingsCritical"]) == (0, 0)
    assert line["FindingsOther"] > 0


def test_of_an_audit_that_failed_nothing_is_known_but_what_differs() -> None:
    estates = Estates()
    estates.audit()
    measured(estates.world)
    for _ in range(2):
        estates.put(HOME, {"iam": {"RoleDetailList": []}})
        estates.world.clock.advance(AUDITED_FOR)
        estates.audit(by=crash)
        estates.audit()
    assert measured(estates.world) == [{"TargetsDiffer": 0}] * 4


def test_what_a_run_left_differs_until_one_repaired_it() -> None:
    estates = Estates()
    failing(estates.world, PermissionMissing("denied"), times=2)
    estates.world.put(D1, OPEN)
    run(estates.world, call(estates.world))
    estates.audit()
    assert estates.world.metrics.of("TargetsDiffer") == [1]
    run(estates.world, call(estates.world))
    assert run(estates.world, call(estates.world)) is Result.CONVERGED
    estates.audit()
    assert estates.world.metrics.of("TargetsDiffer") == [1, 0]


def test_without_a_spec_or_a_survey_an_audit_measures_nothing() -> None:
    world = bare_world()
    world.do(AuditAccess(Cause(CauseKind.SWEEP, "s1")))
    world.specs.compiled = None
    world.do(AuditAccess(Cause(CauseKind.SWEEP, "s2")))
    assert measured(world) == []


# ---------------------------------------------------------------- each sweep


def swept(world: World) -> Values:
    """What the start of a sweep measures."""
    measured(world)
    world.do(SweepAll(Cause(CauseKind.SWEEP, f"s{next(world.ids)}")))
    [line] = measured(world)
    return line


class Unanswered(World):
    """A world whose table does not say what waits for channels."""

    def waiting(self, channel: str) -> Sequence[datetime]:
        raise Throttled(f"the table does not answer for {channel}", retryable=True)


QUIET: Values = {"WaitsForPersonHours": 0, "OldestLookSeconds": 0, "NotDelivered": 0}


def test_each_sweep_says_what_waits_although_nothing_does() -> None:
    world = world_in_sync()
    world.sweep()
    assert swept(world) == QUIET
    world.clock.advance(15 * MINUTE)
    assert swept(world) == {**QUIET, "OldestLookSeconds": 900}


def test_before_a_spec_is_accepted_there_is_nothing_to_look_at() -> None:
    world = bare_world()
    world.specs.compiled = None
    world.clock.advance(HOUR)
    assert swept(world) == QUIET


def test_the_part_that_was_not_read_for_longest_counts_and_one_that_never_was_since_the_version_was_accepted() -> None:
    world = world_in_sync()
    world.clock.advance(2 * HOUR)
    assert swept(world)["OldestLookSeconds"] == 7200
    world.sweep()
    world.clock.advance(MINUTE)
    [late, *others] = sorted(parts_of(ACCEPTED))
    for part in others:
        world.sweep_records.note(replace(present(world.sweep_records.of(part)), at=world.clock.now()))
    assert (swept(world)["OldestLookSeconds"], late) == (60, CI)


def test_a_hold_waits_for_a_person_until_one_decides() -> None:
    world = world_in_sync()
    hold = held(world)
    assert swept(world)["WaitsForPersonHours"] == 0
    world.clock.advance(90 * MINUTE)
    assert swept(world)["WaitsForPersonHours"] == pytest.approx(1.5)
    decide(world, hold, Verdict.REJECT)
    assert swept(world)["WaitsForPersonHours"] == 0


def test_a_version_that_is_being_judged_waits_for_nobody() -> None:
    world = world_in_sync()
    world.specs.file = SpecVersion("v2", TEXT.replace(", ci:user/pull-user-2]", "]").encode())
    accept_of(world).process(JOB)
    assert [hold.state for hold in world.holds.waiting()] == [HoldState.JUDGING]
    world.clock.advance(HOUR)
    assert swept(world)["WaitsForPersonHours"] == 0


def test_what_a_channel_does_not_take_is_not_delivered_and_what_has_its_turn_soon_is() -> None:
    world = world_in_sync()
    for channel in CHANNELS:
        world.incidents.add(waiting_key(channel), ["one", "two", "three"])
    world.clock.advance(DELIVERED)
    assert swept(world)["NotDelivered"] == 0
    world.clock.advance(timedelta(seconds=1))
    assert swept(world)["NotDelivered"] == 3 * len(CHANNELS)


def test_what_cannot_be_read_is_not_measured_and_the_sweep_has_begun() -> None:
    world = Unanswered()
    world.do(SweepAll(Cause(CauseKind.SWEEP, "s1")))
    assert len(world.jobs.sent) == len(parts_of(ACCEPTED)) + 1
    assert measured(world) == []


def test_every_metric_has_been_seen_here_and_no_other() -> None:
    seen = {*RUNS["a tamper"][2][0], *QUIET, "TargetsDiffer", "OutsidersIn", "FindingsCritical", "FindingsOther"}
    assert seen | {"SweepsFinished"} == {*UNITS}
