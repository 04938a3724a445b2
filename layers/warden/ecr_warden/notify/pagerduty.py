"""Sends messages to PagerDuty's Events API v2: one alert of it an incident.

Source: https://developer.pagerduty.com/docs/send-alert-event: 512 KB, a summary of 1,024 and a key of 255 characters.
"""

from collections.abc import Callable

from ecr_warden.core.result import Severity
from ecr_warden.notify.incident_event import asks, incident_event
from ecr_warden.notify.message import Message, Transition
from ecr_warden.notify.posting import TIMEOUT, Poster, Receiver

PAGERDUTY = Receiver("PagerDuty", "the integration's key, or its URL and its key", "PagerDutyReference")
ADDRESS = "https://events.pagerduty.com/v2/enqueue"
"""Of the US; an integration of the EU has another one."""
DIGEST = "ecr-warden-digest"
"""The thread of what has none of its own."""
_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


class PagerDutyChannel:
    """An integration; `secret` is called for each message: its key or, before that and a space, its URL."""

    def __init__(self, secret: Callable[[], str], *, timeout: float = TIMEOUT) -> None:
        self._secret = secret
        self._poster = Poster(PAGERDUTY, timeout)

    def notify(self, message: Message) -> None:
        """Trigger or resolve an alert, or do nothing; raises ChannelError, whose text never contains the key."""
        if action := action_of(message):
            address, _, key = self._secret().rpartition(" ")
            self._poster.post(address.strip() or ADDRESS, {"routing_key": key, **_event(message, action)})


def action_of(message: Message) -> str:
    """The event's action, "" for none.

    What ended before anybody heard of it pages whoever is on call only if it asks for something; so does what nothing
    resolves: what nobody hears the end of, or belongs to no incident.
    """
    if message.transition is Transition.OVER:
        return "resolve"
    threads = message.incident and message.transition not in (Transition.CLOSED, Transition.REPORTED)
    return "trigger" if message.severity is not Severity.INFO and (threads or asks(message)) else ""


def _event(message: Message, action: str) -> dict[str, object]:
    said = incident_event(message)
    details = {field.label: field.text for field in said.fields} | {"Found": said.lines}
    return {
        "event_action": action,
        "dedup_key": said.incident or DIGEST,
        "client": "ecr-warden",
        "payload": {
            "summary": f"{said.severity.upper()} {said.state} {said.lasted}".rstrip() + f": {said.title}",
            "source": "ecr-warden",
            "severity": _SEVERITIES[message.severity],
            "custom_details": details,
        },
    }
