"""A hold's ID follows its ground, and its time is bounded whatever the clock does."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from ecr_warden.model.hold import (
    HOLD_LASTS,
    Decision,
    Ground,
    Hold,
    HoldState,
    OfChange,
    OfVersion,
    Publication,
    Verdict,
    objection,
)
from ecr_warden.model.job import Actor

from local.testing.seed import CHECKOUT, PUSHER

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHANGE = OfChange(CHECKOUT, "repository policy", "live", "desired", "v1")
GROUNDS: dict[str, Ground] = {
    "a version": OfVersion("v2", "v1"),
    "another version": OfVersion("v3", "v1"),
    "the version over another one": OfVersion("v2", "v0"),
    "the version as the first": OfVersion("v2"),
    "the two versions swapped": OfVersion("v1", "v2"),
    "a change": CHANGE,
    "the change of another target": replace(CHANGE, target=PUSHER),
    "the change at another address": replace(CHANGE, address="trust policy"),
    "the change of another live document": replace(CHANGE, live="other"),
    "the change to another document": replace(CHANGE, desired=""),
    "the change of another version": replace(CHANGE, version="v2"),
}


def test_whatever_differs_in_the_ground_makes_another_id() -> None:
    ids = {name: ground.id for name, ground in GROUNDS.items()}
    assert len({*ids.values()}) == len(GROUNDS)
    assert {len(one) for one in ids.values()} == {12}
    assert GROUNDS["a version"].id == OfVersion("v2", "v1").id


def session(name: str, role: str = "ops") -> Actor:
    return Actor("AssumedRole", arn=f"arn:aws:sts::111111111111:assumed-role/{role}/{name}", session_name=name)


def user(name: str) -> Actor:
    return Actor("IAMUser", arn=f"arn:aws:iam::111111111111:user/{name}")


# name: who published (None: nobody), who accepts, words of the objection
FOUR_EYES: dict[str, tuple[Actor | None, Actor, str]] = {
    "two users": (user("alice"), user("bob"), ""),
    "the same user": (user("alice"), user("alice"), "alice published it"),
    "two people in one role": (session("alice"), session("bob"), ""),
    "one person in two roles": (session("alice"), session("alice", "dev"), "published it"),
    "nobody known": (None, user("bob"), "nobody has published it"),
}


@pytest.mark.parametrize("case", FOUR_EYES)
def test_who_published_does_not_accept(case: str) -> None:
    by, accepter, words = FOUR_EYES[case]
    found = objection(None if by is None else Publication("v2", "0" * 64, "command-1", by, NOON), accepter)
    assert (found == "") is (words == "")
    assert words in found


HOLD = Hold(CHANGE, "a change", (), NOON, NOON + HOLD_LASTS)
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
