"""A hold's ID follows its ground, and its time is bounded whatever the clock does."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from ecr_warden.model.hold import (
    HOLD_LASTS,
    Decision,
    Hold,
    HoldState,
    OfVersion,
    Verdict,
)
from ecr_warden.model.job import Actor

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GROUNDS: dict[str, OfVersion] = {
    "a version": OfVersion("v2", "v1"),
    "another version": OfVersion("v3", "v1"),
    "the version over another one": OfVersion("v2", "v0"),
    "the version as the first": OfVersion("v2"),
    "the two versions swapped": OfVersion("v1", "v2"),
}


def test_whatever_differs_in_the_ground_makes_another_id() -> None:
    ids = {name: ground.id for name, ground in GROUNDS.items()}
    assert len({*ids.values()}) == len(GROUNDS)
    assert {len(one) for one in ids.values()} == {12}
    assert GROUNDS["a version"].id == OfVersion("v2", "v1").id


HOLD = Hold(OfVersion("v2", "v1"), "a version", (), NOON, NOON + HOLD_LASTS)
ACCEPT = Decision("command-1", Verdict.ACCEPT, Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice"), NOON)
TIMES: dict[str, tuple[datetime, HoldState, bool]] = {
    "at once": (NOON, HoldState.WAITING, True),
    "a moment before the end": (NOON + HOLD_LASTS - MINUTE, HoldState.WAITING, True),
    "at the end": (NOON + HOLD_LASTS, HoldState.WAITING, False),
    "by a clock that is a little late": (NOON - 4 * MINUTE, HoldState.WAITING, True),
    "by a clock that jumped back by a month": (NOON - timedelta(days=30), HoldState.WAITING, False),
    "by a clock that jumped ahead by a month": (NOON + timedelta(days=30), HoldState.WAITING, False),
    "after it was carried out": (NOON, HoldState.ACCEPTED, False),
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
