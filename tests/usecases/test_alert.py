"""Alerts over channels, some of which are down: nothing is lost, and no channel gets a message twice."""

from copy import replace
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from ecr_warden.core.address import repository_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import Cause, CauseKind, Queue
from ecr_warden.notify.message import Message
from ecr_warden.notify.notify import RETRY_SECONDS, HearAlerts, ReportExhausted, SendAlerts
from ecr_warden.notify.ports import ChannelError
from ecr_warden.repair.alerts import HarmfulCall, RunEnded
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from local.testing.memory.hub import MemoryIncidents
from local.testing.seed import NOW
from tests.unit.notify.reports import EVENT, MALLORY, REPOSITORY, pulls, report, repository_drift

SPEC = Cause(CauseKind.SPEC, "v2")
REFUSED = SpecRefused(SPEC, "v2", "v1", ("line 3: an account has 12 digits",))
ACCEPTED = SpecAccepted(SPEC, "v2", "v1", ("repository/222222222222/eu-central-1/shop/checkout",), ())
OPENED, CLOSED = repository_drift(pulls("*")), repository_drift(None)


@dataclass(slots=True)
class Channel:
    """Keeps the titles of the messages it got, while it works."""

    works: bool = True
    got: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        if not self.works:
            raise ChannelError("out of order", remedy="repair it", retryable=True)
        self.got.append(message.title)
        self.texts.append(str(message.fields))


@dataclass(slots=True)
class People:
    chat: Channel = field(default_factory=Channel)
    mail: Channel = field(default_factory=Channel)
    incidents: MemoryIncidents = field(default_factory=MemoryIncidents)

    @property
    def send(self) -> SendAlerts:
        return SendAlerts(self.incidents, {"chat": self.chat, "e-mail": self.mail})

    def due(self) -> list[tuple[str, int]]:
        """The flushes that are due, each with the seconds it was delayed."""
        flushes, self.incidents.flushes[:] = list(self.incidents.flushes), []
        return flushes

    def flush_all(self) -> None:
        for key, _ in self.due():
            self.send.flush(key)


ALERTS = pytest.mark.parametrize("alert", [REFUSED, ACCEPTED], ids=["at once", "collected"])


@ALERTS
@pytest.mark.parametrize("down", ["chat", "mail"])
def test_only_the_channel_that_was_down_gets_the_message_later(alert: Alert, down: str) -> None:
    people = People()
    getattr(people, down).works = False
    people.send.announce(alert)
    if alert is ACCEPTED:
        people.flush_all()
    [(key, seconds)] = people.due()
    assert seconds == RETRY_SECONDS
    getattr(people, down).works = True
    people.send.flush(key)
    assert len(people.chat.got) == len(people.mail.got) == 1
    assert people.chat.got == people.mail.got
    people.send.flush(key)
    assert len(people.chat.got) == len(people.mail.got) == 1, "a second flush sends nothing again"


@ALERTS
def test_while_a_channel_is_down_the_flush_fails_with_its_name_and_the_other_gets_nothing_again(alert: Alert) -> None:
    people = People()
    people.chat.works = False
    people.send.announce(alert)
    if alert is ACCEPTED:
        people.flush_all()
    [(key, _)] = people.due()
    for _ in range(3):
        with pytest.raises(ChannelError, match="chat: out of order; repair it"):
            people.send.flush(key)
    assert (people.chat.got, len(people.mail.got)) == ([], 1)
    assert people.due() == [], "the queue retries the flush, no other is sent"
    people.chat.works = True
    people.send.flush(key)
    assert people.chat.got == people.mail.got


def test_two_channels_that_are_down_are_retried_separately() -> None:
    people = People(Channel(works=False), Channel(works=False))
    people.send.announce(REFUSED)
    first, second = [key for key, _ in people.due()]
    people.chat.works = True
    people.send.flush(first)
    with pytest.raises(ChannelError):
        people.send.flush(second)
    people.mail.works = True
    people.send.flush(second)
    assert len(people.chat.got) == len(people.mail.got) == 1


