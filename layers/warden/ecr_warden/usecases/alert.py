"""Telling people: at once, or gathered with everything else that has the same cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from ecr_warden.alerting.incidents import GATHER_SECONDS, AtOnce, FirstAtOnce, Gathered, Silent, is_follow_up, route
from ecr_warden.alerting.messages import message_of, plain_message
from ecr_warden.errors import site_of
from ecr_warden.model.alert import Alert, Message
from ecr_warden.model.outcome import RunReport
from ecr_warden.ports.alerts import Channels, ChannelsError, Incidents

TOLD_AGAIN_SECONDS = 60
_UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class SendAlerts:
    """The use case over its ports. Delivery is at least once: whoever retries may tell the same again.

    What a channel did not take waits as an incident of that channel alone: the others are not told again.
    """

    incidents: Incidents
    channels: Channels

    def announce(self, alert: Alert) -> None:
        """Tell of one alert now, or keep it for its incident; raises PortError."""
        match route(alert):
            case AtOnce():
                self.at_once(alert)
            case Gathered(key, seconds):
                self.incidents.add(key, alert, seconds=seconds)
            case FirstAtOnce(key, seconds):
                # Whoever dies before the first is told is called again, and then it is gathered.
                if self.incidents.opens(key, seconds=seconds):
                    self.at_once(alert)
                else:
                    self.incidents.add(key, alert, seconds=seconds)
            case Silent():
                pass
            case routing:
                assert_never(routing)

    def flush(self, key: str) -> None:
        """Tell of all that an incident has gathered, in one message; raises PortError, so that it is flushed again."""
        alerts = self.incidents.take(key)
        if not alerts:
            return
        channel = _channel_of(key)
        if channel is None:
            self._tell(key, alerts)
        else:
            self.channels.notify(_message_of(alerts, _incident_of(key)), only=channel)
        self.incidents.drop(key, alerts)
        if is_follow_up(key):
            # It goes on: as long as it does there is one message each time, and none at once beside it.
            self.incidents.opens(key, seconds=GATHER_SECONDS)

    def at_once(self, alert: Alert) -> None:
        """Tell of one alert now, whatever it belongs to; raises PortError."""
        self._tell(alert.cause.incident, (alert,))

    def _tell(self, key: str, alerts: Sequence[Alert]) -> None:
        try:
            self.channels.notify(_message_of(alerts, key))
        except ChannelsError as error:
            for channel in error.failed:
                for alert in alerts:
                    self.incidents.add(f"{_UNDELIVERED}/{channel}/{key}", alert, seconds=TOLD_AGAIN_SECONDS)


def _channel_of(key: str) -> str | None:
    """The only channel that an incident is for."""
    kind, _, rest = key.partition("/")
    return rest.partition("/")[0] if kind == _UNDELIVERED else None


def _incident_of(key: str) -> str:
    """The incident of which a channel is told again."""
    return key.split("/", 2)[2]


def _message_of(alerts: Sequence[Alert], key: str) -> Message:
    accounts = {account for alert in alerts if isinstance(alert, RunReport) for account in alert.accounts}
    try:
        return message_of(alerts, known_accounts=accounts, is_follow_up=is_follow_up(key))
    except Exception as error:  # what it describes may be an attack: some report is better than none
        return plain_message(alerts, site_of(error))
