"""What differs between the kinds of alerts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ecr_warden.core.alert import Alert
from ecr_warden.core.result import Severity
from ecr_warden.notify.delivery import Sending, incident_of
from ecr_warden.notify.layout import Parts, join


class Kind[A: Alert](ABC):
    """How severe an alert is, when it is sent, and what its message says.

    Unless a kind says otherwise, an alert is a WARNING, and is sent at once, with what the same principal did.
    """

    grade = Severity.WARNING
    """Of all alerts of the kind, unless it tells them apart."""
    when = Sending.AT_ONCE
    """The same for when they are sent."""

    def severity(self, _alert: A) -> Severity:
        return self.grade

    def sending(self, _alert: A) -> Sending:
        return self.when

    def incident(self, alert: A) -> str:
        return incident_of(alert.cause)

    def lets_in(self, _alert: A) -> bool:
        """Whether it says that outsiders get in, and nothing has closed it yet."""
        return False

    @abstractmethod
    def describe(self, alerts: Sequence[A]) -> Parts:
        """The parts of the message on all alerts of this kind in one incident."""


class OneByOne[A: Alert](Kind[A]):
    """Alerts that a message describes one after the other."""

    def describe(self, alerts: Sequence[A]) -> Parts:
        return join([self.describe_one(alert) for alert in alerts])

    @abstractmethod
    def describe_one(self, alert: A) -> Parts:
        """The parts of the message on one alert."""