def test_a_channel_that_is_no_longer_configured_gets_nothing() -> None:
    people = People(chat=Channel(works=False))
    people.send.announce(REFUSED)
    [(key, _)] = people.due()
    SendAlerts(people.incidents, {"e-mail": people.mail}).flush(key)
    people.chat.works = True
    people.send.flush(key)
    assert (people.chat.got, len(people.mail.got)) == ([], 1)


def test_an_alert_that_cannot_be_kept_is_an_error_so_that_the_event_is_delivered_again() -> None:
    class Full(MemoryIncidents):
        def add(self, key: str, alert: Alert, *, seconds: int) -> None:
            raise ChannelError("the table takes nothing")

    people = People(Channel(works=False), incidents=Full())
    with pytest.raises(ChannelError, match="takes nothing"):
        people.send.announce(REFUSED)


def opened(number: int, **more: Any) -> RunEnded:
    """A repository that mallory opened, repaired."""
    drift = replace(OPENED, address=repository_policy(replace(REPOSITORY, name=f"shop/r{number:02}")))
    return report(drift, cause=replace(EVENT, id=f"e-{number}"), run_id=f"r-{number}", **more)


def test_thirty_repositories_opened_by_one_user_are_two_messages_that_count_them_all() -> None:
    people = People()
    for number in range(30):
        people.send.announce(opened(number))
    assert people.chat.got == [
        "repository policy of shop/r00 was changed by mallory of Administrator; repaired after 2 s"
    ]
    people.flush_all()
    assert people.chat.got[1:] == ["29 more targets repaired, after calls by mallory of Administrator"]


def test_a_lasting_burst_is_one_message_per_flush_until_its_last_alert() -> None:
    people = People()
    for burst in range(3):
        for number in range(10):
            people.send.announce(opened(100 * burst + number))
        people.flush_all()
    assert [title.split(" ")[0] for title in people.chat.got] == ["repository", "9", "10", "10"]
    people.flush_all()
    people.send.announce(opened(999))
    assert people.chat.got[-1].startswith("repository policy of shop/r999 was changed by mallory")


def test_a_critical_alert_is_not_held_back_by_one_that_is_not() -> None:
    people = People()
    people.send.announce(report(repository_drift(None)))
    people.send.announce(report(repository_drift(None), cause=replace(EVENT, id="e-2"), run_id="r-2"))
    people.send.announce(opened(7))
    assert len(people.chat.got) == 2
    assert "shop/r07" in people.chat.got[1]


def test_a_fight_over_one_target_is_called_contested() -> None:
    people = People()
    for number in range(5):
        again = replace(opened(1), run_id=f"r-{number}", cause=replace(EVENT, id=f"e-{number}"))
        people.send.announce(again)
    people.flush_all()
    assert people.chat.got[1:] == [
        "repository shop/r01: repaired 4 more times, CONTESTED, after calls by mallory of Administrator"
    ]


def test_an_apply_of_many_targets_is_one_message() -> None:
    people = People()
    asked = Cause(CauseKind.CALLER, "c-1", "apply", actor=MALLORY)
    for number in range(30):
        drift = replace(CLOSED, address=repository_policy(replace(REPOSITORY, name=f"shop/r{number:02}")))
        people.send.announce(report(drift, cause=asked, run_id=f"r-{number}"))
    assert people.chat.got == []
    people.flush_all()
    assert people.chat.got == ["30 targets repaired"]


def test_a_first_alert_whose_sending_crashed_is_in_the_follow_up() -> None:
    class Broken(Channel):
        def notify(self, message: Message) -> None:
            raise RuntimeError("a bug")

    people = People(chat=Broken())
    with pytest.raises(RuntimeError):
        people.send.announce(opened(1))
    people.chat = Channel()
    people.send.announce(opened(1))
    assert people.chat.got == []
    people.flush_all()
    assert people.chat.got == [
        "repository policy of shop/r01 was changed by mallory of Administrator; repaired after 2 s"
    ]


