"""Alerts to people: one message per incident, a bounded number per channel; and jobs that failed on their last attempt.

Nobody's actions decide how many messages leave: too many would end a channel. Source: SNS suspends an e-mail
subscription above ten messages a second (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime

from msgspec import Struct

from ecr_warden.core.alert import Alert
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind, Queue, job_from_text
from ecr_warden.core.queue import DeadLetters
from ecr_warden.notify.delivery import ROLL_OUT, Sending
from ecr_warden.notify.kinds import digest_of, incident, safe_message_of, sending
from ecr_warden.notify.message import Message, spelled_message
from ecr_warden.notify.ports import Channel, ChannelError, Incidents, waiting_key
from ecr_warden.repair.alerts import JobFailed

COLLECT_SECONDS = 20
"""After which what followed the first message of an incident is sent."""
ROLL_OUT_SECONDS = 600
"""The same for stacks that are deployed: a StackSet takes minutes for its accounts, and nothing of it is urgent."""
SINGLES, SINGLES_SECONDS = 10, 600
"""How many messages a channel gets one by one, and within which time; from then on digests."""
DIGEST_SECONDS = 60
"""After which what waits for a channel is sent as a digest, and the least time between two."""
_WAITING = waiting_key("")


class SendAlerts(Struct, frozen=True):
    """The use case over its ports; `channels` by their names. Delivery is at least once.

    What a channel did not take, or has no turn for, waits for its digest alone: the others do not get it again. Where
    the table or its queue does not answer, nothing can be counted or kept, and a message leaves all the same: `warn`
    gets the reason. `aliases`: of accounts by their IDs, by which people know users and roles; raises PortError.
    """

    incidents: Incidents
    channels: Mapping[str, Channel]
    warn: Callable[[str], None]
    aliases: Callable[[], Mapping[str, str]] = dict

    def announce(self, alert: Alert) -> None:
        """Send an alert now, or keep it for its incident; raises PortError."""
        when, key = sending(alert), incident(alert)
        if when is Sending.NEVER:
            return
        try:
            # If the process dies before the first is sent, it is called again, and the alert is collected.
            if when is Sending.COLLECTED or not self.incidents.open(key, seconds=COLLECT_SECONDS):
                self.incidents.add(key, [alert], seconds=_seconds(key))
                return
        except PortError as error:
            self.warn(f"sent at once, because it cannot be collected: {error}")
        self._send([alert])

    def flush(self, key: str) -> None:
        """Send all alerts of an incident as one message; raises PortError, so that it is flushed again."""
        if key.startswith(_WAITING):
            self._flush_channel(key, key.removeprefix(_WAITING).partition("/")[0])
            return
        # While a burst lasts, each flush sends one message, and no alert is sent at once beside it.
        if alerts := self.incidents.close(key, again=_seconds(key)):
            self._send([*alerts.values()])
            self.incidents.drop(key, alerts)

    def _send(self, alerts: Sequence[Alert]) -> None:
        message = self._as_people_read(safe_message_of(alerts))
        # Each channel is tried, whatever becomes of the others; what fails is raised in the end.
        with ExitStack() as tried:
            for name in self.channels:
                tried.callback(self._deliver, name, message, alerts)

    def _as_people_read(self, message: Message) -> Message:
        """The message with the aliases of accounts, which make it no longer."""
        try:
            return spelled_message(message, self.aliases())
        except PortError as error:
            self.warn(f"sent without the aliases of accounts: {error}")
            return message

    def _deliver(self, name: str, message: Message, alerts: Sequence[Alert]) -> None:
        try:
            if self.incidents.turn(name, most=SINGLES, seconds=SINGLES_SECONDS):
                self.incidents.add(waiting_key(name), alerts, seconds=DIGEST_SECONDS)
                return
        except PortError as error:
            self.warn(f"sent to {name} all the same, because it cannot wait: {error}")
        try:
            self.channels[name].notify(message)
        except ChannelError as error:
            self.warn(f"not delivered to {name}: {error}")
            self.incidents.add(waiting_key(name), alerts, seconds=DIGEST_SECONDS)

    def _flush_channel(self, key: str, name: str) -> None:
        """Send what waits for a channel.

        A flush that fails comes back within a minute, has no turn, and asks for one that has: once a minute, until the
        channel takes it.
        """
        if wait := self.incidents.turn(f"digest/{name}", most=1, seconds=DIGEST_SECONDS):
            self.incidents.open(key, seconds=wait)
            return
        alerts = self.incidents.close(key)
        # A channel that is no longer configured has nothing to get.
        if alerts and name in self.channels:
            self.channels[name].notify(self._as_people_read(digest_of([*alerts.values()])))
        self.incidents.drop(key, alerts)


def _seconds(incident: str) -> int:
    return ROLL_OUT_SECONDS if incident == ROLL_OUT else COLLECT_SECONDS


class AnnounceAlerts(Struct, frozen=True):
    """Announces and records what the bus delivers, the same alert once within five minutes.

    Events and jobs may come twice, and so do the alerts of the calls that they report. A process that dies in between,
    or a table that does not answer, has one announced twice rather than not at all.
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


class ReportExhausted(Struct, frozen=True):
    """Reports a job that failed on its last attempt, and keeps a repair; delivery is at least once.

    It depends on the queue alone: a run whose process was killed cannot report anything itself. Nothing but repairs is
    kept, because each tick makes the other jobs anew.
    """

    announce_alerts: AnnounceAlerts
    dead_letters: DeadLetters
    clock: Clock

    def report(self, body: str, *, queue: Queue, message_id: str) -> None:
        """Report the job in the body of a message of a queue, then keep it; raises PortError."""
        failed = _failed(body, queue, message_id)
        self.announce_alerts.send.announce(failed)
        if queue is Queue.REPAIR:
            self.dead_letters.keep(body, message_id=message_id)
        with suppress(PortError):
            self.announce_alerts.record(failed, self.clock.now())


def _failed(body: str, queue: Queue, message_id: str) -> JobFailed:
    try:
        job = job_from_text(body)
    except CodecError as error:
        return JobFailed(Cause(CauseKind.EVENT, message_id), None, str(error), queue)
    return JobFailed(job.cause, job, queue=queue)
