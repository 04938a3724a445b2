"""Nobody's actions decide how many messages leave: random streams of alerts, counted by a plain oracle.

The oracle knows nothing of incidents, turns or flushes. It sees when each alert was announced and what each channel
got, and counts.
"""

import re
from copy import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.core.address import repository_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import PortError
from ecr_warden.core.result import Result, Severity
from ecr_warden.notify.kinds import changes_of, digest_of, message_of, severity
from ecr_warden.notify.message import Message, MessageState
from ecr_warden.repair.alerts import HarmfulCall, OwnChanged, RunEnded
from local.testing.people import People
from local.testing.seed import HOME, NOW
from tests.unit.notify.pages import GROUP, audited
from tests.unit.notify.reports import EVENT, MALLORY, OUTSIDER, REPOSITORY, pulls, report, repository_drift

MINUTE, WINDOW, COLLECTED = timedelta(minutes=1), timedelta(minutes=10), timedelta(seconds=20)
SINGLES = 10
_COUNT = re.compile(r"(?:and )?(\d+) (more )?(?:alerts?|incidents?|times?|things?)\b")


class Step(Struct, frozen=True):
    """After some seconds somebody does something, and what it goes through may work or not."""

    after: int
    principal: int
    critical: bool
    table: bool = True
    chat: bool = True


def steps(*, faults: bool) -> st.SearchStrategy[list[Step]]:
    works = st.sampled_from([True, True, True, False]) if faults else st.just(True)
    step = st.builds(
        Step,
        st.sampled_from([0, 0, 0, 0, 1, 1, 2, 5, 19, 20, 21, 40]),
        # A crowd of fresh roles, and one that acts again and again.
        st.sampled_from([0, *range(80)]),
        st.sampled_from([False, False, False, True]),
        works,
        works,
    )
    return st.lists(step, min_size=20, max_size=150)


def alert_of(number: int, step: Step) -> OwnChanged | HarmfulCall:
    """Each has a name of its own: `n3x`."""
    actor = replace(MALLORY, issuer=f"{MALLORY.issuer}-{step.principal}", session_name=f"s-{number}")
    cause = replace(EVENT, id=f"e-{number}", action="ecr:PutLifecyclePolicy", actor=actor)
    if step.critical:
        return OwnChanged(cause, HOME, f"role n{number}x")
    return HarmfulCall(cause, replace(REPOSITORY, name=f"made/n{number}x"))


def names_in(message: Message) -> set[str]:
    return set(re.findall(r"\bn\d+x\b", "\n".join((message.title, *message.lines))))


def counted_in(message: Message) -> int:
    """How many alerts or incidents a message says that it is about; what a title names is beside those it counts."""
    counted = [message.title, *(field.text for field in message.fields if field.label == "In all")]
    by_incident = list[int]()
    for line in message.lines if is_digest(message) else ():
        if line.startswith(("CRITICAL ", "WARNING ")):
            by_incident.append(1)
        if by_incident and not line.startswith("   "):
            by_incident[-1] = max(by_incident[-1], _number_in(line))
    return max(sum(by_incident), *map(_number_in, counted))


def _number_in(text: str) -> int:
    return max((int(one[1]) + bool(one[2]) for one in _COUNT.finditer(text)), default=0)


def is_digest(message: Message) -> bool:
    return "of them critical" in message.title


class Played(Struct):
    """The world after a stream of steps: when each alert was announced."""

    people: People
    announced: list[tuple[datetime, OwnChanged | HarmfulCall]]


def played(stream: list[Step]) -> Played:
    people, announced = People(), []
    for number, step in enumerate(stream):
        people.wait(step.after)
        people.incidents.silent, people.chat.works = not step.table, step.chat
        alert = alert_of(number, step)
        announced.append((people.clock.now(), alert))
        try:
            people.announce(alert)
        except PortError:
            people.incidents.silent = False  # Lambda brings the event again, later
            people.announce(alert)
    people.incidents.silent, people.chat.works = False, True
    people.wait(3600)
    return Played(people, announced)


@given(steps(faults=False))
def test_no_stream_has_more_than_its_messages_leave(stream: list[Step]) -> None:
    story = played(stream)
    for channel in (story.people.chat, story.people.mail):
        singles = [at for at, message in channel.got if not is_digest(message)]
        digests = [at for at, message in channel.got if is_digest(message)]
        # A digest about one incident alone reads like its message: one a minute may be among the singles.
        for at in channel.times:
            assert sum(at <= one < at + WINDOW for one in singles) <= SINGLES + WINDOW / MINUTE
            assert sum(at <= one < at + MINUTE for one in channel.times) <= SINGLES + 1
            assert sum(at <= one < at + MINUTE for one in digests) <= 1
            assert sum(at <= one < at + WINDOW for one in channel.times) <= SINGLES + WINDOW / MINUTE
    assert not story.people.incidents.incidents, "what is over has ended"


