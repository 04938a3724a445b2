"""Messages in chat and e-mail: what is not shown is counted from the whole."""

import re
from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Finding, FindingGroup, FindingKind
from ecr_warden.collect.alerts import Unlisted
from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Cause
from ecr_warden.core.listing import Entry, Listing
from ecr_warden.core.result import Result
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.layout import LINES, lay_out
from ecr_warden.notify.shorter import shorter
from ecr_warden.repair.alerts import EndMoment, GrantsEnd, PauseEnded, RunEnded, TargetsPaused, TargetsResumed
from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from iam_access.text.printable import first, plural
from local.testing.holds import ground, reasons
from tests.unit.notify.reports import (
    EVENT,
    NOW,
    REPOSITORY,
    SPEC,
    SWEEP,
    pulls,
    report,
    repository_drift,
)

SIZES = st.integers(0, 3) | st.integers(30, 50) | st.integers(0, 400)
_MORE = re.compile(r" *and (\d+) more ((?:ended )?\w+)(?: of access)?")


def _counted(lines: list[str], shown: str, noun: str) -> int:
    """How many entries the lines account for: those shown and those counted as left out."""
    left_out = [
        int(match.group(1)) for match in map(_MORE.fullmatch, lines) if match and match.group(2) in (noun, plural(noun))
    ]
    assert len(left_out) <= 1
    return sum(line.strip().startswith(shown) for line in lines) + sum(left_out)


def _names(kind: str, number: int) -> tuple[str, ...]:
    return tuple(f"<{kind}-{index}>" for index in range(number))


def _everywhere(alerts: list[Alert]) -> list[list[str]]:
    """The lines of the message, of the chat and of the mail, without the title: it may name what is first in a list."""
    message = message_of(alerts)
    chat = str(to_slack(message)["text"]).replace("&lt;", "<").replace("&gt;", ">").split("\n")[1:]
    mail = to_email(message)[1].split("\n")[1:]
    assert len(message.lines) <= LINES
    return [list(message.lines), chat, mail]


@given(st.sampled_from(["refused", "unlisted", "paused", "resumed", "end", "ends"]), SIZES, SIZES)
def test_an_alert_with_one_list_counts_all_of_it(kind: str, at_hand: int, left_out: int) -> None:
    names = _names("item", at_hand)
    cases: dict[str, tuple[Alert, str]] = {
        "refused": (SpecRefused(EVENT, "v", None, names, left_out), "problem"),
        "unlisted": (Unlisted(SWEEP, "v", names, (), left_out), "place"),
        "paused": (TargetsPaused(EVENT, names, "why", NOW, left_out), "target"),
        "resumed": (TargetsResumed(EVENT, names, left_out), "target"),
        "end": (PauseEnded(EVENT, names, "why", NOW, left_out), "target"),
        "ends": (GrantsEnd(EVENT, EndMoment.WEEK, "v", names, left_out), "grant"),
    }
    alert, noun = cases[kind]
    for lines in _everywhere([alert]):
        assert _counted(lines, "<item-", noun) == at_hand + left_out
    assert str(at_hand + left_out) in message_of([alert]).title


@given(SIZES, SIZES, SIZES, st.booleans())
def test_a_hold_counts_why_it_waits_and_who_gains_and_loses(why: int, gains: int, loses: int, opened: bool) -> None:
    names = _names("gain", gains), _names("loss", loses)
    hold = Hold(ground("v2", "v1"), "a version", reasons(*_names("why", why)), NOW, NOW, *names, (7, 8))
    settled = HoldSettled(EVENT, replace(hold, state=HoldState.VOID))
    for alert in (HoldOpened(EVENT, hold) if opened else settled,):
        for lines in _everywhere([alert]):
            assert _counted(lines, "removes-much: <why-", "reason") == why
            assert _counted(lines, "<gain-", "gain") == gains + 7
            assert _counted(lines, "<loss-", "loss") == loses + 8
        for form in shorter(alert):
            assert isinstance(form, HoldOpened | HoldSettled)
            counted = [len(form.hold.gains) + form.hold.left_out[0], len(form.hold.loses) + form.hold.left_out[1]]
            assert counted == [gains + 7, loses + 8]


@given(SIZES, SIZES)
def test_an_accepted_spec_counts_what_it_changed_and_warns_of(one: int, two: int) -> None:
    accepted = SpecAccepted(EVENT, "v", None, ("x",) * one, _names("warning", two), (7, 9))
    for lines in _everywhere([accepted]):
        assert _counted(lines, "<warning-", "warning") == two + 9
    assert f"{one + 7} targets changed" in message_of([accepted]).title


def _groups(kind: str, number: int) -> tuple[FindingGroup, ...]:
    return tuple(
        FindingGroup(Finding(FindingKind.EXTRA, str(REPOSITORY), "pull", name), ("pull",), (str(REPOSITORY),), NOW)
        for name in _names(kind, number)
    )


@given(SIZES, SIZES, SIZES, st.integers(0, 400))
def test_an_audit_counts_what_appeared_what_ended_and_what_was_not_read(
    appeared: int, ended: int, unread: int, left_out: int
) -> None:
    whole = AccessAudited(
        *(SWEEP, "v", _groups("new", appeared), _groups("old", ended)),
        left_out=(left_out, left_out),
        unread=_names("unread", unread),
        unread_left_out=left_out,
    )
    for alert in (whole, *shorter(whole)):
        for lines in _everywhere([alert]):
            assert _counted(lines, "<new-", "finding") == appeared + left_out
            assert _counted(lines, "no longer: <old-", "ended finding") == ended + left_out
            assert _counted(lines, "<unread-", "document") == unread + left_out


