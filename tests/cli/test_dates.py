"""Times as people type them, on Tuesday 24 November 2026 at 10:00 UTC."""

from argparse import ArgumentTypeError

import pytest

from ecr_warden_cli.terminal.dates import coming, past, past_end
from iam_access.text.printable import show_time
from local.testing.seed import NOW

# what is typed: where it lies in the past, and to come
TYPED = {
    "90s": ("2026-11-24T09:58:30Z", "2026-11-24T10:01:30Z"),
    "2h": ("2026-11-24T08:00:00Z", "2026-11-24T12:00:00Z"),
    "7d": ("2026-11-17T10:00:00Z", "2026-12-01T10:00:00Z"),
    "1w": ("2026-11-17T10:00:00Z", "2026-12-01T10:00:00Z"),
    "2026-11-27": ("2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"),
    "9999-12-31": ("9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"),
    "2026-11-27T18:00:00+01:00": ("2026-11-27T17:00:00Z", "2026-11-27T17:00:00Z"),
}


@pytest.mark.parametrize("text", TYPED)
def test_a_time_is_where_people_mean_it(text: str) -> None:
    assert (show_time(past(text)(NOW)), show_time(coming(text)(NOW))) == TYPED[text]


@pytest.mark.parametrize(
    "text", ["", "2x", "0h", "friday", "yesterday", "20261127", "2026-W48-5", "2026-11-27T18:00:00", "١d"]
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        past(text)


def test_a_day_that_something_ended_on_is_through_its_end() -> None:
    assert show_time(past_end("2026-11-20")(NOW)) == "2026-11-21T00:00:00Z"
    assert past_end("2h")(NOW) == past("2h")(NOW)


def test_a_length_may_be_typed_as_the_help_says_it() -> None:
    assert past("2h ago")(NOW) == past("2h")(NOW)
    assert coming("in 7d")(NOW) == coming("7d")(NOW)
    for wrong, text in ((past, "in 2h"), (coming, "2h ago")):
        with pytest.raises(ArgumentTypeError):
            wrong(text)