@given(steps(faults=True))
def test_every_alert_is_in_a_message_or_counted_by_one(stream: list[Step]) -> None:
    story = played(stream)
    for channel in (story.people.chat, story.people.mail):
        named = set().union(*(names_in(message) for _, message in channel.got))
        missing = {f"n{number}x" for number in range(len(stream))} - named
        counted = sum(max(0, counted_in(message) - len(names_in(message))) for _, message in channel.got)
        assert len(missing) <= counted
    assert story.people.incidents.waiting("chat") == story.people.incidents.waiting("e-mail") == []


@given(steps(faults=False))
def test_what_is_critical_is_shown_within_a_minute_and_its_gathering_unless_its_incident_is_known_to_be(
    stream: list[Step],
) -> None:
    story = played(stream)
    for channel in (story.people.chat, story.people.mail):
        for number, (at, alert) in enumerate(story.announced):
            if severity(alert) is not Severity.CRITICAL:
                continue
            alike = {f"n{one}x" for one, step in enumerate(stream) if step.principal == stream[number].principal}
            by_then = [message for when, message in channel.got if when <= at + COLLECTED + MINUTE]
            critical = [message for message in by_then if message.severity is Severity.CRITICAL]
            assert any(names_in(message) & alike for message in critical) or any(map(_has_no_room, by_then))
        for _, message in channel.got:
            assert _is_worst_first(message)


def _has_no_room(message: Message) -> bool:
    """Whether a message counts critical alerts, or hides their details, and shows of others what counts them alone."""
    counts = re.compile(
        r"and \d+ more critical incidents?|\(without the details of \d+ critical incidents?\)|and \d+ more changes?"
    )
    lesser = [line for line in message.lines if line.startswith(("warning: ", "info: "))]
    return any(map(counts.search, message.lines)) and len(lesser) <= 3


def _is_worst_first(message: Message) -> bool:
    """In a digest by its words; in a message of one incident, its title begins with what is critical."""
    if is_digest(message):
        words = [line.split(":")[0] for line in message.lines if re.match(r"(critical|warning|info): ", line)]
        return words == sorted(words, key=["critical", "warning", "info"].index)
    return message.severity is not Severity.CRITICAL or "own" in message.title.split("made/n")[0]


OPENED = repository_drift(pulls(f"arn:aws:iam::{OUTSIDER}:user/eve"))
LASTS: dict[str, AccessAudited | RunEnded | OwnChanged] = {
    "an outsider who still gets in": audited(GROUP),
    "a repair that failed": report(OPENED, result=Result.FAILED),
    "a role of ecr-warden's own that was changed": OwnChanged(EVENT, HOME, "role ecr-warden-read"),
}


def by_fresh_role(number: int, alert: AccessAudited | RunEnded | OwnChanged) -> Alert:
    actor = replace(MALLORY, issuer=f"{MALLORY.issuer}-{number}", session_name=f"s-{number}")
    return replace(alert, cause=replace(EVENT, id=f"e-{number}", actor=actor))


def repaired(number: int) -> RunEnded:
    return report(replace(OPENED, address=repository_policy(replace(REPOSITORY, name=f"shop/r{number}"))))


@pytest.mark.parametrize("which", LASTS)
def test_what_many_fresh_roles_do_and_is_over_hides_nothing_that_lasts(which: str) -> None:
    """Fifty critical repairs, each by another role, stand before the one alert of something that is not over."""
    people = People()
    people.announce(*(by_fresh_role(number, repaired(number)) for number in range(50)))
    people.announce(by_fresh_role(50, LASTS[which]))
    people.wait(2 * 60)
    for channel in (people.chat, people.mail):
        [digest] = [message for _, message in channel.got if is_digest(message)]
        shown = [line for line in digest.lines if line.startswith("CRITICAL ")]
        assert (digest.severity, digest.state in (MessageState.OPEN, MessageState.FAILED)) == (Severity.CRITICAL, True)
        assert ["closed" in line.split(":")[0] for line in shown[:2]] == [False, True]


@given(st.permutations([*LASTS.values(), *(report(OPENED) for _ in range(3)), audited(ended=(GROUP,))]))
def test_within_a_severity_outsiders_who_get_in_stand_before_what_lasts_and_that_before_what_is_over(
    alerts: list[AccessAudited | RunEnded | OwnChanged],
) -> None:
    made = [by_fresh_role(number, alert) for number, alert in enumerate(alerts)]
    open_to = [any(fact.lets_in and fact.is_open(NOW) for fact in changes_of(alert, NOW).facts) for alert in made]
    digest = digest_of(
        [replace(message_of([one]), lets_in=is_open) for one, is_open in zip(made, open_to, strict=True)]
    )
    states = [line.split(":")[0] for line in digest.lines if line.split(" ")[0].isupper()]
    assert states == [
        "CRITICAL failed",
        "CRITICAL open",
        "CRITICAL open",
        *["CRITICAL closed after 2 s"] * 3,
        "INFO closed",
    ]
