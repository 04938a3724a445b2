"""Commands to the deployed hub, each recorded with its authenticated caller before it takes effect.

Nothing here writes to a member account: `reconcile` enqueues runs, which do the writing.
"""

from collections.abc import Iterable
from copy import replace
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.job import AcceptSpec, Actor, Cause, CauseKind, reconcile_jobs, short_name
from ecr_warden.core.pause import LONGEST_PAUSE, PatternPause, Pause
from ecr_warden.core.queue import Jobs
from ecr_warden.core.target import Target, new_targets
from ecr_warden.hub.incidents import lasting
from ecr_warden.hub.reply import CommandReply
from ecr_warden.hub.selecting import NoSuchTarget, NothingAccepted
from ecr_warden.notify.incident import Acknowledgement
from ecr_warden.notify.ports import IncidentRecords
from ecr_warden.repair.alerts import ChannelsTested, TargetsPaused, TargetsResumed
from ecr_warden.repair.targets import spec_for
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.commands import (
    Accept,
    Acknowledge,
    Call,
    Command,
    CommandRecords,
    Decide,
    PauseUntil,
    ReconcileTargets,
    Reject,
    Resume,
    TryChannels,
    Upload,
    command_from_text,
)
from ecr_warden.state.history import HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.state.hold import Decision, HoldState, Verdict
from ecr_warden.state.holds import Holds, hold_decided
from ecr_warden.state.pauses import goes_on_by_pattern, latest_pauses
from ecr_warden.state.specs import Specs
from ecr_warden.state.state import State
from ecr_warden.versions.alerts import HoldSettled
from ecr_warden.versions.holds import hold_over, no_such_hold
from iam_access.errors import NamedError
from iam_access.text.printable import show_time


