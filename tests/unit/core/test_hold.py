"""A hold's ID follows its ground, and its time is bounded whatever the clock does."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecr_warden.core.job import Actor
from ecr_warden.state.hold import HOLD_LASTS, Decision, Hold, HoldState, OfVersion, Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GROUND = OfVersion("v2", "v1", ("of v0", "of v1", "of v2"))
# name: a ground, and whether it has the ID of GROUND
GROUNDS: dict[str, tuple[OfVersion, bool]] = {
    "the same": (OfVersion("v2", "v1", ("of v0", "of v1", "of v2")), True),
    "of another new version": (replace(GROUND, digests=("of v0", "of v1", "of v3")), False),
    "over another accepted one": (replace(GROUND, digests=("of v0", "of v0", "of v2")), False),
    "by another baseline": (replace(GROUND, digests=("of v1", "of v1", "of v2")), False),
    "without a baseline": (replace(GROUND, digests=("", "of v1", "of v2")), False),
    "with two swapped": (replace(GROUND, digests=("of v0", "of v2", "of v1")), False),
}


@pytest.mark.parametrize("case", GROUNDS)
def test_whatever_differs_in_the_digests_makes_another_id(case: str) -> None:
    ground, is_same = GROUNDS[case]
    assert (ground.id == GROUND.id, len(ground.id)) == (is_same, 12)


AGAIN = replace(GROUND, accepted="v2")
# name: a ground, the digests of what is accepted and of the baseline, and whether it still fits
FITS: dict[str, tuple[OfVersion, str, str, bool]] = {
    "as it was": (GROUND, "of v1", "of v0", True),
    "another one was accepted": (GROUND, "of v2", "of v0", False),
    "another baseline": (GROUND, "of v1", "of v1", False),
    "in force, and to take over again": (AGAIN, "of v2", "of v0", True),
    "no longer in force": (AGAIN, "of v1", "of v0", False),
}


@pytest.mark.parametrize("case", FITS)
def test_it_fits_until_what_is_accepted_or_the_baseline_moves(case: str) -> None:
    ground, accepted, baseline, fits = FITS[case]
    assert ground.fits(accepted, baseline) is fits


HOLD = Hold(GROUND, "a version", (), NOON, NOON + HOLD_LASTS)
ACCEPT = Decision("command-1", Verdict.ACCEPT, Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice"), NOON)
TIMES: dict[str, tuple[datetime, HoldState, bool]] = {
    "at once": (NOON, HoldState.WAITING, True),
    "a moment before the end": (NOON + HOLD_LASTS - MINUTE, HoldState.WAITING, True),
    "at the end": (NOON + HOLD_LASTS, HoldState.WAITING, False),
    "by a clock that is a little late": (NOON - 4 * MINUTE, HoldState.WAITING, True),
    "by a clock that jumped back by a month": (NOON - timedelta(days=30), HoldState.WAITING, False),
    "by a clock that jumped ahead by a month": (NOON + timedelta(days=30), HoldState.WAITING, False),
    "after it was carried out": (NOON, HoldState.ACCEPTED, False),
    "while it is judged": (NOON, HoldState.JUDGING, True),
    "once it took effect by itself": (NOON, HoldState.JUDGED, False),
    "after it was rejected": (NOON, HoldState.REJECTED, False),
    "once its ground moved": (NOON, HoldState.VOID, False),
    "once it ended": (NOON, HoldState.ENDED, False),
}


@pytest.mark.parametrize("case", TIMES)
def test_it_can_be_decided_while_it_waits(case: str) -> None:
    now, state, is_open = TIMES[case]
    hold = replace(HOLD, state=state)
    assert hold.is_open(now) is is_open


ACCEPTED: dict[str, tuple[HoldState, Decision | None, bool]] = {
    "by nobody": (HoldState.WAITING, None, False),
    "by a person": (HoldState.WAITING, ACCEPT, True),
    "by a person before it was judged": (HoldState.JUDGING, ACCEPT, True),
    "rejected": (HoldState.WAITING, replace(ACCEPT, verdict=Verdict.REJECT), False),
    "in the last moment": (HoldState.WAITING, replace(ACCEPT, at=NOON + HOLD_LASTS - MINUTE), True),
    "too late": (HoldState.WAITING, replace(ACCEPT, at=NOON + HOLD_LASTS), False),
    "and carried out": (HoldState.ACCEPTED, ACCEPT, False),
    "and its ground has moved": (HoldState.VOID, ACCEPT, False),
    "after it ended": (HoldState.ENDED, ACCEPT, False),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_acceptance_in_time_serves_once(case: str) -> None:
    state, decision, is_accepted = ACCEPTED[case]
    assert replace(HOLD, state=state, decision=decision).is_accepted is is_accepted
