"""What differs between the kinds of alerts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from ecr_warden.core.alert import Alert
from ecr_warden.core.result import Severity
from ecr_warden.notify.delivery import incident_of
from ecr_warden.notify.incident import Fact
from ecr_warden.notify.layout import Parts, join


class Kind[A: Alert](ABC):
    """How severe an alert is, what it changes, and what its message says.

    Unless a kind says otherwise, an alert is a WARNING, and news of what is over at once, by the same principal.
    """

    grade = Severity.WARNING
    """Of all alerts of the kind, unless it tells them apart."""

    def severity(self, _alert: A) -> Severity:
        return self.grade

    def incident(self, alert: A) -> str:
        return incident_of(alert.cause)

    def is_news(self, _alert: A) -> bool:
        """Whether people hear of it where it ends nothing that they have heard of."""
        return True

    def seen(self, _alert: A, at: datetime) -> datetime:
        """When it saw what it says; `at`: when it was published, in full seconds."""
        return at

    def facts(self, _alert: A, _news: Fact) -> Sequence[Fact]:
        """What lasts or lasted; `news`: the fact that is over at once, from which these are made."""
        return ()

    def ends(self, _alert: A) -> Sequence[str]:
        """The keys of facts that have ended."""
        return ()

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
