"""Telling people over channels of which some are down: nothing is lost, and nobody is told twice for another's sake."""

from dataclasses import dataclass, field

import pytest
from ecr_warden.adapters.notify.fanout import FanOut
from ecr_warden.model.alert import Alert, Message, SpecAccepted, SpecRefused
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.ports.alerts import ChannelsError, NotifyError
from ecr_warden.usecases.alert import TOLD_AGAIN_SECONDS, TellPeople

from local.memory.hub import MemoryIncidents

SPEC = Cause(CauseKind.SPEC, "v2")
REFUSED = SpecRefused(SPEC, "v2", "v1", ("line 3: an account has 12 digits",))
ACCEPTED = SpecAccepted(SPEC, "v2", "v1", ("repository/222222222222/eu-central-1/shop/checkout",), ())


@dataclass(slots=True)
class Channel:
    """Keeps the titles of what it was told, while it works."""

    works: bool = True
    told: list[str] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        if not self.works:
            raise NotifyError("out of order", remedy="mend it", retryable=True)
        self.told.append(message.title)


@dataclass(slots=True)
class People:
    chat: Channel = field(default_factory=Channel)
    mail: Channel = field(default_factory=Channel)
    incidents: MemoryIncidents = field(default_factory=MemoryIncidents)

    @property
    def tell(self) -> TellPeople:
        return TellPeople(self.incidents, FanOut({"chat": self.chat, "e-mail": self.mail}))

    def due(self) -> list[tuple[str, int]]:
        """The flushes that are due, each with the seconds it was delayed."""
        flushes, self.incidents.flushes[:] = list(self.incidents.flushes), []
        return flushes

    def flush_all(self) -> None:
        for key, _ in self.due():
            self.tell.flush(key)


ALERTS = pytest.mark.parametrize("alert", [REFUSED, ACCEPTED], ids=["told at once", "gathered"])


@ALERTS
@pytest.mark.parametrize("down", ["chat", "mail"])
def test_the_channel_that_was_down_alone_is_told_once_it_is_well(alert: Alert, down: str) -> None:
    people = People()
    getattr(people, down).works = False
    people.tell.announce(alert)
    if alert is ACCEPTED:
        people.flush_all()
    [(key, seconds)] = people.due()
    assert seconds == TOLD_AGAIN_SECONDS
    getattr(people, down).works = True
    people.tell.flush(key)
    assert len(people.chat.told) == len(people.mail.told) == 1
    assert people.chat.told == people.mail.told
    people.tell.flush(key)
    assert len(people.chat.told) == len(people.mail.told) == 1, "a flush that comes twice tells nothing twice"


@ALERTS
def test_while_it_stays_down_the_flush_fails_by_its_name_and_the_other_hears_nothing_more(alert: Alert) -> None:
    people = People()
    people.chat.works = False
    people.tell.announce(alert)
    if alert is ACCEPTED:
        people.flush_all()
    [(key, _)] = people.due()
    for _ in range(3):
        with pytest.raises(ChannelsError, match="chat: out of order; mend it"):
            people.tell.flush(key)
    assert (people.chat.told, len(people.mail.told)) == ([], 1)
    assert people.due() == [], "the queue brings the flush back, nobody sends another"
    people.chat.works = True
    people.tell.flush(key)
    assert people.chat.told == people.mail.told


def test_each_of_two_that_are_down_is_told_for_itself() -> None:
    people = People(Channel(works=False), Channel(works=False))
    people.tell.announce(REFUSED)
    first, second = [key for key, _ in people.due()]
    people.chat.works = True
    people.tell.flush(first)
    with pytest.raises(ChannelsError):
        people.tell.flush(second)
    people.mail.works = True
    people.tell.flush(second)
    assert len(people.chat.told) == len(people.mail.told) == 1


def test_what_cannot_be_kept_for_later_is_an_error_so_that_the_event_comes_again() -> None:
    class Full(MemoryIncidents):
        def add(self, key: str, alert: Alert, *, seconds: int) -> None:
            raise NotifyError("the table takes nothing")

    people = People(Channel(works=False), incidents=Full())
    with pytest.raises(NotifyError, match="takes nothing"):
        people.tell.announce(REFUSED)
