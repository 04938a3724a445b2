"""The watcher is watched: what a sweep finds of the wiring is announced once, when it changes, and when it ends."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.collect.watch import NoteHeartbeats
from ecr_warden.collect.wire import WireState
from ecr_warden.collect.wiring import Heartbeat
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing, Throttled
from ecr_warden.core.job import Cause, CauseKind, NoteHeartbeat, SweepAll, SweepIdentities, SweepRepositories
from ecr_warden.core.result import Severity
from ecr_warden.notify.kinds import message_of
from ecr_warden.versions.alerts import SpecRefused
from local.testing.memory import wiring as deployed_as
from local.testing.memory.wiring import TRAIL, MemoryWiring
from local.testing.seed import ACCEPTED, CI, HOME, NOW
from tests.usecases.hub import hub_status
from tests.usecases.test_status import codes
from tests.usecases.uploads import TEXT, first, look, offer
from tests.usecases.world import World, bare_world, world_in_sync

HOUR = timedelta(hours=1)
PLACES = [f"{CI}/us-east-1", f"{HOME}/eu-central-1", f"{HOME}/us-east-1"]


def announced(world: World) -> list[tuple[str, list[tuple[str, WireState]], list[str]]]:
    """What was announced of the wiring since the last look: part, what is wrong, what is on again."""
    found = [alert for alert in world.alerts.published if isinstance(alert, WiringChanged)]
    world.alerts.published.clear()
    return [
        (one.part, [(wire.name, wire.state) for wire in one.broken], [wire.name for wire in one.ended]) for one in found
    ]


def beat(world: World, place: str, at: str = "") -> str:
    account, region = place.split("/")
    job = NoteHeartbeat(Cause(CauseKind.HEARTBEAT, "e", at=at or world.clock.now().isoformat()), account, region)
    return NoteHeartbeats(world.specs, world.watch_records, world.clock).note(job)


def test_an_undisturbed_hub_announces_nothing() -> None:
    world = world_in_sync()
    assert hub_status(world).watched == {}, "before the first sweep nothing was looked at"
    for _ in range(5):
        world.sweep()
        for place in PLACES:
            beat(world, place)
        world.clock.advance(HOUR)
    assert announced(world) == []
    parts = {CI, HOME, f"{HOME}/eu-central-1"}
    assert world.watch_records.noted.keys() == {"hub", *parts}
    assert hub_status(world).watched == dict.fromkeys(parts, world.clock.now() - HOUR)


def test_each_part_is_read_once_a_sweep_and_iams_region_with_its_account() -> None:
    world = world_in_sync()
    world.sweep()
    assert sorted(world.wiring.reads) == sorted(["hub", CI, f"{CI}/us-east-1", HOME, *PLACES[1:]])


def test_a_part_reads_its_own_record_and_never_those_of_all() -> None:
    world = world_in_sync()
    for _ in range(2):
        world.sweep()
    assert (world.watch_records.reads, len(world.metrics.of("SweepsFinished"))) == (0, 2)


CUTS = {
    "the sweep's rule": ("hub", "rule ecr-warden-sweep"),
    "the bucket's notification": ("hub", "notification of s3://spec to EventBridge"),
    "the bus's policy": ("hub", "policy of bus ecr-warden-trail"),
    "the topic of alerts": ("hub", "e-mail subscription of ecr-warden-alerts"),
    "the topic of alarms": ("hub", "e-mail subscription of ecr-warden-alarms"),
    "the queue's mapping": ("hub", "mapping of ecr-warden-jobs to ecr-warden-reconcile"),
    "IAM's forwarding": (CI, f"rule ecr-warden-forward-iam of {CI} in us-east-1"),
    "the write role": (HOME, f"role ecr-warden-write in {HOME}"),
    "the boundary": (HOME, f"policy ecr-warden-boundary in {HOME}"),
    "the member stack": (HOME, f"stack of the member {HOME}"),
    "ECR's forwarding": (f"{HOME}/eu-central-1", f"rule ecr-warden-forward-ecr of {HOME} in eu-central-1"),
    "the events stack": (f"{HOME}/eu-central-1", f"stack of the events of {HOME} in eu-central-1"),
    "the trail": (f"{HOME}/eu-central-1", f"trail of {HOME} in eu-central-1"),
}


@pytest.mark.parametrize("name", CUTS)
def test_what_is_cut_is_announced_once_and_when_it_is_on_again(name: str) -> None:
    part, wire = CUTS[name]
    world = world_in_sync()
    world.wiring.remove(wire)
    world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged)]
    assert message_of([alert]).severity is Severity.CRITICAL
    assert f"the {wire} is missing" in message_of([alert]).title
    assert announced(world) == [(part, [(wire, WireState.MISSING)], [])]
    assert "wiring-cut" in codes(world)
    world.clock.advance(timedelta(minutes=15))
    world.sweep()
    assert announced(world) == []
    [seen] = [one.wire for one in hub_status(world).troubles if one.wire is not None]
    assert (seen.name, seen.state, seen.since) == (wire, WireState.MISSING, NOW)
    world.wiring.restore(wire)
    world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged)]
    assert (message_of([alert]).severity, message_of([alert]).title) == (
        Severity.INFO,
        "in order again: 1 thing that ecr-warden works through",
    )
    assert announced(world) == [(part, [], [wire])]
    assert codes(world) == []


UNCONFIRMED = {"it was never confirmed, or SNS suspended it": ["PendingConfirmation"], "it was deleted": []}


@pytest.mark.parametrize("name", UNCONFIRMED)
@pytest.mark.parametrize("topic", ["ecr-warden-alerts", "ecr-warden-alarms"])
def test_an_e_mail_subscription_that_nobody_confirmed_is_critical_until_somebody_does(topic: str, name: str) -> None:
    world, wire = world_in_sync(), f"e-mail subscription of {topic}"
    world.wiring.edit(wire, subscriptions=UNCONFIRMED[name])
    world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged)]
    message = message_of([alert])
    assert message.severity is Severity.CRITICAL
    assert message.title.startswith(f"the {wire} is not in force, for ")
    assert "aws sns subscribe sends another" in message.fields[2].text
    assert announced(world) == [("hub", [(wire, WireState.UNCONFIRMED)], [])]
    assert codes(world) == ["e-mail-unconfirmed"]
    world.wiring.hide(wire, PermissionMissing("not authorized to perform: sns:ListSubscriptionsByTopic"))
    assert codes(world) == ["wiring-unread"], "what could not be read is never fine"
    world.wiring.restore(wire)
    world.sweep()
    assert announced(world) == [("hub", [], [wire])]
    assert codes(world) == []


def test_what_changes_while_it_lasts_is_announced_again() -> None:
    world, wire = world_in_sync(), f"rule ecr-warden-forward-ecr of {HOME} in eu-central-1"
    part = f"{HOME}/eu-central-1"
    world.wiring.edit(wire, state="DISABLED")
    world.sweep()
    world.wiring.edit(wire, pattern={})
    world.wiring.edit(wire, state="ENABLED", targets=[])
    world.sweep()
    world.wiring.remove(wire)
    world.sweep()
    states = (WireState.DISABLED, WireState.TARGETLESS, WireState.MISSING)
    assert announced(world) == [(part, [(wire, state)], []) for state in states]


def test_what_cannot_be_read_is_unknown_once_and_never_counts_as_on_again() -> None:
    world, wire = world_in_sync(), f"trail of {HOME} in eu-central-1"
    part = f"{HOME}/eu-central-1"
    world.wiring.edit(wire, trails=[])
    world.sweep()
    for request in ("request 1", "request 2"):
        world.wiring.hide(wire, PermissionMissing(request))
        world.sweep()
    assert announced(world) == [(part, [(wire, state)], []) for state in (WireState.MISSING, WireState.UNREADABLE)]
    assert codes(world) == ["wiring-unread"]
    world.wiring.restore(wire)
    world.sweep()
    assert announced(world) == [(part, [], [wire])]


def test_an_organizations_trail_is_no_trouble_and_who_watches_it_is_said_once_in_status() -> None:
    world = world_in_sync()
    wires = [f"trail of {HOME} in eu-central-1", f"trail of {HOME} in us-east-1", f"trail of {CI} in us-east-1"]
    unknown = {name: value for name, value in TRAIL.items() if name != "selectors"} | {"organization": True}
    for wire in wires:
        world.wiring.edit(wire, trails=[unknown])
    world.sweep()
    assert (announced(world), codes(world)) == ([], [])
    [note] = hub_status(world).notes
    assert note.startswith(f"3 regions of members rely on the organization's trail {TRAIL['name']}. It logs")
    world.wiring.edit(wires[0], trails=[unknown | {"logging": False}])
    world.sweep()
    assert announced(world) == [(f"{HOME}/eu-central-1", [(wires[0], WireState.DISABLED)], [])]
    for wire in wires:
        world.wiring.restore(wire)
    world.sweep()
    assert announced(world) == [(f"{HOME}/eu-central-1", [], [wires[0]])]
    assert hub_status(world).notes == ()


@pytest.mark.parametrize("is_cut", [True, False])
def test_what_cannot_be_read_for_a_moment_is_as_it_was(is_cut: bool) -> None:
    world, wire = world_in_sync(), f"trail of {HOME} in eu-central-1"
    if is_cut:
        world.wiring.edit(wire, trails=[])
    world.sweep()
    assert len(announced(world)) == is_cut
    world.wiring.hide(wire, Throttled("slow down", retryable=True))
    world.sweep()
    assert announced(world) == []
    world.wiring.restore(wire)
    world.sweep()
    assert len(announced(world)) == is_cut


def test_a_stack_of_another_version_is_a_warning_that_says_what_is_not_compared() -> None:
    world, wire = world_in_sync(), f"stack of the member {HOME}"
    world.wiring.edit(wire, content="older")
    world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged)]
    message = message_of([alert])
    assert message.severity is Severity.WARNING
    assert "its rules, roles and policies cannot be compared" in message.fields[2].text
    assert codes(world) == ["wiring-outdated"]


def test_events_that_did_not_reach_the_hub_are_a_warning_once_however_many_they_become() -> None:
    world, wire = world_in_sync(), f"queue ecr-warden-forward-dlq of {HOME} in eu-central-1"
    for number in (1, 2):
        world.wiring.edit(wire, messages=number)
        world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged)]
    title = f"the {wire} has 1 event, which did not reach the hub; sweeps make up for them"
    assert (message_of([alert]).severity, message_of([alert]).title) == (Severity.WARNING, title)
    assert codes(world) == ["events-undelivered"]
    assert [one.message for one in hub_status(world).troubles] == [title.replace("1 event", "2 events")]


# What may be written in HOME, which has a repository, or in CI, which has users; whether the version is refused.
WRITES: dict[str, tuple[str, str, bool]] = {
    "nothing, where there is a repository": (HOME, "none", True),
    "nothing, where there are users": (CI, "none", True),
    "no repository, where there is one": (HOME, "identities", True),
    "no repository, where there is none": (CI, "identities", False),
    "all": (HOME, "all", False),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_version_is_refused_that_enforces_what_the_member_stacks_do_not_let_it_write(name: str, mode: str) -> None:
    (account, writes, is_refused), world = WRITES[name], first()
    wire = f"stack of the member {account}"
    parameters = {**deployed_as.OF_MEMBER, "Writes": writes}
    world.wiring.edit(wire, parameters=parameters)
    if writes == "none":
        world.wiring.remove(f"role ecr-warden-write in {account}")
    world.sweep()
    text = TEXT.replace("mode: enforce", f"mode: {mode}") + "# changed\n"
    seen = offer(world, text, "v2")
    assert isinstance(seen, SpecRefused) is (is_refused and mode == "enforce")
    if isinstance(seen, SpecRefused):
        assert (
            f"may not write in {account}, as its member stack says: change writes in ecr-warden.yaml"
            in seen.problems[0]
        )
        assert look(world) is None, "it is refused once"
        world.wiring.restore(wire)
        world.sweep()
        assert not isinstance(look(world), SpecRefused)
        assert world.specs.compiled is not None


class Broken(MemoryWiring):
    """What is read of it crashes the judgement."""

    def hub(self) -> list[object]:  # type: ignore[override]
        return [None]


def test_a_judgement_that_crashes_is_reported_and_fails_no_sweep() -> None:
    world = world_in_sync()
    world.wiring = Broken()
    assert world.sweep() == ()
    assert announced(world) == [("hub", [("wiring of hub", WireState.UNREADABLE)], [])]


def test_an_account_that_cannot_be_entered_stops_no_other_and_is_one_line_whatever_is_in_it() -> None:
    world, name = world_in_sync(), f"account {HOME}"
    seen = (*world.wiring.account(HOME, {}), *world.wiring.region(HOME, "us-east-1"))
    wires = [*(one.name for one in seen), f"trail of {HOME} in eu-central-1"]
    for wire in wires:
        world.wiring.hide(wire, AccountUnreachable("AWS denied sts:AssumeRole"))
    world.wiring.remove(f"trail of {CI} in us-east-1")
    for _ in range(2):
        world.sweep()
    [alert] = [one for one in world.alerts.published if isinstance(one, WiringChanged) and one.part != CI]
    message = message_of([alert])
    assert message.severity is Severity.WARNING
    assert message.title == f"the {name} could not be read: AWS denied sts:AssumeRole"
    assert [part for part, _, _ in announced(world)] == [CI, HOME]
    assert codes(world) == ["wiring-cut", "wiring-unread"]
    for wire in wires:
        world.wiring.restore(wire)
    world.sweep()
    assert announced(world) == [(HOME, [], [name])]


# ---------------------------------------------------------------- heartbeats


def test_two_missing_heartbeats_are_announced_once_and_again_when_one_comes() -> None:
    world = world_in_sync()
    world.sweep()
    for place in PLACES:
        assert beat(world, place) == "noted"
    world.clock.advance(2 * HOUR)
    for place in PLACES[1:]:
        beat(world, place)
    world.sweep()
    assert announced(world) == []
    world.clock.advance(HOUR / 2)
    world.sweep()
    world.sweep()
    assert announced(world) == [("hub", [(f"heartbeat of {PLACES[0]}", WireState.SILENT)], [])]
    assert "heartbeat-missing" in codes(world)
    beat(world, PLACES[0])
    world.sweep()
    assert announced(world) == [("hub", [], [f"heartbeat of {PLACES[0]}"])]


def test_a_region_that_never_sent_one_is_awaited_from_the_first_sweep_on() -> None:
    world = world_in_sync()
    world.sweep()
    world.clock.advance(2 * HOUR)
    world.sweep()
    assert announced(world) == []
    world.clock.advance(HOUR)
    world.sweep()
    [(_, broken, _)] = announced(world)
    assert [name for name, _ in broken] == [f"heartbeat of {place}" for place in PLACES]


def test_doubled_late_and_early_heartbeats_change_nothing() -> None:
    world = world_in_sync()
    place = PLACES[0]
    for sent in (NOW, NOW, NOW - 3 * HOUR):
        beat(world, place, sent.isoformat())
        assert world.watch_records.beats()[place] == Heartbeat(place, NOW)
    # One that is ahead of the clock, or has no time, counts from now.
    for at in ((NOW + 300 * HOUR).isoformat(), "soon", "2026-11-24T10:00:00"):
        beat(world, place, at)
        assert world.watch_records.beats()[place] == Heartbeat(place, NOW)


def test_a_heartbeat_of_the_second_from_which_it_is_awaited_counts() -> None:
    world = world_in_sync()
    place = PLACES[0]
    world.clock.advance(timedelta(milliseconds=900))
    world.sweep()
    beat(world, place, NOW.isoformat())
    assert world.watch_records.beats()[place] == Heartbeat(place, NOW)


def test_heartbeats_of_accounts_and_regions_that_are_not_in_the_spec_are_ignored() -> None:
    world = world_in_sync()
    for place in ("999999999999/us-east-1", f"{HOME}/eu-west-1", f"{CI}/eu-central-1"):
        assert beat(world, place) == "not in the spec"
    world.specs.compiled = None
    assert beat(world, PLACES[0]) == "not in the spec"
    assert world.watch_records.beats() == {}


def test_an_account_that_left_is_not_missed_and_one_that_comes_back_is_awaited_anew() -> None:
    world = world_in_sync()
    world.sweep()
    beat(world, PLACES[0])
    kept = {key: spec for key, spec in ACCEPTED.targets.items() if spec.target.account == HOME}
    world.specs.compiled = replace(ACCEPTED, accounts=(HOME,), targets=kept)
    world.clock.advance(9 * HOUR)
    for place in PLACES[1:]:
        beat(world, place)
    assert beat(world, PLACES[0]) == "not in the spec"
    world.sweep()
    assert announced(world) == []
    world.specs.compiled = ACCEPTED
    world.sweep()
    assert announced(world) == []
    assert world.watch_records.beats()[PLACES[0]].heard is False


# ---------------------------------------------------------------- finished sweeps


def test_a_sweep_of_which_a_part_never_ends_has_not_finished() -> None:
    world = world_in_sync()
    world.sweep()
    sweep = world.sweeper()
    parts = [
        job
        for job in sweep.sweep(SweepAll(Cause(CauseKind.SWEEP, "s-late")))
        if isinstance(job, SweepIdentities | SweepRepositories)
    ]
    for part in parts[1:]:
        sweep.sweep(part)
    for account in (CI, HOME):  # what an event asks for is of no sweep: it neither ends one nor keeps it from ending
        sweep.sweep(SweepIdentities(Cause(CauseKind.EVENT, "e-padded", "iam:PutRolePolicy"), account))
    assert len(world.metrics.of("SweepsFinished")) == 1
    sweep.sweep(parts[0])
    assert len(world.metrics.of("SweepsFinished")) == 2


def test_before_a_spec_is_accepted_the_hub_is_watched_and_each_sweep_finishes() -> None:
    world = bare_world()
    world.specs.compiled = None
    world.wiring.remove("rule ecr-warden-spec")
    world.sweep()
    assert announced(world) == [("hub", [("rule ecr-warden-spec", WireState.MISSING)], [])]
    assert len(world.metrics.of("SweepsFinished")) == 1
