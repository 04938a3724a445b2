"""Commands to the deployed hub, each recorded with its proven caller before it takes effect.

Nothing here writes to a member account: `apply` enqueues runs, which do the writing.
"""

from datetime import datetime
from typing import assert_never

from msgspec import Struct

from ecr_warden.errors import WardenError
from ecr_warden.model.alert import TargetsPaused, TargetsResumed
from ecr_warden.model.codec.requests import command_from_text
from ecr_warden.model.desired import CompiledSpec, Mode
from ecr_warden.model.job import Actor, Cause, CauseKind
from ecr_warden.model.reply import CommandReply
from ecr_warden.model.request import Apply, AuditEntry, AuditKind, Call, Command, PauseUntil, Resume
from ecr_warden.model.run import LONGEST_PAUSE, Pause
from ecr_warden.model.target import Target
from ecr_warden.policy.printable import show_time
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.hub import Callers, Clock, CommandRecords, Jobs
from ecr_warden.ports.store import Audit, Specs, State
from ecr_warden.usecases.jobs import reconcile_jobs
from ecr_warden.usecases.selection import NoSuchTarget, NothingAccepted
from ecr_warden.usecases.targets import spec_for


class BadEnd(WardenError):
    """The end of a pause is past, or too far away."""

    code = "bad-end"


class Commands(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    state: State
    command_records: CommandRecords
    jobs: Jobs
    alerts: AlertBus
    callers: Callers
    audit: Audit
    clock: Clock

    def __call__(self, text: object, proof: object, hub: str) -> CommandReply:
        """Carry out the command in the text; `hub`: the function ARN that the caller's proof must be for.

        Raises BadRequest, CallerUnproved, NothingAccepted, NoSuchTarget, BadEnd, CommandRepeated, or another PortError.
        """
        command = command_from_text(text)
        assert isinstance(text, str)
        caller = self.callers.prove(proof, text, hub)
        accepted = self.specs.accepted()
        if accepted is None:
            raise NothingAccepted
        now = self.clock.now()
        targets = tuple(dict.fromkeys(command.targets))
        for target in targets:
            if spec_for(target, accepted) is None:
                message = f"{target} is not a target of the accepted spec"
                raise NoSuchTarget(message, remedy="ecr-warden status lists the targets")
        if isinstance(command, PauseUntil):
            _check_end(command.until, now)
        self.command_records.take(Call(command.id, caller.arn, text, now))
        self._record(command, targets, caller, now)
        cause = Cause(CauseKind.CALLER, command.id, _verb(command), at=now.isoformat(timespec="seconds"), actor=caller)
        return self._do(command, accepted, targets, cause, caller)

    def _record(self, command: Command, targets: tuple[Target, ...], caller: Actor, now: datetime) -> None:
        """Recorded before it takes effect: a process that dies in between recorded too much, never too little."""
        match command:
            case Apply():  # each of its runs is journalled
                return
            case PauseUntil(reason=reason, until=until):
                kind, text = AuditKind.PAUSED, f"until {show_time(until)}: {reason}"
            case Resume():
                kind, text = AuditKind.RESUMED, ""
            case _:
                assert_never(command)
        self.audit.record(AuditEntry(kind, now, command.id, caller, text, tuple(map(str, targets))))

    def _do(
        self, command: Command, accepted: CompiledSpec, targets: tuple[Target, ...], cause: Cause, caller: Actor
    ) -> CommandReply:
        match command:
            case Apply():
                enqueued = accepted.mode is Mode.ENFORCE
                if enqueued:
                    self.jobs.enqueue(reconcile_jobs(cause, targets))
            case PauseUntil(reason=reason, until=until):
                enqueued = False
                # Announced first: a process that dies in between announced a pause that is not set, never the reverse.
                self.alerts.publish(TargetsPaused(cause, tuple(map(str, targets)), reason, until))
                pause = Pause(command.id, caller, reason, self.clock.now(), until)
                for target in targets:
                    self.state.pause(target, pause)
            case Resume():
                targets = self._paused(targets)
                enqueued = bool(targets)
                if targets:
                    self.alerts.publish(TargetsResumed(cause, tuple(map(str, targets))))
                    for target in targets:
                        self.state.resume(target)
                    self.jobs.enqueue(reconcile_jobs(cause, targets))
            case _:
                assert_never(command)
        return CommandReply(command.id, caller.arn, accepted.mode, tuple(map(str, targets)), enqueued)

    def _paused(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        now = self.clock.now()
        records = self.state.records(targets)
        pauses = {key: record.pause for key, record in records.items() if record.pause is not None}
        return tuple(target for target in targets if target.key in pauses and pauses[target.key].is_on(now))


def _verb(command: Command) -> str:
    """The verb that the caller typed."""
    match command:
        case Apply():
            return "apply"
        case PauseUntil():
            return "pause"
        case Resume():
            return "resume"
        case _:
            assert_never(command)


def _check_end(until: datetime, now: datetime) -> None:
    if until <= now:
        raise BadEnd(f"the end {until.isoformat()} is past", remedy="give a later one, or a duration such as 2h")
    if until - now > LONGEST_PAUSE:
        remedy = "pause for less and repeat it, or remove from the spec what ecr-warden should leave alone"
        raise BadEnd(f"a pause lasts at most {LONGEST_PAUSE.days} days", remedy=remedy)
