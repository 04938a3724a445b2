"""A version that waits for a person: nothing is written meanwhile, and exactly what was shown is decided on."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.desired import Removal
from ecr_warden.core.failures import CallerUnauthenticated, CommandRepeated
from ecr_warden.core.job import AcceptSpec, Actor, CauseKind, JudgeVersion
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.result import Result, Severity
from ecr_warden.hub.reply import CommandReply, HeldReply
from ecr_warden.hub.request import AskHeld, AskStatus, request_to_text
from ecr_warden.hub.selecting import NothingAccepted
from ecr_warden.notify.kinds import message_of, severity
from ecr_warden.notify.message import Field
from ecr_warden.state.commands import Accept, BadRequest, Command, Reject, Upload
from ecr_warden.state.history import HistoryKind
from ecr_warden.state.hold import HOLD_LASTS, Hold, HoldState, OfVersion, Verdict
from ecr_warden.state.holds import HoldDecided
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from ecr_warden.versions.holds import HoldOver, NoSuchHold
from iam_access.errors import NamedError
from local.testing.seed import ACCEPTED, CHECKOUT, D1, NOW
from tests.usecases.hub import ALICE, HUB, Callers, ask, commands_of, hub_status
from tests.usecases.uploads import (
    JOB,
    TEXT,
    Seen,
    accept_of,
    codes,
    decide,
    enqueued,
    first,
    judged,
    judges_of,
    look,
    offer,
)
from tests.usecases.world import OPEN, World, bare_world, expect, present, world_in_sync

# Everything is gone but the accounts.
EMPTY = TEXT[: TEXT.index("teams:")] + "settings: {mode: enforce}\n"
NOBODY = EMPTY.replace("enforce", "observe")
FEWER = TEXT.replace(", ci:user/pull-user-2]", "]")
MINUTE = timedelta(minutes=1)


def held(world: World, text: str = EMPTY, version: str = "v2") -> Hold:
    """A version is uploaded that has to wait, and the events are forgotten."""
    opened = expect(HoldOpened, offer(world, text, version))
    world.forget()
    return opened.hold


def give(world: World, command: Command, proof: object = "alice", callers: Callers | None = None) -> CommandReply:
    return commands_of(world, callers).carry_out(request_to_text(command), proof, HUB)


def act(world: World) -> Seen:
    """The job that a decision enqueued is done."""
    [job] = world.jobs.sent
    assert isinstance(job, AcceptSpec)
    world.jobs.sent.clear()
    return accept_of(world).process(job)


def version_of(world: World) -> str:
    return world.specs.compiled.version if world.specs.compiled is not None else ""


def settled(world: World) -> list[tuple[str, HoldState]]:
    return [(one.hold.id, one.hold.state) for one in world.alerts.published if isinstance(one, HoldSettled)]


def test_a_version_that_waits_is_announced_once_and_the_accepted_one_is_enforced() -> None:
    world = first()
    world.drain()
    world.forget()
    opened = expect(HoldOpened, offer(world, EMPTY, "v2"))
    assert look(world) is None
    assert (world.alerts.published, world.jobs.sent, world.writes, version_of(world)) == ([opened], [], [], "v1")
    assert opened.hold.until == NOW + HOLD_LASTS
    kept = [entry for entry in world.log.kept.values() if entry.id == opened.hold.id]
    assert [(entry.kind, entry.text) for entry in kept] == [
        (HistoryKind.HELD, "; ".join((opened.hold.what, *opened.hold.reasons)))
    ]
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert severity(opened) is Severity.WARNING
    assert opened.hold.reasons[0].startswith("it names no repository, role or user")
    assert any("pull-user-1 loses pull from shop/checkout" in one for one in opened.hold.loses)


def test_without_time_to_judge_it_waits() -> None:
    world = first()
    world.specs.file = SpecVersion("v2", FEWER.encode())
    assert accept_of(world).process(JOB) is None
    [asked] = world.jobs.sent
    assert isinstance(asked, JudgeVersion)
    world.jobs.sent.clear()
    judges_of(world, has_time=lambda: False).judge_version(asked)
    opened = expect(HoldOpened, judged(world))
    assert codes(opened.hold) == [WaitCode.NOT_JUDGED]
    assert opened.hold.reasons[-1].startswith("it could not be read or decided")


def test_an_accepted_version_is_enforced_in_the_persons_name() -> None:
    world = first()
    hold = held(world)
    reply = give(world, Accept("command-1", hold.id))
    assert (reply.caller, reply.enqueued, version_of(world)) == (ALICE.arn, True, "v1")
    accepted = expect(SpecAccepted, act(world))
    assert (version_of(world), accepted.cause.actor, accepted.cause.kind) == ("v2", ALICE, CauseKind.CALLER)
    assert Field("Accepted by", ALICE.arn) in message_of([accepted]).fields
    assert enqueued(world)
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.ACCEPTED
    assert settled(world) == [(hold.id, HoldState.ACCEPTED)]
    kinds = [(entry.kind, entry.by) for entry in world.log.kept.values()][-3:]
    assert (HistoryKind.HOLD_ACCEPTED, ALICE) in kinds
    assert (HistoryKind.SPEC_ACCEPTED, ALICE) in kinds
    assert look(world) is None


def test_a_hold_ends_after_seven_days_and_that_is_announced() -> None:
    world = first()
    hold = held(world)
    world.clock.advance(HOLD_LASTS - MINUTE)
    assert (look(world), settled(world)) == (None, [])
    world.clock.advance(MINUTE)
    assert look(world) is None
    [alert] = world.alerts.published
    assert settled(world) == [(hold.id, HoldState.ENDED)]
    assert severity(alert) is Severity.WARNING
    with pytest.raises(HoldOver, match="its time is up"):
        give(world, Accept("command-1", hold.id))
    assert (look(world), version_of(world)) == (None, "v1")


@pytest.mark.parametrize("days", [-300, 300], ids=["back", "ahead"])
def test_a_clock_that_jumps_lets_nothing_take_effect(days: int) -> None:
    world = first()
    hold = held(world)
    world.clock.advance(timedelta(days=days))
    with pytest.raises(HoldOver):
        give(world, Accept("command-1", hold.id))
    assert look(world) is None
    assert (version_of(world), settled(world)) == ("v1", [(hold.id, HoldState.ENDED)])


def test_an_acceptance_in_time_counts_even_if_the_hub_acts_on_it_later() -> None:
    world = first()
    hold = held(world)
    world.clock.advance(HOLD_LASTS - MINUTE)
    give(world, Accept("command-1", hold.id))
    world.clock.advance(HOLD_LASTS)
    act(world)
    assert version_of(world) == "v2"


def test_another_version_makes_the_hold_void_and_names_what_is_held_instead() -> None:
    world = first()
    old = held(world)
    new = held(world, NOBODY, "v3")
    assert old.id != new.id
    now = world.holds.find(old.id)
    assert now is not None and (now.state, now.instead) == (HoldState.VOID, new.id)
    with pytest.raises(HoldOver, match="what it was about has changed") as caught:
        give(world, Accept("command-1", old.id))
    assert new.id in caught.value.remedy
    assert "it names no repository" in caught.value.remedy
    assert (look(world), version_of(world)) == (None, "v1")


def test_an_acceptance_that_another_version_overtakes_lets_nothing_take_effect() -> None:
    world = first()
    old = held(world)
    give(world, Accept("command-1", old.id))
    expect(HoldOpened, offer(world, NOBODY, "v3"))
    assert (act(world), version_of(world)) == (None, "v1")
    assert (old.id, HoldState.VOID) in settled(world)


def test_a_version_that_need_not_wait_takes_effect_and_makes_the_hold_void() -> None:
    world = first()
    hold = held(world)
    assert isinstance(offer(world, TEXT + "# harmless\n", "v3"), SpecAccepted)
    assert settled(world) == [(hold.id, HoldState.VOID)]
    with pytest.raises(HoldOver):
        give(world, Accept("command-1", hold.id))


@pytest.mark.parametrize("text", ["nonsense", TEXT], ids=["refused", "restored"])
def test_a_hold_is_void_once_its_version_is_not_the_current_one(text: str) -> None:
    world = first()
    hold = held(world)
    seen = offer(world, text, "v1" if text == TEXT else "v3")
    assert isinstance(seen, SpecRefused) is (text != TEXT)
    assert settled(world) == [(hold.id, HoldState.VOID)]


def test_a_hold_is_void_once_the_spec_is_deleted() -> None:
    world = first()
    hold = held(world)
    world.specs.file = None
    assert isinstance(look(world), SpecRefused)
    assert settled(world) == [(hold.id, HoldState.VOID)]


def test_of_two_who_accept_at_once_one_wins_and_the_other_gets_its_name() -> None:
    world = first()
    hold = held(world)
    seen_by_bob = present(world.holds.find(hold.id))

    class Slow:
        """Bob's process read the hold before Alice decided."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.holds, name)

        def find(self, _: str) -> Hold | None:
            return seen_by_bob

    give(world, Accept("command-1", hold.id))
    bobs = replace(commands_of(world), holds=Slow())  # type: ignore[arg-type]
    with pytest.raises(HoldDecided, match="was accepted by alice"):
        bobs.carry_out(request_to_text(Reject("command-2", hold.id)), "alice", HUB)
    assert settled(world) == [(hold.id, HoldState.ACCEPTED)], "what the other gave is not announced"
    act(world)
    assert version_of(world) == "v2"


