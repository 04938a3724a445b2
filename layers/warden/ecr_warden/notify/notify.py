"""Alerts to people: at once or collected into one message per incident; and jobs that failed on their last attempt."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from ecr_warden.core.alert import Alert
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.codec.jobs import job_from_text
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind, Queue
from ecr_warden.core.queue import DeadLetters
from ecr_warden.notify.delivery import AtOnce, Collected, FirstAtOnce, Silent, is_follow_up
from ecr_warden.notify.kinds import message_of, plain_message, route
from ecr_warden.notify.message import Message
from ecr_warden.notify.ports import Channel, ChannelError, Incidents
from ecr_warden.repair.alerts import JobFailed
from iam_access.errors import site_of

COLLECT_SECONDS, RETRY_SECONDS = 20, 60
"""After which an incident is flushed, and a channel that failed is tried again."""
_UNDELIVERED = "undelivered"


class SendAlerts(Struct, frozen=True):
    """The use case over its ports; `channels` by their names. Delivery is at least once.

    A message that a channel rejected waits in an incident of that channel alone: the others do not get it again.
    """

    incidents: Incidents
    channels: Mapping[str, Channel]

    def announce(self, alert: Alert) -> None:
        """Send an alert now, or keep it for its incident; raises PortError."""
        match route(alert):
            case AtOnce():
                self.at_once(alert)
            case Collected(key):
                self.incidents.add(key, alert, seconds=COLLECT_SECONDS)
            case FirstAtOnce(key):
                # If the process dies before the first is sent, it is called again, and the alert is collected.
                if self.incidents.open(key, seconds=COLLECT_SECONDS):
                    self.at_once(alert)
                else:
                    self.incidents.add(key, alert, seconds=COLLECT_SECONDS)
            case Silent():
                pass
            case routing:
                assert_never(routing)

    def flush(self, key: str) -> None:
        """Send all alerts of an incident as one message; raises PortError, so that it is flushed again."""
        collected = self.incidents.close(key)
        if not collected:
            return
        alerts = tuple(collected.values())
        kind, _, rest = key.partition("/")
        if kind == _UNDELIVERED:
            name, _, incident = rest.partition("/")
            # A channel that is no longer configured has nothing to get.
            only = {name: self.channels[name]} if name in self.channels else {}
            for error in _undelivered(only, _message_of(alerts, incident)).values():
                raise ChannelError(f"not delivered to {name}: {error}", retryable=error.retryable)
        else:
            self._send(key, alerts)
        self.incidents.drop(key, collected)
        if is_follow_up(key):
            # While a burst lasts, each flush sends one message, and no alert is sent at once beside it.
            self.incidents.open(key, seconds=COLLECT_SECONDS)

    def at_once(self, alert: Alert) -> None:
        """Send an alert now, whatever its incident; raises PortError."""
        self._send(alert.cause.incident, (alert,))

    def _send(self, key: str, alerts: Sequence[Alert]) -> None:
        for name in _undelivered(self.channels, _message_of(alerts, key)):
            for alert in alerts:
                self.incidents.add(f"{_UNDELIVERED}/{name}/{key}", alert, seconds=RETRY_SECONDS)


class HearAlerts(Struct, frozen=True):
    """Announces and records what the bus delivers, the same alert once within five minutes.

    Events and jobs may come twice, and so do the alerts of the calls that they report. A process that dies in between,
    or a table that does not answer, has one announced twice, never not at all.
    """

    send: SendAlerts
    record: Callable[[Alert, datetime], None]

    def hear(self, alert: Alert, at: datetime) -> None:
        """Announce and record an alert of this time; raises PortError."""
        with suppress(PortError):
            if self.send.incidents.was_heard(alert):
                return
        self.send.announce(alert)
        # Afterwards: people come first. If it fails, both are done again.
        self.record(alert, at)
        with suppress(PortError):
            self.send.incidents.note_heard(alert)


def _undelivered(channels: Mapping[str, Channel], message: Message) -> dict[str, PortError]:
    """Send a message to the channels; returns the errors of those that rejected it."""
    errors: dict[str, PortError] = {}
    for name, channel in channels.items():
        try:
            channel.notify(message)
        except PortError as error:
            errors[name] = error
    return errors


def _message_of(alerts: Sequence[Alert], key: str) -> Message:
    try:
        return message_of(alerts, is_follow_up=is_follow_up(key))
    except Exception as error:  # an attacker may have written what it describes: some report is better than none
        return plain_message(alerts, site_of(error))


class ReportExhausted(Struct, frozen=True):
    """Reports a job that failed on its last attempt, and keeps a repair; delivery is at least once.

    It depends on the queue alone: a run whose process was killed cannot report anything itself. Nothing but repairs is
    kept, because each tick makes the other jobs anew.
    """

    send_alerts: SendAlerts
    dead_letters: DeadLetters

    def report(self, body: str, *, queue: Queue, message_id: str) -> None:
        """Report the job in the body of a message of a queue, then keep it; raises PortError."""
        failed = _failed(body, queue, message_id)
        try:
            self.send_alerts.announce(failed)
        except PortError:
            # The same fault may have ended the job: one message per job is better than none.
            self.send_alerts.at_once(failed)
        if queue is Queue.REPAIR:
            self.dead_letters.keep(body, message_id=message_id)


def _failed(body: str, queue: Queue, message_id: str) -> JobFailed:
    try:
        job = job_from_text(body)
    except CodecError as error:
        return JobFailed(Cause(CauseKind.EVENT, message_id), None, str(error), queue)
    return JobFailed(job.cause, job, queue=queue)
