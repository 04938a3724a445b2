"""Times as people type them, on Tuesday 24 November 2026 at 10:00 UTC."""

from argparse import ArgumentTypeError

import pytest

from ecr_warden_cli.terminal.dates import coming, past, past_end
from iam_access.text.printable import show_time
from local.testing.seed import NOW, SPEC_FILE
from tests.cli.test_hub import over
from tests.usecases.world import world_in_sync

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


PAUSE, GRANT = "pause all --reason x", f"grant pull shop/checkout {SPEC_FILE} --to ci:user/anna --dry-run"
# Wherever a duration or a number of seconds is read: the command up to it, and what is said of one that is none.
READ = {
    f"{PAUSE} --for": "argument --for: {} is not a duration up to 7d, such as 30m or 2h; see ecr-warden pause --help",
    f"{PAUSE} --until": "argument --until: {} is not a time: write 2h, 7d, 2026-11-27 or",
    f"{GRANT} --until": "argument --until: {} is not a time: write 2h, 7d, 2026-11-27 or",
    "history --since": "argument --since: {} is not a time: write 2h, 7d, 2026-11-27 or",
    "history --until": "argument --until: {} is not a time: write 2h, 7d, 2026-11-27 or",
    "reconcile --wait": "argument --wait: {} is not a number from 0 to 86400; see ecr-warden reconcile --help",
}
NONE = (
    *("-1h", "-1", "-0.5h", "-99999999999h", "0h", "0d", "00s", "10000y", "1y", "1000000d", "1.5h", "1 h", "1H", "+2h"),
    *("1h30m", "h", "", "soon", "today", "\uff11h", "in -2h", "-2h ago", "9" * 10_000 + "h"),
)


@pytest.mark.parametrize("text", NONE, ids=lambda text: str(text)[:20])
@pytest.mark.parametrize("line", READ)
def test_what_is_no_duration_is_refused_where_one_is_read(line: str, text: str) -> None:
    *before, option = line.split()
    for argv in ([*before, option, text], [*before, f"{option}={text}"]):
        ran = over(world_in_sync())(*argv)
        assert (ran.code, ran.out) == (1, "")
        (said,) = ran.err.splitlines()
        assert said.startswith(f"ecr-warden: {READ[line].format(f'{text!a:.40}')}")


# Of the longest that can be typed: the command up to it, its exit code, and words of the answer.
LONGEST = {
    f"{PAUSE} --for": (1, "is not a duration up to 7d"),
    f"{PAUSE} --until": (1, "a pause lasts at most 7 days; pause for less"),
    f"{GRANT} --until": (2, 'until: "9999-12-31T23:59:59Z"'),
    "history --since": (0, "spec accepted"),
    "history --until": (0, "nothing is kept of the time before"),
}


@pytest.mark.parametrize("line", LONGEST)
def test_the_longest_duration_stays_within_the_calendar(line: str) -> None:
    code, words = LONGEST[line]
    ran = over(world_in_sync())(*line.split(), "999999w")
    assert (ran.code, words in ran.out + ran.err) == (code, True)


@pytest.mark.parametrize("end", ["2026-11-24", "2026-11-25", "9999-12-31", "2030-01-01T00:00:00+14:00"])
def test_of_what_ends_in_the_future_history_lists_what_has_happened(end: str) -> None:
    ran = over(world_in_sync())("history", "--until", end)
    assert (ran.code, ran.out) == (0, over(world_in_sync())("history").out)