def test_an_acceptance_by_a_person_starts_the_count_of_removals_anew() -> None:
    world = first()
    world.max_removed = 1
    without_one = TEXT.replace(", ci:user/pull-user-2]", "]")
    assert isinstance(offer(world, without_one, "v2"), SpecAccepted)
    assert world.specs.compiled is not None and world.specs.compiled.removals == (Removal(NOW, 1),)
    without_two = without_one.replace("pull: [deployers]", "pull: []")
    decide(world, held(world, without_two, "v3"), Verdict.ACCEPT)
    now = world.specs.accepted()
    assert now is not None and (now.version, now.removals) == ("v3", ())


BOB = replace(ALICE, arn="arn:aws:iam::111111111111:user/bob")


def publish(world: World, by: Actor) -> None:
    request = request_to_text(Upload(f"command-{by.arn[-3:]}", "v2"))
    replace(commands_of(world), callers=Proves(by)).carry_out(request, "proof", HUB)


class Proves:
    """Callers who are all one person."""

    def __init__(self, by: Actor) -> None:
        self._by = by

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        return self._by


def test_whoever_uploaded_a_version_is_recorded_and_may_accept_it() -> None:
    world = first()
    hold = held(world)
    publish(world, ALICE)
    publish(world, BOB)
    assert {entry.by for entry in world.log.kept.values() if entry.kind is HistoryKind.PUBLISHED} == {ALICE, BOB}
    give(world, Accept("command-1", hold.id))
    act(world)
    assert version_of(world) == "v2"


