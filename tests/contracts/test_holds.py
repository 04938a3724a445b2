"""What waits for a person: kept once, decided once, settled once, whichever adapter keeps it."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_warden.aws.table import packed
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.judgement import Judgement, WaitCode, WaitReason
from ecr_warden.state.hold import (
    HOLD_LASTS,
    Decision,
    Hold,
    HoldState,
    OfVersion,
    Verdict,
    VerdictRequest,
    decision_to_json,
    hold_to_json,
)
from ecr_warden.state.holds import HoldDecided, Judged
from tests.contracts.hubs import TABLE, Hub, MotoHub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
BOB = replace(ALICE, arn="arn:aws:iam::111111111111:user/bob")
VERSION = Hold(
    OfVersion("v2", "v1", ("b", "a", "n")),
    "version v2 of the spec",
    (WaitReason(WaitCode.REMOVES_MUCH, "it removes 7 of 9 grants"),),
    NOON,
    NOON + HOLD_LASTS,
    loses=("pull-user-1 loses pull from shop/checkout",),
    left_out=(0, 3),
)
FIRST = Hold(
    OfVersion("v1", "", ("", "", "n")),
    "version v1 of the spec",
    (),
    NOON,
    NOON + HOLD_LASTS,
    state=HoldState.JUDGING,
    asked=VerdictRequest(Cause(CauseKind.EVENT, "e1"), NOON, ("111111111111",)),
)
ACCEPT = Decision("command-1", Verdict.ACCEPT, ALICE, NOON + MINUTE)
REJECT = Decision("command-2", Verdict.REJECT, BOB, NOON + MINUTE)


@pytest.mark.parametrize("hold", [VERSION, FIRST], ids=["of a version", "of the first one"])
def test_a_hold_is_found_as_it_was_opened(hub: Hub, hold: Hold) -> None:
    assert (hub.holds.find(hold.id), [*hub.holds.waiting()]) == (None, [])
    hub.holds.open(hold)
    assert (hub.holds.find(hold.id), [*hub.holds.waiting()]) == (hold, [hold])


def test_holds_are_listed_until_they_are_settled(hub: Hub) -> None:
    for hold in (VERSION, FIRST):
        hub.holds.open(hold)
    assert hub.holds.settle(replace(VERSION, state=HoldState.ENDED))
    assert [*hub.holds.waiting()] == [FIRST]
    assert hub.holds.find(VERSION.id) == replace(VERSION, state=HoldState.ENDED)


@pytest.mark.parametrize(("first", "second"), [(ACCEPT, REJECT), (REJECT, ACCEPT)], ids=["accepted", "rejected"])
def test_of_two_decisions_the_first_counts_and_the_second_names_it(hub: Hub, first: Decision, second: Decision) -> None:
    hub.holds.open(VERSION)
    hub.holds.decide(VERSION, first)
    with pytest.raises(HoldDecided, match=rf"was {first.verdict}ed by {first.by.arn.rpartition('/')[2]} at"):
        hub.holds.decide(VERSION, second)
    decided = replace(VERSION, decision=first)
    assert (hub.holds.find(VERSION.id), [*hub.holds.waiting()]) == (decided, [decided])


def test_a_decision_that_is_recorded_twice_is_one(hub: Hub) -> None:
    hub.holds.open(VERSION)
    for _ in range(2):
        hub.holds.decide(VERSION, ACCEPT)
    assert hub.holds.find(VERSION.id) == replace(VERSION, decision=ACCEPT)


def test_a_hold_is_settled_once(hub: Hub) -> None:
    hub.holds.open(FIRST)
    accepted = replace(FIRST, state=HoldState.ACCEPTED, decision=ACCEPT)
    assert hub.holds.settle(accepted)
    assert not hub.holds.settle(replace(FIRST, state=HoldState.ENDED))
    assert hub.holds.find(FIRST.id) == accepted


def test_a_hold_that_was_never_opened_is_not_settled(hub: Hub) -> None:
    assert not hub.holds.settle(replace(FIRST, state=HoldState.ENDED))
    assert hub.holds.find(FIRST.id) is None


def test_a_decision_serves_for_no_later_hold_with_the_same_id(hub: Hub) -> None:
    hub.holds.open(FIRST)
    hub.holds.decide(FIRST, ACCEPT)
    assert hub.holds.settle(replace(FIRST, state=HoldState.ACCEPTED, decision=ACCEPT))
    again = replace(FIRST, since=NOON + 2 * MINUTE)
    hub.holds.open(again)
    assert hub.holds.find(FIRST.id) == again
    assert not hub.holds.settle(replace(FIRST, state=HoldState.ENDED)), "the earlier one waits no more"
    hub.holds.decide(again, REJECT)
    assert hub.holds.find(FIRST.id) == replace(again, decision=REJECT)


def test_however_many_wait_their_decisions_are_read_together(moto_hub: MotoHub) -> None:
    held = [replace(FIRST, ground=OfVersion(f"v{number}", "", ("", "", f"{number}"))) for number in range(9)]
    for hold in held:
        moto_hub.holds.open(hold)
    moto_hub.holds.decide(held[0], ACCEPT)
    calls: list[str] = []
    client = moto_hub.table.client
    client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    waiting = {hold.id: hold.decision for hold in moto_hub.holds.waiting()}
    assert waiting == {hold.id: ACCEPT if hold is held[0] else None for hold in held}
    assert calls == ["Query", "Query"]


def put(hub: MotoHub, pk: str, sk: str, **attributes: Any) -> None:
    hub.client("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": pk}, "sk": {"S": sk}} | attributes)


FORMS: dict[str, tuple[dict[str, Any], Hold | None]] = {
    "of a later schema": (hold_to_json(VERSION) | {"schema": 2}, None),
    "without a schema": ({key: entry for key, entry in hold_to_json(VERSION).items() if key != "schema"}, None),
    "of a kind that is not known": (hold_to_json(VERSION) | {"ground": {"kind": "team", "name": "x"}}, None),
    "with a code that there was before": (
        hold_to_json(VERSION) | {"why": [{"code": "empties", "reason": "it removes 7 of 9 grants"}]},
        VERSION,
    ),
    "with a code that there never was": (hold_to_json(VERSION) | {"why": [{"code": "shrinks", "reason": "r"}]}, None),
    "with a time that is none": (hold_to_json(VERSION) | {"until": "soon"}, None),
}


@pytest.mark.parametrize("case", FORMS)
def test_a_record_of_another_version_is_read_or_counts_as_absent(moto_hub: MotoHub, case: str) -> None:
    form, found = FORMS[case]
    moto_hub.holds.open(FIRST)
    put(moto_hub, "HOLDS", VERSION.id, hold=packed(dumps(form)), state={"S": "waiting"}, since={"S": NOON.isoformat()})
    assert moto_hub.holds.find(VERSION.id) == found
    assert FIRST in moto_hub.holds.waiting(), "one that cannot be read hides no other"


def test_a_decision_that_this_version_cannot_read_accepts_nothing_and_still_counts(moto_hub: MotoHub) -> None:
    moto_hub.holds.open(VERSION)
    form = decision_to_json(ACCEPT) | {"schema": 2}
    put(moto_hub, "DECISIONS", f"{VERSION.id}#{NOON.isoformat()}", decision=packed(dumps(form)))
    assert moto_hub.holds.find(VERSION.id) == VERSION
    with pytest.raises(HoldDecided, match="was decided on before"):
        moto_hub.holds.decide(VERSION, REJECT)


def test_the_last_hold_on_a_version_is_found_by_the_version(hub: Hub) -> None:
    assert hub.holds.last_of("v2") is None
    later = replace(VERSION, ground=replace(VERSION.ground, digests=("b", "other", "n")), since=NOON + MINUTE)
    for hold in (later, VERSION, FIRST):
        hub.holds.open(hold)
    hub.holds.decide(later, REJECT)
    assert hub.holds.last_of("v2") == replace(later, decision=REJECT)


JUDGEMENT = Judgement(
    (WaitReason(WaitCode.TAKES_OVER, "it takes over"),), ("unseen",), taken_over={"repository-policy x": "1"}
)


def test_a_verdict_is_found_on_its_ground_alone_and_not_from_before(hub: Hub) -> None:
    judged = Judged(FIRST.ground, NOON, JUDGEMENT)
    assert hub.verdicts.find(FIRST) is None
    hub.verdicts.keep(judged)
    assert hub.verdicts.find(FIRST) == judged
    assert hub.verdicts.find(VERSION) is None
    assert hub.verdicts.find(replace(FIRST, since=NOON + MINUTE)) is None
    assert hub.verdicts.find(replace(FIRST, ground=replace(FIRST.ground, version="v9"))) is None, "another digest"
    later = replace(judged, at=NOON + MINUTE, judgement=Judgement())
    hub.verdicts.keep(later)
    assert hub.verdicts.find(FIRST) == later


def test_what_was_read_is_noted_by_part_since_the_hold_was_opened(hub: Hub) -> None:
    assert hub.verdicts.notes(FIRST) == {}
    for part, why in (("111111111111", "throttled"), ("111111111111/eu-central-1", ""), ("111111111111", "")):
        hub.verdicts.note(FIRST, part, why)
    assert hub.verdicts.notes(FIRST) == {"111111111111": "", "111111111111/eu-central-1": ""}
    assert hub.verdicts.notes(replace(FIRST, since=NOON + MINUTE)) == {}
    assert hub.verdicts.notes(VERSION) == {}
