"""Which documents only deny sessions, and which sessions a repair ends."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS
from ecr_warden.core.sessions import Sessions, denial_of, denied_by
from ecr_warden.repair.cutoff import have_expired, is_session_cutoff
from iam_access.document.document import Document, parse_document
from tests.tables import load

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


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


TABLES: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/cutoffs.yaml").read_text())


def statements(table: str, name: str) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": TABLES[table][name]})


@pytest.mark.parametrize("name", TABLES["all older ones"])
def test_a_document_of_the_shape_is_recognized(name: str) -> None:
    assert denied_by(statements("all older ones", name)) == Sessions(NOW)


@pytest.mark.parametrize("name", TABLES["a period"])
def test_a_document_with_both_ends_is_recognized(name: str) -> None:
    assert denied_by(statements("a period", name)) == Sessions(NOW, since=NOW - HOUR)


@pytest.mark.parametrize("name", TABLES["another shape"])
def test_a_document_of_another_shape_is_not(name: str) -> None:
    document = statements("another shape", name)
    assert denied_by(document) is None
    assert not is_session_cutoff(DENY_OLDER_SESSIONS, document, NOW)
    assert not is_session_cutoff(AWS_REVOKE_OLDER_SESSIONS, document, NOW)


NAMES = {
    "ours from long ago": (DENY_OLDER_SESSIONS, NOW - timedelta(days=300), True),
    "ours up to the latest time it may have": (DENY_OLDER_SESSIONS, NOW, True),
    "ours from farther ahead denies all access": (DENY_OLDER_SESSIONS, NOW + timedelta(seconds=1), False),
    "ours at the end of time": (DENY_OLDER_SESSIONS, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), False),
    "a responder's from long ago": (AWS_REVOKE_OLDER_SESSIONS, NOW - timedelta(days=300), True),
    "a responder's up to the latest time it may have": (AWS_REVOKE_OLDER_SESSIONS, NOW, True),
    "a responder's from ahead denies all access": (
        AWS_REVOKE_OLDER_SESSIONS,
        NOW + timedelta(seconds=1),
        False,
    ),
    "the shape under another name": ("ecr-warden-push", NOW, False),
    "the shape under a name much like AWS's": ("AWSRevokeOlderSessions2", NOW, False),
}


@pytest.mark.parametrize(("name", "cutoff", "expected"), NAMES.values(), ids=NAMES)
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