def test_a_job_that_claims_somebodys_acceptance_carries_none() -> None:
    world = first()
    held(world)
    forged = AcceptSpec(replace(JOB.cause, kind=CauseKind.CALLER, action="accept", id="command-9", actor=ALICE))
    assert accept_of(world).process(forged) is None
    assert version_of(world) == "v1"


def _waiting(world: World) -> str:
    return held(world).id


def _never(world: World) -> str:
    held(world)
    return "0" * 12


def _nothing(_: World) -> str:
    return "0" * 12


def _again(world: World) -> str:
    hold_id = held(world).id
    give(world, Accept("command-0", hold_id))
    return hold_id


# name: what is held, the command's text (ID is replaced) or None for an acceptance, the proof, the error
REFUSED: dict[str, tuple[object, str | None, object, type[NamedError]]] = {
    "without proof": (_waiting, None, None, CallerUnauthenticated),
    "with a forged caller": (_waiting, None, "mallory", CallerUnauthenticated),
    "with a body that names somebody else": (
        _waiting,
        '{"schema":1,"action":"accept","id":"command-1","hold":"ID","by":{"type":"IAMUser","arn":"bob"}}',
        "mallory",
        CallerUnauthenticated,
    ),
    "of what was never held": (_never, None, "alice", NoSuchHold),
    "where nothing is held": (_nothing, None, "alice", NoSuchHold),
    "of what was decided": (_again, None, "alice", HoldDecided),
    "without an ID": (_waiting, '{"schema":1,"action":"accept","id":"command-1"}', "alice", BadRequest),
    "of a key of its own": (
        _waiting,
        '{"schema":1,"action":"accept","id":"command-1","hold":"../SPEC"}',
        "alice",
        BadRequest,
    ),
    "of a number": (
        _waiting,
        '{"schema":1,"action":"reject","id":"command-1","hold":123456789012}',
        "alice",
        BadRequest,
    ),
    "of many": (_waiting, '{"schema":1,"action":"accept","id":"command-1","hold":["ID"]}', "alice", BadRequest),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_decision_decides_nothing(case: str) -> None:
    holds, text, proof, error = REFUSED[case]
    assert callable(holds)
    world = first()
    hold_id = holds(world)
    world.forget()
    audit = dict(world.log.kept)
    request = request_to_text(Accept("command-1", hold_id)) if text is None else text.replace("ID", hold_id)
    with pytest.raises(error) as caught:
        commands_of(world).carry_out(request, proof, HUB)
    assert caught.value.message
    assert (world.jobs.sent, world.alerts.published, world.log.kept) == ([], [], audit)
    assert "command-1" not in world.command_records.taken


def test_a_command_that_is_repeated_decides_nothing_more() -> None:
    world = first()
    hold = held(world)
    give(world, Accept("command-1", hold.id))
    act(world)
    other = held(world, EMPTY.replace('  ci: {id: "111111111111"}\n', ""), "v3")
    with pytest.raises(CommandRepeated):
        give(world, Accept("command-1", other.id))
    now = world.holds.find(other.id)
    assert now is not None and now.decision is None


def test_a_long_list_is_cut_and_counted() -> None:
    world = world_in_sync()
    lines = tuple(f"user {number} loses pull" for number in range(90))
    why = (WaitReason(WaitCode.REMOVES_MUCH, "it removes much"),)
    ground = OfVersion("v2", ACCEPTED.version, ("", "", ""))
    many = Hold(ground, "a version", why, NOW, NOW + HOLD_LASTS, loses=lines)
    world.holds.open(many)
    reply = expect(HeldReply, ask(world, AskHeld()))
    [one] = reply.holds
    assert (len(one.loses) + one.left_out[1], one.left_out[0]) == (90, 0)
    assert one.left_out[1] > 0
    assert ask(world, AskHeld(many.id)) == HeldReply((many,))


def troubles(world: World) -> dict[str, str]:
    reply = hub_status(world)
    return {trouble.code: str(trouble) for trouble in reply.troubles}


def test_status_shows_what_waits_and_what_was_rejected() -> None:
    world = first()
    hold = held(world)
    assert "waits for a person until 2026-12-01T10:00:00Z: it names no repository" in troubles(world)["held"]
    assert hold.id in troubles(world)["held"]
    assert "spec-pending" not in troubles(world)
    give(world, Reject("command-1", hold.id))
    assert "was rejected by alice" in troubles(world)["held"]
    act(world)
    assert "held" not in troubles(world)
    assert "version v2 of the spec was rejected by alice" in troubles(world)["spec-not-accepted"]


def test_status_before_anything_is_accepted_names_the_hold() -> None:
    world = bare_world()
    world.specs.compiled = world.specs.base = None
    hold = held(world, TEXT, "v1")
    with pytest.raises(NothingAccepted, match=hold.id):
        ask(world, AskStatus())


def test_what_waits_after_an_upgrade_that_cannot_read_the_accepted_version_can_be_accepted() -> None:
    world = first()
    world.specs.outdated = True
    hold = held(world, TEXT, "v2")
    give(world, Accept("command-1", hold.id))
    assert isinstance(act(world), SpecAccepted)
    assert version_of(world) == "v2"


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_any_version_waits_behind_one_that_cannot_be_read_though_it_changes_nothing_in_the_accounts(mode: str) -> None:
    world = world_in_sync()
    world.specs.outdated = True
    hold = held(world, TEXT.replace("mode: enforce", f"mode: {mode}"), "v2")
    assert codes(hold) == [WaitCode.NOT_JUDGED]
    assert hold.reasons[0].startswith("what the accepted version says cannot be known any more")


def test_a_version_that_is_the_current_one_again_waits_again_unless_it_was_rejected() -> None:
    world = first()
    hold = held(world)
    upload_of_v2 = world.specs.file
    assert isinstance(offer(world, "not a spec", "v3"), SpecRefused)
    assert settled(world) == [(hold.id, HoldState.VOID)]
    world.specs.file = upload_of_v2
    world.clock.advance(MINUTE)
    again = expect(HoldOpened, look(world))
    assert (again.hold.id, again.hold.since) == (hold.id, NOW + MINUTE)
    give(world, Reject("command-1", hold.id))
    world.jobs.sent.clear()
    assert isinstance(offer(world, "not a spec", "v4"), SpecRefused)
    world.specs.file = upload_of_v2
    assert look(world) is None
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.REJECTED
