"""The table of a version's states and facts, walked whole (docs/adr/0024-what-waits.md)."""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.judgement import Judgement, WaitCode, WaitReason
from ecr_warden.state.hold import HOLD_LASTS, OPEN, Decision, Hold, HoldState, OfVersion, Verdict
from ecr_warden.state.holds import Judged
from ecr_warden.versions.next_version import ASKED_AGAIN, VersionFacts, VersionPlace, next_version, seen_first
from tests.template.cfn import ROOT

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENCE = timedelta(minutes=15)
UPLOAD = Cause(CauseKind.EVENT, "e1")
GROUND = OfVersion("v2", "v1", ("baseline", "accepted", "new"))
MUCH, UNREAD = WaitReason(WaitCode.REMOVES_MUCH, "much"), WaitReason(WaitCode.NOT_JUDGED, "unread")
OTHER = WaitReason(WaitCode.TAKES_OVER, "other")
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")


def verdict(*held: WaitReason, unread: tuple[str, ...] = ()) -> Judged:
    return Judged(GROUND, NOW, None if unread else Judgement(held), unread)


def decided(what: Verdict, after: timedelta = MINUTE) -> Decision:
    return Decision("command-1", what, ALICE, NOW + after)


ACCEPTED, REJECTED = decided(Verdict.ACCEPT), decided(Verdict.REJECT)
OVER = HOLD_LASTS + MINUTE
SITUATIONS: Mapping[str, tuple[timedelta, Decision | None, Mapping[str, object]]] = {
    # what is so: after which time, what a person decided, and the facts
    "no verdict yet": (MINUTE, None, {}),
    "no verdict for long": (ASKED_AGAIN, None, {}),
    "no verdict in time": (PATIENCE, None, {}),
    "parts are to be read first": (MINUTE, None, {"judged": verdict(unread=("111111111111",))}),
    "the verdict holds nothing": (MINUTE, None, {"judged": verdict()}),
    "the verdict holds it": (MINUTE, None, {"judged": verdict(MUCH)}),
    "it holds it for another reason": (MINUTE, None, {"judged": verdict(OTHER)}),
    "something was not readable": (ASKED_AGAIN, None, {"judged": verdict(UNREAD)}),
    "it only observes": (MINUTE, None, {"is_free": True}),
    "it cannot be judged": (MINUTE, None, {"can_be_judged": False, "unknown": (UNREAD,)}),
    "neither, and observes": (MINUTE, None, {"can_be_judged": False, "unknown": (UNREAD,), "is_free": True}),
    "the time is up": (OVER, None, {"judged": verdict()}),
    "the clock went back": (-HOLD_LASTS, None, {"judged": verdict()}),
    "accepted": (2 * MINUTE, ACCEPTED, {}),
    "accepted, acted on late": (OVER, ACCEPTED, {"judged": verdict(MUCH)}),
    "accepted too late": (OVER, decided(Verdict.ACCEPT, OVER), {"judged": verdict()}),
    "accepted, not to be judged": (2 * MINUTE, ACCEPTED, {"can_be_judged": False, "unknown": (UNREAD,)}),
    "rejected": (2 * MINUTE, REJECTED, {"judged": verdict()}),
    "superseded": (MINUTE, None, {"place": VersionPlace.SUPERSEDED, "instead": "next"}),
    "superseded, accepted": (2 * MINUTE, ACCEPTED, {"place": VersionPlace.SUPERSEDED}),
    "superseded, rejected": (2 * MINUTE, REJECTED, {"place": VersionPlace.SUPERSEDED}),
    "superseded, time is up": (OVER, None, {"place": VersionPlace.SUPERSEDED}),
    "in force": (MINUTE, None, {"place": VersionPlace.IN_FORCE}),
    "in force, accepted": (2 * MINUTE, ACCEPTED, {"place": VersionPlace.IN_FORCE}),
    "in force, rejected late": (2 * MINUTE, REJECTED, {"place": VersionPlace.IN_FORCE}),
}
SEEN = seen_first(GROUND, "a version", UPLOAD, NOW)
STATES: Mapping[str, tuple[Hold, ...]] = {
    "seen": (SEEN,),
    "judging": (replace(SEEN, state=HoldState.JUDGING),),
    "waiting": (replace(SEEN, state=HoldState.WAITING, why=(MUCH,)),),
    "begun": (replace(SEEN, state=HoldState.BEGUN),),
    "begun late": (replace(SEEN, state=HoldState.BEGUN, why=(MUCH,)),),
    "closed": tuple(replace(SEEN, state=state, why=(MUCH,)) for state in (HoldState.REJECTED, HoldState.ENDED)),
    "gone": tuple(
        replace(SEEN, state=state, why=(MUCH,)) for state in (HoldState.VOID, HoldState.JUDGED, HoldState.ACCEPTED)
    ),
}
TABLE = ROOT / "tests" / "cases" / "version_states.txt"
"""For each state and situation the next state and what has to be done; "-" where nothing happens."""
HEAD, *ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.read_text().splitlines()]
CELLS = {
    f"{situation} - {state}": (state, situation, expected)
    for situation, *cells in ROWS
    for state, expected in zip(HEAD[1:], cells, strict=True)
}


def step(hold: Hold, situation: str) -> tuple[Hold, str]:
    after, decision, more = SITUATIONS[situation]
    hold = replace(hold, decision=decision)
    given: dict[str, Any] = {"now": NOW + after, "place": VersionPlace.CANDIDATE, "by": UPLOAD, "patience": PATIENCE}
    following, effects = next_version(hold, VersionFacts(**(given | dict(more))))
    return following, " ".join([following.state, *effects]) if following != hold or effects else "-"


def test_each_state_has_a_row_for_each_situation() -> None:
    assert {case[:2] for case in CELLS.values()} == {(state, situation) for state in STATES for situation in SITUATIONS}
    assert {hold.state for holds in STATES.values() for hold in holds} == {*HoldState}


@pytest.mark.parametrize("case", CELLS)
def test_a_version_goes_on_by_the_table(case: str) -> None:
    state, situation, expected = CELLS[case]
    assert [step(hold, situation)[1] for hold in STATES[state]] == [expected] * len(STATES[state])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_version_takes_effect_that_nobody_freed(state: str, situation: str) -> None:
    """By the facts alone, whatever the table says."""
    _, decision, facts = SITUATIONS[situation]
    judged = facts.get("judged")
    may = isinstance(judged, Judged) and judged.judgement is not None and not judged.judgement.held
    may = facts.get("can_be_judged", True) is True and (may or facts.get("is_free") is True)
    may = may or (decision is not None and decision.verdict is Verdict.ACCEPT)
    for hold in STATES[state]:
        following, effects = step(hold, situation)
        begins = "take-effect" in effects.split()
        assert begins is (following.state is HoldState.BEGUN)
        assert may or not begins
        assert not begins or "place" not in facts


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_people_heard_of_never_ends_in_silence(situation: str) -> None:
    [waiting] = STATES["waiting"]
    following, effects = step(waiting, situation)
    decision = SITUATIONS[situation][1]
    if following.state not in OPEN:
        assert "tell" in effects or (
            decision is not None and following.state in (HoldState.ACCEPTED, HoldState.REJECTED)
        )
