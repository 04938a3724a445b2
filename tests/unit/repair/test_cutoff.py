"""Which documents only deny sessions, and which sessions a repair ends."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS
from ecr_warden.core.sessions import Sessions, denial_of, denied_by
from ecr_warden.repair.cutoff import have_expired, is_session_cutoff
from iam_access.document.document import parse_document

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHAPE = {
    "Effect": "Deny",
    "Action": ["*"],
    "Resource": ["*"],
    "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z"}},
}
MORE_CONDITION = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z", "aws:CurrentTime": "2020-01-01"}}


def test_the_document_has_exactly_this_text() -> None:
    assert denial_of(Sessions(NOW)).text == (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],'
        '"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-24T10:00:00Z"}}}]}'
    )


def test_the_document_of_a_period_names_both_ends_in_one_condition() -> None:
    condition = json.loads(denial_of(Sessions(NOW, since=NOW - HOUR)).text)["Statement"][0]["Condition"]
    assert condition == {
        "DateGreaterThanEquals": {"aws:TokenIssueTime": "2026-11-24T09:00:00Z"},
        "DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z"},
    }


def test_the_cut_off_is_written_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert denial_of(Sessions(elsewhere)) == denial_of(Sessions(NOW))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_the_cut_off_is_read_back_to_the_second(at: datetime) -> None:
    assert denied_by(denial_of(Sessions(at.replace(tzinfo=UTC)))) == Sessions(at.replace(tzinfo=UTC, microsecond=0))


@given(*[st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))] * 2)
def test_a_period_is_read_back_to_the_second(since: datetime, before: datetime) -> None:
    whole = [at.replace(tzinfo=UTC, microsecond=0) for at in (since, before)]
    sessions = Sessions(before=before.replace(tzinfo=UTC), since=since.replace(tzinfo=UTC))
    assert denied_by(denial_of(sessions)) == Sessions(before=whole[1], since=whole[0])


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


def _period(since: object, before: object = "2026-11-24T10:00:00Z", start: str = "DateGreaterThanEquals") -> object:
    bounds = {start: {"aws:TokenIssueTime": since}, "DateLessThan": {"aws:TokenIssueTime": before}}
    return SHAPE | {"Condition": bounds}


PERIODS: dict[str, object] = {
    "the shape itself": _period("2026-11-24T09:00:00Z"),
    "lists around the times": _period(["2026-11-24T09:00:00Z"], ["2026-11-24T10:00:00Z"]),
    "milliseconds in one time": _period("2026-11-24T09:00:00.000Z"),
    "another offset in one time": _period("2026-11-24T11:00:00+02:00"),
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
    "a form of time that AWS does not write": _time("20261124T100000Z"),
    "a week for a date": _time("2026-W48-2T10:00:00Z"),
    "only a start": SHAPE | {"Condition": {"DateGreaterThanEquals": {"aws:TokenIssueTime": "2026-11-24T09:00:00Z"}}},
    "a start that is itself spared": _period("2026-11-24T09:00:00Z", start="DateGreaterThan"),
    "a start without an end besides": [_period("2026-11-24T09:00:00Z"), SHAPE],
    "a start that is no time": _period("long ago"),
    "two starts": _period(["2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"]),
    "a start of another key": SHAPE
    | {
        "Condition": {
            "DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-24T09:00:00Z"},
            "DateLessThan": {"aws:TokenIssueTime": "2026-11-24T10:00:00Z"},
        }
    },
    "a time before all time in UTC": _time("0001-01-01T00:00:00+14:00"),
    "a time after all time in UTC": _time("9999-12-31T23:59:59-14:00"),
}


@pytest.mark.parametrize("name", RECOGNIZED)
def test_a_document_of_the_shape_is_recognized(name: str) -> None:
    assert denied_by(parse_document({"Version": "2012-10-17", "Statement": RECOGNIZED[name]})) == Sessions(NOW)


@pytest.mark.parametrize("name", PERIODS)
def test_a_document_with_both_ends_is_recognized(name: str) -> None:
    document = parse_document({"Version": "2012-10-17", "Statement": PERIODS[name]})
    assert denied_by(document) == Sessions(NOW, since=NOW - HOUR)


@pytest.mark.parametrize("name", OTHERS)
def test_a_document_of_another_shape_is_not(name: str) -> None:
    document = parse_document({"Version": "2012-10-17", "Statement": OTHERS[name]})
    assert denied_by(document) is None
    assert not is_session_cutoff(DENY_OLDER_SESSIONS, document, NOW)
    assert not is_session_cutoff(AWS_REVOKE_OLDER_SESSIONS, document, NOW)


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
def test_only_the_two_names_are_cut_offs(name: str, cutoff: datetime, expected: bool) -> None:
    assert is_session_cutoff(name, denial_of(Sessions(cutoff)), NOW) is expected


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
def test_sessions_have_expired_once_none_of_them_can_live(cutoff: datetime, expected: bool) -> None:
    assert have_expired(Sessions(cutoff), NOW) is expected


HALF = HOUR / 2
COVERED = {
    "the same": (Sessions(NOW, NOW - HOUR), True),
    "a part": (Sessions(NOW - HALF, NOW - HALF), True),
    "all older ones": (Sessions(NOW), False),
    "some from earlier": (Sessions(NOW, NOW - HOUR - HALF), False),
    "some from later": (Sessions(NOW + HALF, NOW - HOUR), False),
    "others": (Sessions(NOW - 2 * HOUR, NOW - 3 * HOUR), False),
}


@pytest.mark.parametrize("name", COVERED)
def test_a_period_covers_what_lies_within_both_ends(name: str) -> None:
    other, expected = COVERED[name]
    assert Sessions(NOW, NOW - HOUR).covers(other) is expected
    assert Sessions(NOW + HOUR).covers(other), "all older ones cover every part"


JOINED = {
    "one after the other": (Sessions(NOW + 2 * HOUR, NOW + HOUR), Sessions(NOW + 2 * HOUR, NOW - HOUR)),
    "one within the other": (Sessions(NOW - HALF, NOW - HALF), Sessions(NOW, NOW - HOUR)),
    "one that begins earlier": (Sessions(NOW - HALF, NOW - 2 * HOUR), Sessions(NOW, NOW - 2 * HOUR)),
    "all older ones": (Sessions(NOW - HALF), Sessions(NOW)),
    "nothing": (None, Sessions(NOW, NOW - HOUR)),
}


@pytest.mark.parametrize("name", JOINED)
def test_periods_are_joined_to_one_from_the_earliest_start_to_the_latest_end(name: str) -> None:
    other, expected = JOINED[name]
    assert Sessions(NOW, NOW - HOUR).joined(other) == expected
    assert other is None or other.joined(Sessions(NOW, NOW - HOUR)) == expected


def test_sessions_are_worded_by_their_ends() -> None:
    assert str(Sessions(NOW)) == "issued before 2026-11-24T10:00:00Z"
    assert str(Sessions(NOW, NOW - HOUR)) == "issued between 2026-11-24T09:00:00Z and 2026-11-24T10:00:00Z"
