"""What an audit takes as repaired: what is known to be, and nothing by its name or because it left the spec."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.finding import Finding, FindingKind
from ecr_warden.collect.alerts import LeftOver
from ecr_warden.collect.sweep import Budget
from ecr_warden.core.address import identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Mode, RoleSettings
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import AuditAccess, Cause, CauseKind, ReconcileTarget, SweepAll, SweepIdentities
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.document.document import Document
from local.testing.memory.estate import all_repositories
from local.testing.memory.state import MemorySweepRecords
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, EVERYTHING, HOME, OUTSIDER, allow, document
from tests.usecases.hub import ALICE, hub_status
from tests.usecases.pattern_world import settle
from tests.usecases.uploads import first, upload
from tests.usecases.world import FIRST, World, failing, present, world_in_sync

MINUTE = timedelta(minutes=1)
SHADOW = RoleTarget(HOME, "shadow-pusher")
LET_IN = document(allow("sts:AssumeRole", who=OUTSIDER))
OPENED = document(allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", who=OUTSIDER))


def audit(world: World) -> set[str]:
    """Where outsiders get in, by an audit of what the last sweep kept."""
    cause = Cause(CauseKind.SWEEP, f"s{next(world.ids)}")
    world.auditor().audit(AuditAccess(cause))
    return {one.place for one in findings(world) if one.kind is FindingKind.EXTRA and one.foreign}


def policy_of(world: World, target: RepositoryTarget) -> Document | None:
    policy = world.live(repository_policy(target))
    return policy if isinstance(policy, Document) else None


def findings(world: World) -> list[Finding]:
    """All that the last audit found."""
    assert world.audits.kept is not None
    return [seen.finding for seen in world.audits.kept.findings]


def swept(world: World) -> set[str]:
    """The same after a sweep, and before any run that it asks for."""
    world.clock.advance(15 * MINUTE)
    world.sweep()
    return audit(world)


def read_anew(world: World) -> set[str]:
    """The same after the registry was read because of an event."""
    world.clock.advance(timedelta(seconds=2))
    world.survey.fresh(f"{HOME}/eu-central-1", world.clock.now(), FIRST)
    return audit(world)


def shadow(world: World, name: str, path: str = "/") -> None:
    """A role that an outsider may assume, and that may do everything."""
    world.documents.make(SHADOW)
    world.put(role(SHADOW), RoleSettings(path, 3600, None))
    world.put(trust_policy(SHADOW), LET_IN)
    world.put(identity_policy(SHADOW, name), EVERYTHING)
    if path != "/":
        world.documents.tagged.add(SHADOW)


def observe(world: World) -> None:
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)


def pause(world: World) -> None:
    now = world.clock.now()
    paused = Pause("p-1", ALICE, "migration", now, now + timedelta(days=1))
    world.state.pause_patterns(PatternPause(("shadow-*", "role/*", "all"), paused))


def deny(world: World) -> None:
    def fault(target: Target, change: Change | None) -> None:
        if target == SHADOW and change is not None:
            raise PermissionMissing("an explicit deny")

    world.documents.faults = fault


def stop(world: World) -> None:
    world.switch.enabled = False


NOBODY_DELETES: dict[str, Callable[[World], None]] = {
    "observed": observe,
    "paused": pause,
    "its deletion is denied": deny,
    "writes are stopped": stop,
}
NAMES = {"named like ours": ("ecr-warden-x", "/"), "with our path and tag": ("ecr-warden-x", "/ecr-warden/")}


@pytest.mark.parametrize("case", NOBODY_DELETES)
@pytest.mark.parametrize("name", NAMES)
def test_a_role_that_is_named_like_ours_is_found_where_nobody_deletes_it(case: str, name: str) -> None:
    world, other = world_in_sync(), world_in_sync()
    for one, named in ((world, NAMES[name]), (other, ("images", "/"))):
        shadow(one, *named)
        NOBODY_DELETES[case](one)
        swept(one)
        one.drain()
    assert swept(world) == swept(other) != set()
    assert str(CHECKOUT) in swept(world)


def test_an_orphan_that_is_deleted_is_found_by_nobody() -> None:
    world = world_in_sync()
    shadow(world, "ecr-warden-x")
    swept(world)
    world.drain()
    assert audit(world) == set()
    assert world.live(identity_policy(SHADOW, "ecr-warden-x")) is None
    assert swept(world) == set()


QUIET = """
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - {name: shop/one, account: registry, pull: [ci:user/ann]}
  - {name: shop/old, account: registry}
  - {name: web/*, account: registry, pull: [ci:user/ann]}
settings: {mode: enforce}
"""
WITHOUT = QUIET.replace("  - {name: shop/old, account: registry}\n", "")
PULLED = QUIET.replace(
    "shop/old, account: registry", "shop/old, account: registry, pull: [{account: partner}]"
).replace("  registry:", '  partner: {id: "333333333333"}\n  registry:', 1)
PATTERN = PULLED.replace("shop/old", "app/*")
RETIRED = {
    "an entry without pullers": (QUIET, "shop/old"),
    "an entry with pullers": (PULLED, "shop/old"),
    "a pattern": (PATTERN, "app/a"),
}


@pytest.mark.parametrize("case", RETIRED)
def test_what_a_retired_repository_gets_later_is_found_and_left_alone(case: str) -> None:
    before, name = RETIRED[case]
    target = RepositoryTarget(HOME, "eu-central-1", name)
    world = first(before)
    for made in ("shop/one", name):
        world.documents.make(RepositoryTarget(HOME, "eu-central-1", made))
    settle(world)
    given = policy_of(world, target)
    upload(world, WITHOUT, "v2")
    settle(world)
    world.clock.advance(MINUTE)
    settle(world)
    assert world.live(repository_policy(target)) is None
    assert swept(world) == set()
    # Word for word what the spec gave, where it gave something.
    world.put(repository_policy(target), given or OPENED)
    world.survey.fresh(f"{HOME}/eu-central-1", world.clock.now(), FIRST)
    for _ in range(3):
        assert str(target) in swept(world)
        world.drain()
    assert world.live(repository_policy(target)) == (given or OPENED)
    assert world.run(target) is None


def test_a_repository_that_is_being_retired_is_found_only_if_that_waits() -> None:
    world = first(PULLED)
    target = RepositoryTarget(HOME, "eu-central-1", "shop/old")
    for made in ("shop/one", "shop/old"):
        world.documents.make(RepositoryTarget(HOME, "eu-central-1", made))
    settle(world)
    world.jobs.sent.clear()
    upload(world, WITHOUT, "v2")
    assert swept(world) == set(), "asked for, and to come within seconds"
    world.jobs.sent.clear()
    assert swept(world) == {str(target)}, "two sweeps asked for it, and no run came"
    world.sweep()
    world.clock.advance(timedelta(seconds=1))
    world.drain()
    assert audit(world) == set(), "what is kept is older than the run that deleted it"


def test_what_a_retired_repository_lost_is_not_found_though_no_sweep_has_looked() -> None:
    """A new hub's first sweep may not have ended when a version takes a repository out."""
    world = first(PULLED)
    target = RepositoryTarget(HOME, "eu-central-1", "shop/old")
    for made in ("shop/one", "shop/old"):
        world.documents.make(RepositoryTarget(HOME, "eu-central-1", made))
    settle(world)
    assert swept(world) == set()
    given = present(policy_of(world, target))
    world.sweep_records = MemorySweepRecords()
    world.clock.advance(timedelta(seconds=2))
    upload(world, WITHOUT, "v2")
    world.drain()
    assert world.live(repository_policy(target)) is None
    assert audit(world) == set(), "what is kept is older than the run that deleted it"
    world.put(repository_policy(target), given)
    assert read_anew(world) == {str(target)}


def test_a_new_repository_that_fits_a_pattern_is_found_only_if_its_repair_waits() -> None:
    """It is there before any sweep has seen it, and has its policy within seconds."""
    world = first(QUIET)
    for made in (UserTarget(CI, "ann"), RepositoryTarget(HOME, "eu-central-1", "shop/one")):
        world.documents.make(made)
    world.documents.make(RepositoryTarget(HOME, "eu-central-1", "shop/old"))
    settle(world)
    assert swept(world) == set()
    new = RepositoryTarget(HOME, "eu-central-1", "web/new")
    world.documents.make(new)
    assert (read_anew(world), findings(world)) == (set(), [])
    world.put(repository_policy(new), OPENED)
    assert (read_anew(world), findings(world)) == (set(), [])
    failing(world, PermissionMissing("an explicit deny"))
    world.put(repository_policy(new), document(allow("ecr:*", who="*")))
    assert world.run(new) is Result.FAILED
    assert read_anew(world) == {str(new)}
    assert {one.kind for one in findings(world)} == {FindingKind.EXTRA}, "what is missing is drift"


def test_what_no_sweep_of_a_whole_part_has_looked_for_lately_counts_as_it_lies_there() -> None:
    """Each sweep reads the named repositories anew, and none can say since when one differs."""
    world = first(QUIET)
    one = RepositoryTarget(HOME, "eu-central-1", "shop/one")
    for made in (UserTarget(CI, "ann"), one, RepositoryTarget(HOME, "eu-central-1", "shop/old")):
        world.documents.make(made)
    settle(world)
    assert swept(world) == set()

    def fault(target: Target, _: Change | None) -> None:
        if target == all_repositories(HOME, "eu-central-1"):
            raise PermissionMissing("no list")

    world.documents.faults = fault
    world.put(repository_policy(one), OPENED)
    found: list[set[str]] = []
    for _ in range(4):
        found.append(swept(world))
        world.jobs.sent.clear()
    assert found == [set(), *3 * [{str(one)}]]


def test_drift_counts_as_repaired_while_it_was_read_lately_or_a_run_ended_well_since() -> None:
    world = world_in_sync()
    world.sweep()
    world.put(D1, OPENED)
    assert swept(world) == set()
    world.jobs.sent.clear()
    world.clock.advance(15 * MINUTE)
    assert audit(world) == {str(CHECKOUT)}, "nobody looked since, and no run came"
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert audit(world) == set()


def test_what_a_sweep_had_repaired_while_it_kept_its_reading_is_found_at_no_later_tick() -> None:
    """What was kept still shows it open when the next tick audits, before the part is read anew."""
    world = world_in_sync()
    world.put(D1, OPENED)
    assert swept(world) == set()
    world.drain()
    for _ in range(2):
        world.clock.advance(15 * MINUTE)
        assert audit(world) == set()
        world.sweep()
    world.put(D1, OPENED)
    assert swept(world) == set()
    world.jobs.sent.clear()
    world.clock.advance(15 * MINUTE)
    assert audit(world) == {str(CHECKOUT)}, "that was read after the run"


def test_a_reading_and_a_run_of_a_clock_that_is_ahead_prove_nothing() -> None:
    world = world_in_sync()
    world.sweep()
    world.put(D1, OPENED)
    world.clock.advance(timedelta(days=1))
    world.sweep()
    world.clock.advance(timedelta(hours=-2))
    assert audit(world) == {str(CHECKOUT)}
    record = world.state.remembered[CHECKOUT.key]
    world.state.remembered[CHECKOUT.key] = replace(record, settled_at=world.clock.now() + timedelta(days=2))
    assert audit(world) == {str(CHECKOUT)}


def test_undeletable_orphans_take_no_repair_from_the_spec() -> None:
    """Drift that no event reports is repaired by the sweep that finds it, and people hear of what is left over."""
    world = world_in_sync()
    world.budget = Budget(of_spec=5, orphans=2, orphans_of_sweep=3)
    orphans = [RoleTarget(HOME, f"old-{number}") for number in range(6)]
    for orphan in orphans:
        world.put(identity_policy(orphan, "ecr-warden-x"), EVERYTHING)

    def fault(target: Target, change: Change | None) -> None:
        if target in orphans and change is not None:
            raise PermissionMissing("an explicit deny")

    world.documents.faults = fault
    tried: set[Target] = set()
    for _ in range(3):
        world.clock.advance(15 * MINUTE)
        world.put(D1, OPENED)
        asked = world.sweep()
        assert CHECKOUT in asked
        assert len(asked) == 3, "two orphans of the part, and the repository"
        tried.update(asked)
        world.drain()
        assert not world.differing() or world.live(D1) == ACCEPTED.targets[CHECKOUT.key].documents[D1]
    assert tried == {CHECKOUT, *orphans}, "what failed comes last, the oldest first"
    [alert] = [alert for alert in world.alerts.published if isinstance(alert, LeftOver)]
    assert (alert.part, alert.over) == (HOME, 4)
    assert "repairs-left-over" in {trouble.code for trouble in hub_status(world).troubles}


def test_what_a_sweep_leaves_over_counts_as_it_lies_there() -> None:
    world = world_in_sync()
    world.budget = Budget(of_spec=0)
    world.put(D1, OPENED)
    assert swept(world) == set(), "read a moment ago"
    for _ in range(3):
        assert swept(world) == {str(CHECKOUT)}
    world.budget = Budget()
    assert swept(world) == {str(CHECKOUT)}, "no run has begun yet"
    world.drain()
    assert audit(world) == set()


def test_events_that_have_a_part_compared_again_make_nothing_overdue() -> None:
    world = world_in_sync()
    world.put(D1, OPENED)
    for _ in range(5):
        world.clock.advance(timedelta(seconds=2))
        world.sweep()
    assert audit(world) == set()
    assert not [alert for alert in world.alerts.published if isinstance(alert, LeftOver)]
    for _ in range(5):
        world.clock.advance(3 * MINUTE)
        world.sweep()
    assert audit(world) == {str(CHECKOUT)}, "nor do they hide that nothing is done"


def test_a_sweep_that_is_killed_before_it_asks_has_its_share_again() -> None:
    world = world_in_sync()
    world.budget = Budget(orphans_of_sweep=1)
    orphan = RoleTarget(HOME, "old")
    world.put(identity_policy(orphan, "ecr-warden-x"), EVERYTHING)
    cause = Cause(CauseKind.SWEEP, "s-1")
    [part] = [one for one in world.sweeper().sweep(SweepAll(cause)) if one == SweepIdentities(cause, HOME)]
    for _ in range(3):
        assert world.sweeper().sweep(part) == (ReconcileTarget(cause, orphan),)
    again = Cause(CauseKind.SWEEP, "s-2")
    assert world.sweeper().sweep(SweepIdentities(again, HOME)) == (ReconcileTarget(again, orphan),), "two at once"