def _run(number: int, cause: Cause, result: Result, people: int) -> RunEnded:
    live = pulls(*(f"arn:aws:iam::999999999999:user/u{index}" for index in range(people)))
    drift = replace(_DRIFTS.setdefault(people, repository_drift(live)), address=_address(number))
    return report(drift, cause=cause, result=result, run_id=f"run{number}")


_DRIFTS: dict[int, Drift] = {}


def _address(number: int) -> Address:
    return repository_policy(replace(REPOSITORY, name=f"shop/r{number:04}"))


@given(
    st.lists(st.sampled_from([Result.CONVERGED, Result.FAILED, Result.REPORTED]), min_size=2, max_size=120),
    st.sampled_from([SPEC, SWEEP, EVENT]),
    st.sampled_from([1, 5, 60]),
    st.booleans(),
)
def test_many_runs_count_every_target(results: list[Result], cause: Cause, people: int, accepted: bool) -> None:
    alerts: list[Alert] = [_run(number, cause, result, people) for number, result in enumerate(results)]
    if accepted:
        alerts.insert(0, SpecAccepted(EVENT, "v", None, ("x",), _names("warning", 50)))
    message = message_of(alerts)
    lines = list(message.lines)
    assert _counted(lines[: _until_titled(lines)], "repository shop/r", "target") == len(results)
    counted = re.search(r"(\d+)(?: of (\d+))? targets", "\n".join([*message.title.split("; spec"), *lines]))
    assert counted is not None
    gravest = next(number for result in _GRAVEST_FIRST if (number := results.count(result)))
    assert (int(counted[1]), int(counted[2] or counted[1])) == (gravest, len(results))


_GRAVEST_FIRST = (Result.FAILED, Result.REPORTED, Result.CONVERGED)


def _until_titled(lines: list[str]) -> int:
    titles = [index for index, line in enumerate(lines) if line.startswith("Warnings:")]
    return min(titles, default=len(lines))


@given(st.integers(1, 300))
def test_one_run_counts_everybody_who_gained_or_lost(people: int) -> None:
    """Those from outside, and the one whom the spec allows to pull."""
    lines = list(message_of([_run(1, EVENT, Result.CONVERGED, people)]).lines)
    assert _counted(lines, "arn:aws:iam::", "difference") == people + 1


TREES = st.recursive(
    st.builds(Entry, st.just("leaf")),
    lambda under: st.builds(
        Entry,
        st.just("node"),
        st.builds(Listing, st.just("thing"), st.lists(under, max_size=9).map(tuple), st.just(""), st.integers(0, 3)),
    ),
    max_leaves=40,
)


@given(st.lists(TREES, max_size=60), st.integers(1, 40), st.integers(0, 5))
def test_a_list_fits_and_counts_from_its_whole(entries: list[Entry], room: int, rest: int) -> None:
    lines = lay_out([Listing("target", tuple(entries), rest=rest)], room)
    assert len(lines) <= room
    top = [line for line in lines if not line.startswith(" ")]
    shown = sum(line.startswith(("leaf", "node")) for line in top)
    more = [int(match.group(1)) for match in map(_MORE.fullmatch, top) if match]
    assert shown + sum(more) == len(entries) + rest


@given(st.lists(st.text(min_size=1, max_size=3), max_size=80), st.integers(1, 50))
def test_a_cut_list_says_how_many_are_left_out(items: list[str], limit: int) -> None:
    lines = list(first(items, limit))
    assert len(lines) <= limit
    shown = len(lines) if len(items) <= limit else len(lines) - 1 + int(lines[-1].split()[1])
    assert shown == len(items)


@pytest.mark.parametrize("number", [10, 5000])
def test_shorter_forms_of_an_alert_count_what_they_leave_out(number: int) -> None:
    paused = TargetsPaused(EVENT, _names("item", number), "why", NOW, 3)
    for form in (paused, *shorter(paused)):
        assert isinstance(form, TargetsPaused)
        assert len(form.targets) + form.left_out == number + 3


@pytest.mark.parametrize("people", [3, 60, 300])
def test_a_run_that_is_too_long_for_an_event_counts_everybody_all_the_same(people: int) -> None:
    whole = _run(1, EVENT, Result.CONVERGED, people)
    for form in (whole, *shorter(whole)):
        assert _counted(list(message_of([form]).lines), "arn:aws:iam::", "difference") == people + 1


@given(SIZES, st.integers(1, 25), st.integers(0, 400))
def test_findings_that_are_read_as_one_count_as_many(repositories: int, principals: int, left_out: int) -> None:
    groups = tuple(
        FindingGroup(
            Finding(FindingKind.EXTRA, place, "pull", f"<p{one}>", remedy=f"remove {place}", accept=f"name {one}"),
            ("pull",),
            (place,),
            NOW,
        )
        for place in (f"repository/222222222222/eu-central-1/r{number}" for number in range(repositories))
        for one in range(principals)
    )
    alert = AccessAudited(SWEEP, "v", groups, is_first=True, left_out=(left_out, 0))
    for lines in _everywhere([alert]):
        shown = sum(line.strip().startswith("<p0>") for line in lines)
        assert _counted(lines, "<p0>", "finding") - shown + principals * shown == repositories * principals + left_out
        assert principals == 1 or not shown or any(f"<p0> and {principals - 1} more can pull" in line for line in lines)
