"""What differs between the kinds of alerts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from ecr_warden.core.alert import Alert
from ecr_warden.core.result import Severity
from ecr_warden.notify.delivery import Sending, incident_of
from ecr_warden.notify.layout import Parts, join
from iam_access.text.printable import cut, few

KEYS, PROBLEMS, TEXT = 1000, 100, 400
"""How many targets and sentences a shorter form keeps, and how many characters of each sentence."""


def few_texts(texts: Sequence[str], most: int, left_out: int) -> tuple[tuple[str, ...], int]:
    """As `few`, each text cut."""
    kept, left_out = few(texts, most, left_out)
    return tuple(cut(one, TEXT) for one in kept), left_out


class Kind[A: Alert](ABC):
    """How severe an alert is, when it is sent, what its message says, and what may be left out of it.

    Unless a kind says otherwise, an alert is a WARNING, is sent at once, with what the same principal did, and is never
    too large.
    """

    def severity(self, _alert: A) -> Severity:
        return Severity.WARNING

    def sending(self, _alert: A) -> Sending:
        return Sending.AT_ONCE

    def incident(self, alert: A) -> str:
        return incident_of(alert.cause)

    @abstractmethod
    def describe(self, alerts: Sequence[A]) -> Parts:
        """The parts of the message on all alerts of this kind in one incident."""

    def shorter(self, _alert: A) -> Iterator[A]:
        """Ever shorter forms of an alert that is too large, each with counts of what it leaves out."""
        yield from ()


class OneByOne[A: Alert](Kind[A]):
    """Alerts that a message describes one after the other."""

    def describe(self, alerts: Sequence[A]) -> Parts:
        return join([self.describe_one(alert) for alert in alerts])

    @abstractmethod
    def describe_one(self, alert: A) -> Parts:
        """The parts of the message on one alert."""