class Forgetful(MemoryIncidents):
    """A table that answers nothing of what was heard."""

    def was_heard(self, alert: Alert) -> bool:
        raise PermissionMissing("not authorized to perform: dynamodb:Query", remedy="deploy the hub again")

    def note_heard(self, alert: Alert) -> None:
        raise PermissionMissing("not authorized to perform: dynamodb:PutItem", remedy="deploy the hub again")


CALL = HarmfulCall(Cause(CauseKind.EVENT, "e-1", "iam:CreateAccessKey", actor=MALLORY), REPOSITORY)
OTHER_CALL = replace(CALL, cause=replace(CALL.cause, id="e-2"))

# What the bus delivers, on which table; how many messages people get, and how many entries the history.
HEARD: dict[str, tuple[tuple[Alert, ...], type[MemoryIncidents], int]] = {
    "a call that is reported twice": ((CALL, CALL), MemoryIncidents, 1),
    "two calls": ((CALL, OTHER_CALL, CALL, OTHER_CALL), MemoryIncidents, 2),
    "a run that is delivered twice": ((REFUSED, REFUSED), MemoryIncidents, 1),
    "a call that is reported twice while the table does not answer": ((CALL, CALL), Forgetful, 2),
}


@pytest.mark.parametrize("name", HEARD)
def test_what_the_bus_delivers_twice_is_announced_and_recorded_once(name: str) -> None:
    alerts, table, times = HEARD[name]
    people, recorded = People(incidents=table()), list[Alert]()
    hear = HearAlerts(people.send, lambda alert, _: recorded.append(alert))
    for alert in alerts:
        hear.hear(alert, NOW)
    people.flush_all()
    assert (len(people.chat.got), len(recorded)) == (times, times)


def test_what_could_not_be_recorded_is_announced_again() -> None:
    people = People()

    def fails(_: Alert, __: datetime) -> None:
        raise PermissionMissing("the log takes nothing")

    with pytest.raises(PermissionMissing):
        HearAlerts(people.send, fails).hear(REFUSED, NOW)
    HearAlerts(people.send, lambda *_: None).hear(REFUSED, NOW)
    assert len(people.chat.got) == 2


class Unwritable(MemoryIncidents):
    """A table that takes nothing."""

    def add(self, key: str, alert: Alert, *, seconds: int) -> None:
        raise PermissionMissing("not authorized to perform: dynamodb:PutItem", remedy="deploy the hub again")


@dataclass(slots=True)
class Kept:
    """Dead letters."""

    bodies: list[str] = field(default_factory=list)

    def keep(self, body: str, *, message_id: str) -> None:
        self.bodies.append(body)


def test_a_failed_job_that_cannot_be_collected_is_reported_by_itself_and_kept() -> None:
    people, kept = People(incidents=Unwritable()), Kept()
    ReportExhausted(people.send, kept).report("{}", queue=Queue.REPAIR, message_id="m-1")
    assert people.chat.got == people.mail.got == ["a job that cannot be read: the job failed on its last attempt"]
    assert kept.bodies == ["{}"]


@pytest.mark.parametrize("queue", [Queue.ACCEPT, Queue.COLLECT, Queue.AUDIT])
def test_a_failed_job_of_a_queue_that_each_tick_fills_anew_is_reported_with_its_log_and_not_kept(queue: Queue) -> None:
    people, kept = People(incidents=Unwritable()), Kept()
    ReportExhausted(people.send, kept).report("{}", queue=queue, message_id="m-1")
    [text] = people.chat.texts
    assert f"ecr-warden-{queue.function}" in text
    assert "dlq" not in text
    assert kept.bodies == []
