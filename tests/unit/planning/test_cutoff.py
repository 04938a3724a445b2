"""Which documents only deny older sessions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS
from ecr_warden.planning.cutoff import (
    cutoff_of,
    deny_older_sessions,
    is_session_cutoff,
    is_spent,
)
from ecr_warden.policy.document import parse_document
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SHAPE = {
    "Effect": "Deny",
    "Action": ["*"],
    "Resource": ["*"],
    "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z"}},
}
MORE_CONDITION = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z", "aws:CurrentTime": "2020-01-01"}}


def test_the_document_has_exactly_this_text() -> None:
    assert deny_older_sessions(NOW).text == (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],'
        '"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-24T10:00:00Z"}}}]}'
    )


def test_the_cut_off_is_written_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert deny_older_sessions(elsewhere) == deny_older_sessions(NOW)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_the_cut_off_is_read_back_to_the_second(at: datetime) -> None:
    assert cutoff_of(deny_older_sessions(at.replace(tzinfo=UTC))) == at.replace(tzinfo=UTC, microsecond=0)


def _time(text: object) -> object:
    return SHAPE | {"Condition": {"DateLessThan": {"aws:TokenIssueTime": text}}}


RECOGNIZED: dict[str, object] = {
    "the shape itself": [SHAPE],
    "one statement without brackets": SHAPE,
    "scalars for lists": SHAPE | {"Action": "*", "Resource": "*"},
    "a list around the time": _time(["2026-11-24T10:00:00Z"]),
    "milliseconds, as the console writes": _time("2026-11-24T10:00:00.000Z"),
    "another offset": _time("2026-11-24T12:00:00+02:00"),
    "a Sid": SHAPE | {"Sid": "x"},
}
OTHERS: dict[str, object] = {
    "an Allow of that shape": SHAPE | {"Effect": "Allow"},
    "a second statement": [SHAPE, SHAPE | {"Effect": "Allow"}],
    "fewer actions": SHAPE | {"Action": ["ecr:*"]},
    "all but one action": {"NotAction": "ecr:x"} | {k: v for k, v in SHAPE.items() if k != "Action"},
    "fewer resources": SHAPE | {"Resource": ["arn:aws:ecr:*"]},
    "a principal": SHAPE | {"Principal": "*"},
    "no condition": {k: v for k, v in SHAPE.items() if k != "Condition"},
    "another condition besides": SHAPE | {"Condition": MORE_CONDITION},
    "another operator": SHAPE | {"Condition": {"DateGreaterThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z"}}},
    "a second operator": SHAPE | {"Condition": SHAPE["Condition"] | {"Bool": {"aws:SecureTransport": "false"}}},  # type: ignore[operator]
    "another key": SHAPE | {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-24T10:00:00Z"}}},
    "two times": _time(["2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"]),
    "no time": _time([]),
    "a time without an offset": _time("2026-11-24T10:00:00"),
    "a text that is no time": _time("soon"),
    "a number": _time(1790000000),
    "a time before all time in UTC": _time("0001-01-01T00:00:00+14:00"),
    "a time after all time in UTC": _time("9999-12-31T23:59:59-14:00"),
}


@pytest.mark.parametrize("name", RECOGNIZED)
def test_a_document_of_the_shape_is_recognized(name: str) -> None:
    assert cutoff_of(parse_document({"Version": "2012-10-17", "Statement": RECOGNIZED[name]})) == NOW


@pytest.mark.parametrize("name", OTHERS)
def test_a_document_of_another_shape_is_not(name: str) -> None:
    document = parse_document({"Version": "2012-10-17", "Statement": OTHERS[name]})
    assert cutoff_of(document) is None
    assert not is_session_cutoff(DENY_OLDER_SESSIONS, document, NOW)
    assert not is_session_cutoff(AWS_REVOKE_OLDER_SESSIONS, document, NOW)
    assert not is_spent(document, NOW)


@pytest.mark.parametrize(
    ("name", "cutoff", "expected"),
    [
        (DENY_OLDER_SESSIONS, NOW - timedelta(days=300), True),
        (DENY_OLDER_SESSIONS, NOW, True),
        (DENY_OLDER_SESSIONS, NOW + timedelta(seconds=1), False),
        (DENY_OLDER_SESSIONS, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), False),
        (AWS_REVOKE_OLDER_SESSIONS, NOW - timedelta(days=300), True),
        (AWS_REVOKE_OLDER_SESSIONS, NOW, True),
        (AWS_REVOKE_OLDER_SESSIONS, NOW + timedelta(seconds=1), False),
        ("ecr-warden-push", NOW, False),
        ("AWSRevokeOlderSessions2", NOW, False),
    ],
    ids=[
        "ours from long ago",
        "ours up to the latest time it may have",
        "ours from farther ahead denies all access",
        "ours at the end of time",
        "a responder's from long ago",
        "a responder's up to the latest time it may have",
        "a responder's from farther ahead denies all access",
        "the shape under another name",
        "the shape under a name much like AWS's",
    ],
)
def test_only_the_two_names_carry_a_cut_off(name: str, cutoff: datetime, expected: bool) -> None:
    assert is_session_cutoff(name, deny_older_sessions(cutoff), NOW) is expected


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [
        (NOW - timedelta(hours=12, seconds=1), True),
        (NOW - timedelta(hours=12), False),
        (NOW, False),
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), False),
    ],
    ids=["13 hours", "12 hours to the second", "now", "long ago", "the end of time"],
)
def test_a_cut_off_is_spent_once_no_session_from_before_can_live(cutoff: datetime, expected: bool) -> None:
    assert is_spent(deny_older_sessions(cutoff), NOW) is expected
