"""When people hear of the ends of grants."""

from datetime import UTC, datetime, timedelta

import pytest

from ecr_warden.core.desired import GrantEnd
from ecr_warden.repair.alerts import EndMoment
from ecr_warden.repair.grant_ends import reached

END = GrantEnd(datetime(2027, 3, 31, 18, tzinfo=UTC), "a")
OTHER = GrantEnd(datetime(2027, 4, 1, 18, tzinfo=UTC), "b")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# The last look and this one, both before the end (negative: after it), and what is heard.
CASES: dict[str, tuple[timedelta, timedelta, list[EndMoment]]] = {
    "more than a week before": (9 * DAY, 8 * DAY, []),
    "a week before, at the minute": (7 * DAY + MINUTE, 7 * DAY, [EndMoment.WEEK]),
    "what was heard is not heard again": (7 * DAY, 7 * DAY - MINUTE, []),
    "between a week and a day": (6 * DAY, 2 * DAY, []),
    "a day before": (DAY + MINUTE, DAY - MINUTE, [EndMoment.DAY]),
    "the end": (MINUTE, timedelta(), [EndMoment.ENDED]),
    "after the end": (-MINUTE, -DAY, []),
    "no look for two weeks: only what is true now": (14 * DAY, timedelta(), [EndMoment.ENDED]),
    "no look from before the week to the last day": (8 * DAY, MINUTE, [EndMoment.DAY]),
    "no time between": (DAY, DAY, []),
}


@pytest.mark.parametrize("name", CASES)
def test_an_end_is_heard_of_at_its_moments_once(name: str) -> None:
    since, now, expected = CASES[name]
    found = reached([END], END.until - since, END.until - now)
    assert [moment for moment, _ in found] == expected
    assert all(ends == (END,) for _, ends in found)


def test_ends_at_the_edges_of_the_calendar_are_not_heard_of() -> None:
    first, last = (GrantEnd(edge.replace(tzinfo=UTC), "c") for edge in (datetime.min, datetime.max))
    assert reached([first, END, last], END.until - MINUTE, END.until) == ((EndMoment.ENDED, (END,)),)


def test_ends_with_the_same_moment_are_heard_of_together() -> None:
    now = END.until + MINUTE
    assert reached([OTHER, END], now - 8 * DAY, now) == ((EndMoment.DAY, (OTHER,)), (EndMoment.ENDED, (END,)))
    assert reached([END, OTHER], END.until - 9 * DAY, OTHER.until - 7 * DAY) == ((EndMoment.WEEK, (END, OTHER)),)