class Callers(Protocol):
    """Authenticates the callers of commands."""

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that recently signed exactly this request for this hub; raises CallerUnauthenticated."""


class BadEnd(NamedError, code="bad-end"):
    """The end of a pause is past, or too far away."""


class OnlyUploads(NamedError, code="only-uploads"):
    """The caller came by a way on which only an upload is recorded."""


class Commands(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    state: State
    command_records: CommandRecords
    jobs: Jobs
    alerts: AlertBus
    callers: Callers
    log: HistoryLog
    holds: Holds
    incidents: IncidentRecords
    clock: Clock

    def carry_out(self, text: object, proof: object, hub: str, *, only_uploads: bool = False) -> CommandReply:
        """Carry out the command in the text; `hub`: the function ARN that the caller's proof must be for.

        `only_uploads`: the caller may do no more than say what was uploaded.

        Raises BadRequest, OnlyUploads, CallerUnauthenticated, NothingAccepted, NoSuchTarget, BadEnd, NoSuchHold,
        HoldOver, HoldDecided, NoSuchIncident, CommandRepeated, or another PortError.
        """
        command = command_from_text(text)
        assert isinstance(text, str)
        if only_uploads and not isinstance(command, Upload):
            raise OnlyUploads("an upload is all that is recorded by this way", remedy="call ecr-warden-control itself")
        caller = self.callers.authenticate(proof, text, hub)
        match command:
            case Accept() | Reject():
                return self._decide(command, text, caller)
            case Acknowledge():
                return self._acknowledge(command, text, caller)
            case TryChannels():
                self.alerts.publish(ChannelsTested(self._begin(command, text, caller, self.clock.now())))
                return CommandReply(command.id, caller.arn, self._mode(), (), enqueued=False)
            case Upload():
                return self._record_upload(command, text, caller, self.specs.accepted())
            case ReconcileTargets() | PauseUntil() | Resume():
                return self._steer(command, text, caller)

    def _steer(self, command: ReconcileTargets | PauseUntil | Resume, text: str, caller: Actor) -> CommandReply:
        """Have targets repaired, paused or resumed."""
        accepted, now = self.specs.accepted(), self.clock.now()
        if accepted is None:
            raise NothingAccepted
        targets = tuple(dict.fromkeys(command.targets))
        for target in targets:
            if spec_for(target, accepted) is None:
                raise NoSuchTarget(
                    f"{target} is not a target of the accepted spec", remedy="ecr-warden status all lists the targets"
                )
        if isinstance(command, PauseUntil):
            _check_end(command.until, now)
        cause = self._begin(command, text, caller, now)
        # Recorded and announced before it takes effect: a process that dies in between did so too early, never not at
        # all. A reconciliation is recorded by its runs.
        match command:
            case ReconcileTargets():
                due = tuple(target for target in targets if accepted.mode_of(target) is Mode.ENFORCE)
                enqueued = bool(due)
                if enqueued:
                    targets = due
                    self.jobs.enqueue(reconcile_jobs(cause, targets))
            case PauseUntil(reason=reason, until=until, patterns=patterns):
                enqueued = False
                self._pause(targets, patterns, Pause(command.id, caller, reason, now, until), cause)
            case Resume(patterns=patterns):
                targets = self._resume(targets, patterns, Pause(command.id, caller, "", now, now), cause)
                enqueued = bool(targets)
        names, mode = tuple(map(str, targets)), accepted.overall_mode
        return CommandReply(command.id, caller.arn, mode, names, enqueued)

    def _begin(self, command: Command, text: str, caller: Actor, now: datetime) -> Cause:
        """Record the command; raises CommandRepeated."""
        self.command_records.record(Call(command.id, caller.arn, text, now))
        verb = str(command.__struct_config__.tag)
        return Cause(CauseKind.CALLER, command.id, verb, at=now.isoformat(timespec="seconds"), actor=caller)

    def _decide(self, command: Decide, text: str, caller: Actor) -> CommandReply:
        """Record a decision on a hold; the job that looks again only says where to look, and decides by the record."""
        hold, now = self.holds.find(command.hold), self.clock.now()
        if hold is None:
            raise no_such_hold(command.hold)
        if hold.decision is not None:
            raise hold_decided(hold.id, hold.decision)
        standing = self.specs.standing()
        has_moved = not hold.ground.fits(standing.accepted, standing.baseline)
        if not hold.is_open(now) or has_moved:
            raise hold_over(hold, self.holds.find(hold.instead) if hold.instead else None, has_moved=has_moved)
        verdict = Verdict.ACCEPT if isinstance(command, Accept) else Verdict.REJECT
        cause = self._begin(command, text, caller, now)
        decision = Decision(command.id, verdict, caller, now)
        self.holds.decide(hold, decision)
        # Decided first, for of two people who decide at once only one is announced.
        settled = replace(hold, decision=decision, state=_SETTLED[verdict], asked=None)
        self.log.record(HistoryEntry(_DECIDED[verdict], now, hold.id, caller, hold.what))
        self.alerts.publish(HoldSettled(cause, settled))
        self.jobs.enqueue([AcceptSpec(cause)])
        return CommandReply(command.id, caller.arn, self._mode(), (), enqueued=True)

    def _acknowledge(self, command: Acknowledge, text: str, caller: Actor) -> CommandReply:
        now, incident = self.clock.now(), lasting(command.incident, self.incidents)
        self._begin(command, text, caller, now)
        self.log.record(HistoryEntry(HistoryKind.ACKNOWLEDGED, now, incident.id, caller, command.reason))
        self.incidents.acknowledge(incident.id, Acknowledgement(short_name(caller), now, command.reason))
        return CommandReply(command.id, caller.arn, self._mode(), (), enqueued=False)

    def _mode(self) -> Mode:
        """Of the accepted version; observe where what it says is not known."""
        try:
            accepted = self.specs.accepted()
        except CompiledUnusable:
            accepted = None
        return Mode.OBSERVE if accepted is None else accepted.overall_mode

    def _record_upload(self, command: Upload, text: str, caller: Actor, accepted: CompiledSpec | None) -> CommandReply:
        now = self.clock.now()
        self._begin(command, text, caller, now)
        self.log.record(HistoryEntry(HistoryKind.PUBLISHED, now, command.id, caller, command.version))
        mode = Mode.OBSERVE if accepted is None else accepted.overall_mode
        return CommandReply(command.id, caller.arn, mode, (), enqueued=False)

    def _pause(self, targets: tuple[Target, ...], patterns: tuple[str, ...], pause: Pause, cause: Cause) -> None:
        self._record(
            HistoryKind.PAUSED,
            cause,
            pause.at,
            targets,
            _with_patterns(f"until {show_time(pause.until)}: {pause.reason}", patterns),
        )
        self.alerts.publish(
            TargetsPaused(cause, tuple(map(str, targets)), pause.reason, pause.until, patterns=patterns)
        )
        self._set(targets, patterns, pause)

    def _resume(
        self, targets: tuple[Target, ...], patterns: tuple[str, ...], ended: Pause, cause: Cause
    ) -> tuple[Target, ...]:
        """Resume the patterns and the paused ones of the targets; returns these. `ended` replaces their pauses."""
        self._record(HistoryKind.RESUMED, cause, ended.at, targets, _with_patterns("", patterns))
        paused = [target for target, pause in latest_pauses(targets, self.state).items() if pause.is_on(ended.at)]
        if paused or (patterns and goes_on_by_pattern(self.state, ended.at)):
            self.alerts.publish(TargetsResumed(cause, tuple(map(str, paused)), patterns=patterns))
        self._set(paused, patterns, ended)
        self.jobs.enqueue(reconcile_jobs(cause, paused))
        return tuple(paused)

    def _set(self, targets: Iterable[Target], patterns: tuple[str, ...], pause: Pause) -> None:
        # Also without a pattern: the clock finds the times of all pauses there.
        self.state.pause_patterns(PatternPause(patterns, pause))
        for target in targets:
            self.state.pause(target, pause)

    def _record(
        self, kind: HistoryKind, cause: Cause, at: datetime, targets: tuple[Target, ...], text: str = ""
    ) -> None:
        self.log.record(HistoryEntry(kind, at, cause.id, cause.actor, text, tuple(map(str, targets))))


def _with_patterns(text: str, patterns: tuple[str, ...]) -> str:
    return "; ".join(filter(None, (text, f"and {new_targets(patterns)}" if patterns else "")))


_SETTLED = {Verdict.ACCEPT: HoldState.ACCEPTED, Verdict.REJECT: HoldState.REJECTED}
_DECIDED = {Verdict.ACCEPT: HistoryKind.HOLD_ACCEPTED, Verdict.REJECT: HistoryKind.HOLD_REJECTED}


def _check_end(until: datetime, now: datetime) -> None:
    if until <= now:
        raise BadEnd(f"the end {until.isoformat()} is past", remedy="give a later one, or a duration such as 2h")
    if until - now > LONGEST_PAUSE:
        raise BadEnd(
            f"a pause lasts at most {LONGEST_PAUSE.days} days",
            remedy="pause for less and repeat it, or remove from the spec what ecr-warden should leave alone",
        )
