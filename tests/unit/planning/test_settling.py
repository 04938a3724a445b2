"""Unique ids in the place of ARNs, and what only looks like it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from ecr_warden.planning.settling import is_settling
from ecr_warden.policy.document import Document, parse_document

from tests.unit.planning.seed import ANNA, CI, D2, NOW, allow, deny, document, present, unparseable

BERT = f"arn:aws:iam::{CI}:user/b"
NODE = f"arn:aws:iam::{CI}:role/eks/node"
ROOT = f"arn:aws:iam::{CI}:root"
ID_A, ID_B, ID_R = "AIDAQWERTYUIOPASDFGHJ", "AIDAZXCVBNMLKJHGFDSAQ", "AROAQWERTYUIOPASDFGHJ"
LATER = {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}


def trust(*who: str, **more: Any) -> dict[str, Any]:
    return allow("sts:AssumeRole", who="x", **more) | {"Principal": {"AWS": list(who)}}


def settling(wanted: Document, live: Document, seconds: int | None = 5) -> bool:
    written = None if seconds is None else NOW - timedelta(seconds=seconds)
    return is_settling(D2, wanted, present(D2, live), written, NOW)


SETTLING = {
    "a user": ([trust(ANNA)], [trust(ID_A)]),
    "a role": ([trust(NODE)], [trust(ID_R)]),
    "one of two": ([trust(ANNA, BERT)], [trust(ID_A, BERT)]),
    "both, in any order": ([trust(ANNA, NODE)], [trust(ID_R, ID_A)]),
    "beside the account": ([trust(ANNA, ROOT)], [trust(CI, ID_A)]),
    "a user in two statements": (
        [trust(ANNA, BERT), deny("sts:AssumeRole", who=ANNA, Condition=LATER)],
        [deny("sts:AssumeRole", who=ID_B, Condition=LATER), trust(ID_A, ID_B)],
    ),
    "each user with an end of its own": (
        [trust(ANNA), trust(BERT, Condition=LATER)],
        [trust(ID_A, Condition=LATER), trust(ID_B)],
    ),
    "and the other way round": (
        [trust(ANNA), trust(BERT, Condition=LATER)],
        [trust(ID_B, Condition=LATER), trust(ID_A)],
    ),
    "a scalar for a list": ([trust(ANNA)], [allow("sts:AssumeRole", who=ID_A)]),
}
DRIFT = {
    "nothing differs": ([trust(ANNA)], [trust(ANNA)]),
    "another user": ([trust(ANNA)], [trust(BERT)]),
    "an id too many": ([trust(ANNA)], [trust(ID_A, ID_B)]),
    "an id beside all that are wanted": ([trust(ANNA)], [trust(ANNA, ID_A)]),
    "an id too few": ([trust(ANNA, BERT)], [trust(ID_A)]),
    "an id in the place of an account": ([trust(ROOT)], [trust(ID_A)]),
    "another action too": ([trust(ANNA)], [allow("sts:*", who=ID_A)]),
    "another user too": ([trust(ANNA, BERT)], [trust(ID_A, NODE)]),
    "an id in a statement more": ([trust(ANNA), trust(BERT, Condition=LATER)], [trust(ID_A, ID_B), trust(ID_B)]),
    "a Deny that is gone": ([trust(ANNA), deny("sts:AssumeRole", who=ANNA)], [trust(ID_A)]),
    "a Deny for an Allow": ([trust(ANNA)], [deny("sts:AssumeRole", who=ID_A)]),
    "a key": ([trust(ANNA)], [trust("AKIAQWERTYUIOPASDFGHJ")]),
    "a service": (
        [trust(ANNA)],
        [trust(ANNA) | {"Principal": {"Service": ID_A}}],
    ),
}


def documents(pair: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> tuple[Document, Document]:
    return document(*pair[0]), document(*pair[1])


@pytest.mark.parametrize("name", SETTLING)
def test_as_many_ids_as_arns_and_nothing_else_settle(name: str) -> None:
    wanted, live = documents(SETTLING[name])
    assert settling(wanted, live)
    assert not settling(live, wanted)


@pytest.mark.parametrize("name", DRIFT)
def test_any_other_difference_is_drift(name: str) -> None:
    wanted, live = documents(DRIFT[name])
    assert not settling(wanted, live)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (120, True), (121, False), (None, False)])
def test_it_settles_within_two_minutes_of_a_write(seconds: int | None, expected: bool) -> None:
    assert settling(*documents(SETTLING["a user"]), seconds) is expected


def test_what_is_not_understood_does_not_settle() -> None:
    assert not is_settling(D2, document(trust(ANNA)), unparseable(), NOW, NOW)


def test_one_statement_without_brackets_settles_too() -> None:
    live = parse_document({"Version": "2012-10-17", "Statement": trust(ID_A)})
    assert isinstance(json.loads(live.text)["Statement"], dict)
    assert settling(document(trust(ANNA)), live)
