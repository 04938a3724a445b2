"""Alerts to people: one message per incident, a bounded number per channel; and jobs that failed on their last attempt.

Nobody's actions decide how many messages leave: too many would end a channel. Source: SNS suspends an e-mail
subscription above ten messages a second (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from copy import replace
from datetime import datetime

from msgspec import Struct

from ecr_warden.core.alert import Alert, alert_to_json
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import CodecError, dumps, forms, loads
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind, Queue, job_from_text, short_name
from ecr_warden.core.queue import DeadLetters
from ecr_warden.core.result import Severity
from ecr_warden.core.value import Moment, Value
from ecr_warden.notify.incident import (
    STORM,
    Fact,
    Note,
    Step,
    acknowledged,
    begun,
    gathers,
    joins_storm,
    stepped,
    with_notes,
)
from ecr_warden.notify.kinds import alert_from_json, changes_of, digest_of, incident, rank_in_digest, safe_message_of
from ecr_warden.notify.message import Message, Transition, message_from_json, message_to_json, spelled_message
from ecr_warden.notify.ports import THREADED, Channel, ChannelError, Incidents, waiting_key
from ecr_warden.notify.threads import message_on, with_words
from ecr_warden.repair.alerts import JobFailed

SINGLES, SINGLES_SECONDS = 10, 600
"""How many messages a channel gets one by one, and within which time; from then on digests."""
DIGEST_SECONDS = 60
"""After which what waits for a channel is sent as a digest, and the least time between two."""
_WAITING = waiting_key("")
_PENDING = 200
"""How many alerts an incident keeps for the words of its next message."""


class IncidentMoved(PortError, code="incident-moved"):
    """Another process changed an incident in between."""


class Noted(Value, frozen=True, omit_defaults=True):
    """An alert as it is collected for an incident, with what it changes there."""

    at: Moment
    facts: tuple[Fact, ...] = ()
    ends: tuple[str, ...] = ()
    """The keys of facts that have ended."""
    by: str = ""
    alert: str = ""
    """Its text; empty if it says more than this incident has."""


_noted_to_json, _noted_from_json = forms("collected alert", Noted)


class SendAlerts(Struct, frozen=True):
    """The use case over its ports; `channels` by their names. Delivery is at least once.

    What a channel did not take, or has no turn for, waits for its digest alone: the others do not get it again. Where
    the table or its queue does not answer, nothing can be counted or kept, and a message leaves all the same: `warn`
    gets the reason. `aliases`: of accounts by their IDs, by which people know users and roles; raises PortError.
    """

    incidents: Incidents
    channels: Mapping[str, Channel]
    warn: Callable[[str], None]
    clock: Clock
    aliases: Callable[[], Mapping[str, str]] = dict

    def announce(self, alert: Alert, at: datetime) -> None:
        """Collect an alert of this time for its incidents, and say at once what is critical; raises PortError."""
        urgent = list[str]()
        try:
            for key, noted in self._notes(alert, at).items():
                # Before a flush can see it: an end either finds the incident, or the flush finds the end.
                self.incidents.assign([fact.key for fact in noted.facts if not fact.is_news], key)
                self.incidents.add(key, [dumps(_noted_to_json(noted))])
                # Of several that are critical the first is said at once; the others are gathered behind it.
                is_first = self.incidents.open(key, seconds=gathers(key).seconds)
                if is_first and any(fact.severity is Severity.CRITICAL for fact in noted.facts):
                    urgent.append(key)
        except PortError as error:
            self.warn(f"sent at once, because it cannot be collected: {error}")
            self._send(safe_message_of([alert]))
        for key in urgent:
            self.flush(key)

    def _notes(self, alert: Alert, at: datetime) -> Mapping[str, Noted]:
        """For each incident what the alert changes there: a fact belongs to the incident that has it already."""
        changes, own = changes_of(alert, at), incident(alert)
        if changes.ends:  # before it is known whether they have opened: see `_ended_before`
            self.incidents.note_ends(changes.ends, changes.at)
        lasting = [*(fact.key for fact in changes.facts), *changes.ends]
        known = self.incidents.threads(lasting) if lasting else {}
        facts = changes.facts or (() if known else changes.news)
        threads = dict.fromkeys([*(known.get(fact.key, own) for fact in facts), *known.values()])
        return {
            thread: Noted(
                changes.at,
                tuple(fact for fact in facts if known.get(fact.key, own) == thread),
                tuple(key for key in changes.ends if known.get(key) == thread),
                "" if alert.cause.actor is None else short_name(alert.cause.actor),
                dumps(alert_to_json(alert)) if thread == own or len(threads) == 1 else "",
            )
            for thread in threads
        }

    def flush(self, key: str) -> None:
        """Say what became of an incident, or what waits for a channel; raises PortError, so that it comes again."""
        if key.startswith(_WAITING):
            self._flush_channel(key, key.removeprefix(_WAITING).partition("/")[0])
            return
        before, collected, now = self.incidents.find(key), self.incidents.close(key), self.clock.now()
        noted = {name: one for name, (text, at) in collected.items() if (one := self._noted(text, at)) is not None}
        if before is None and not noted:
            return
        heard = {name: min(at, now) for name, (_, at) in collected.items()}
        notes: list[Note] = [(heard[name], one.at, one.facts, one.ends, one.by) for name, one in noted.items()]
        facts = [*(before.facts if before else ()), *(fact for one in noted.values() for fact in one.facts)]
        notes += self._ended_before(facts, now)
        after = with_notes(before or begun(key, min(heard.values())), notes, now)
        if not after.facts:  # it ended what another process has closed meanwhile
            self.incidents.drop(key, noted)
            return
        after = acknowledged(after, self.incidents.acknowledged(after.id))
        step = stepped(after, now)
        # One that is kept already would stay: nothing but what is collected of it joins.
        if step.transition is Transition.OPENED and before is None and joins_storm(after, self.incidents.standing()):
            self._join(key, noted)
        else:
            self._follow(step, noted, now)

    def _ended_before(self, facts: Sequence[Fact], now: datetime) -> Sequence[Note]:
        """The ends of what opened earlier and is heard of later; of the same moment nobody knows, so that it lasts.

        Also of what is known: an incident that ends forgets whose its facts are, which may have opened again meanwhile.
        """
        opened = {fact.key: fact for fact in sorted(facts, key=lambda fact: fact.seen) if fact.is_open(now)}
        ends = self.incidents.ends(opened) if opened else {}
        return [(now, at, (), (key,), "") for key, at in ends.items() if at > opened[key].seen]

    def _follow(self, step: Step, noted: Mapping[str, Noted], now: datetime) -> None:
        """Send what is to be said, keep the incident, and have it looked at again in time."""
        kept = replace(step.incident, revision=step.incident.revision + 1)
        # What is critical is kept the longest: whoever makes much that is lesser takes its words from no message.
        kept_last = sorted(noted, key=lambda name: any(fact.is_critical for fact in noted[name].facts))
        drop = kept_last if step.due is None else kept_last[:-_PENDING]
        if step.transition is not None:
            # Sent before it is kept: a process that dies in between sends it twice rather than never.
            alerts, about = self._said_of(noted.values(), step, now)
            message = message_on(kept, step.transition, alerts, now, about)
            self._send(message)
            kept = with_words(kept, message)
            # A message that only lists what lasts leaves the words of the others for the next one.
            drop = drop if step.transition is Transition.STILL else [*noted]
        if not self.incidents.keep(kept, is_ended=step.due is None):
            raise IncidentMoved(f"the incident {kept.id} was changed meanwhile", retryable=True)
        self.incidents.drop(kept.key, drop)
        if step.due is None:
            self.incidents.forget([fact.key for fact in kept.facts if not fact.is_news])
        else:
            self.incidents.open(kept.key, seconds=max(1, math.ceil((step.due - now).total_seconds())))

    def _said_of(self, noted: Iterable[Noted], step: Step, now: datetime) -> tuple[Sequence[Alert], Collection[str]]:
        """The alerts whose words are true now, and the keys of their facts.

        None says that something lasts which is over, or ends what may last; of one that this version cannot read its
        facts are said.
        """
        lasting = {fact.key for fact in step.incident.left(now)}
        is_over = step.transition is Transition.OVER

        def is_true(fact: Fact) -> bool:
            return (fact.key in lasting or not fact.is_open(now)) and not (is_over and fact.may_last)

        alerts, about = list[Alert](), set[str]()
        # The same alert may have come twice.
        for text, facts in {one.alert: one.facts for one in noted if all(map(is_true, one.facts))}.items():
            if not text:
                continue
            try:
                alerts.append(alert_from_json(loads(text)))
                about |= {fact.key for fact in facts}
            except CodecError as error:
                self.warn(f"not read: {error}")
        return alerts, about

    def _join(self, key: str, noted: Mapping[str, Noted]) -> None:
        """Let an incident that would be one too many join the storm."""
        self.incidents.add(STORM, [dumps(_noted_to_json(one)) for one in noted.values()])
        self.incidents.assign([fact.key for one in noted.values() for fact in one.facts if not fact.is_news], STORM)
        # Before it is dropped: if the flush fails, nothing else would have the storm looked at.
        self.incidents.open(STORM, seconds=gathers(STORM).seconds)
        self.incidents.drop(key, noted)
        self.flush(STORM)

    def _noted(self, text: str, at: datetime) -> Noted | None:
        """What was collected; None of what nobody can read, which stays. The version before collected alerts alone."""
        try:
            value = loads(text)
            if "kind" not in value:
                return _noted_from_json(value)
            changes = changes_of(alert_from_json(value), at)
            return Noted(changes.at, changes.facts or changes.news, changes.ends, alert=text)
        except CodecError as error:
            self.warn(f"not read: {error}")
            return None

    def _send(self, message: Message) -> None:
        # Each channel is tried, whatever becomes of the others; what fails is raised in the end.
        spelled = self._as_people_read(message)
        with ExitStack() as tried:
            for name in self.channels:
                tried.callback(self._deliver, name, spelled)

    def _as_people_read(self, message: Message) -> Message:
        """The message with the aliases of accounts, which make it no longer."""
        try:
            return spelled_message(message, self.aliases())
        except PortError as error:
            self.warn(f"sent without the aliases of accounts: {error}")
            return message

    def _deliver(self, name: str, message: Message) -> None:
        try:
            if self.incidents.turn(name, most=SINGLES, seconds=SINGLES_SECONDS):
                self._let_wait(name, message)
                return
        except PortError as error:
            self.warn(f"sent to {name} all the same, because it cannot wait: {error}")
        try:
            self.channels[name].notify(message)
        except ChannelError as error:
            self.warn(f"not delivered to {name}: {error}")
            self._let_wait(name, message)

    def _let_wait(self, name: str, message: Message) -> None:
        self.incidents.add(waiting_key(name), [dumps(message_to_json(message))])
        self.incidents.open(waiting_key(name), seconds=DIGEST_SECONDS)

    def _flush_channel(self, key: str, name: str) -> None:
        """Send what waits for a channel: as one digest or, where programs listen, the last message of each incident.

        A flush that fails comes back within a minute, has no turn, and asks for one that has: once a minute, until the
        channel takes it. A message that it refuses for good holds back none behind it.
        """
        if wait := self.incidents.turn(f"digest/{name}", most=1, seconds=DIGEST_SECONDS):
            self.incidents.open(key, seconds=wait)
            return
        waiting = self.incidents.close(key)
        messages = {name: one for name, (text, _) in waiting.items() if (one := self._waiting(text)) is not None}
        # A channel that is no longer configured has nothing to get.
        if name not in self.channels:
            self.incidents.drop(key, messages)
            return
        threads = defaultdict[str, list[str]](list)
        for each, message in messages.items():
            threads[message.incident if name in THREADED else ""].append(each)
        digests = [(digest_of([messages[each] for each in thread]), thread) for thread in threads.values()]
        refused: ChannelError | None = None
        for digest, thread in sorted(digests, key=lambda one: rank_in_digest(one[0])):
            try:
                self.channels[name].notify(digest)
                self.incidents.drop(key, thread)
            except ChannelError as error:
                if error.retryable:  # the others would wait for nothing, each until it gives up
                    raise
                refused = error
        if refused is not None:
            raise refused

    def _waiting(self, text: str) -> Message | None:
        """A message that waits; None of what nobody can read, which stays. The version before let alerts wait."""
        try:
            value = loads(text)
            is_alert = "kind" in value
            return (
                self._as_people_read(safe_message_of([alert_from_json(value)]))
                if is_alert
                else message_from_json(value)
            )
        except CodecError as error:
            self.warn(f"not read: {error}")
            return None


class AnnounceAlerts(Struct, frozen=True):
    """Announces and records what the bus delivers, which may be the same alert several times."""

    send: SendAlerts
    record: Callable[[Alert, datetime], None]

    def hear(self, alert: Alert, at: datetime) -> None:
        """Announce and record an alert of this time; raises PortError."""
        self.send.announce(alert, at)
        # Afterwards: people come first. If it fails, both are done again.
        self.record(alert, at)


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
        self.announce_alerts.send.announce(failed, self.clock.now())
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
