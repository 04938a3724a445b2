"""Telling people: at once, or gathered with everything else that has the same cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from ecr_warden.alerting.incidents import AtOnce, Gathered, Silent, route
from ecr_warden.alerting.messages import message_of
from ecr_warden.model.alert import Alert
from ecr_warden.model.outcome import RunReport
from ecr_warden.ports import Incidents, Notifier


@dataclass(frozen=True, slots=True)
class TellPeople:
    """The use case over its ports. Delivery is at least once: whoever retries may tell the same again."""

    incidents: Incidents
    notifier: Notifier

    def announce(self, alert: Alert) -> None:
        """Tell of one alert now, or keep it for its incident; raises NotifyError."""
        match route(alert):
            case AtOnce():
                self._notify((alert,))
            case Gathered(key, seconds):
                self.incidents.add(key, alert, seconds=seconds)
            case Silent():
                pass
            case routing:
                assert_never(routing)

    def flush(self, key: str) -> None:
        """Tell of all that an incident has gathered, in one message; raises NotifyError."""
        alerts = self.incidents.take(key)
        if alerts:
            self._notify(alerts)
            self.incidents.drop(key, alerts)

    def _notify(self, alerts: Sequence[Alert]) -> None:
        accounts = {account for alert in alerts if isinstance(alert, RunReport) for account in alert.accounts}
        self.notifier.notify(message_of(alerts, known_accounts=accounts))
