"""How everything stands, from what the hub remembers: no account is read but to list the repositories of patterns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecr_warden.model.audit import AuditEntry, AuditKind
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.look import Look, part_of, parts_of
from ecr_warden.model.outcome import Result
from ecr_warden.model.reply import StatusReply, TargetStatus, Trouble
from ecr_warden.model.request import Selection
from ecr_warden.model.run import LastLook
from ecr_warden.model.target import Target
from ecr_warden.ports.audit import Audit
from ecr_warden.ports.clock import Clock
from ecr_warden.ports.documents import Documents, Listing
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.looks import Looks
from ecr_warden.ports.specs import Specs
from ecr_warden.ports.state import State, TargetRecord
from ecr_warden.ports.switch import Switch
from ecr_warden.ports.wiring import Wiring
from ecr_warden.usecases.departures import departing
from ecr_warden.usecases.selection import NothingAccepted, has_to_be_looked_up, select, unlisted
from ecr_warden.usecases.troubles import of_spec, of_sweeps, of_switch, of_wires

_REMEMBERED = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TellStatus:
    """The use case over its ports."""

    specs: Specs
    documents: Documents
    state: State
    looks: Looks
    switch: Switch
    wiring: Wiring
    audit: Audit
    clock: Clock

    def __call__(self, selection: Selection) -> StatusReply:
        """Raises NothingAccepted, NoSuchTarget, or a PortError of the hub's own stores."""
        accepted, now = self.specs.accepted(), self.clock.now()
        if accepted is None:
            raise NothingAccepted(self._why_nothing())
        listing = self.documents.list_repositories(accepted.patterns) if accepted.patterns else Listing()
        leaving = [spec.target for spec in departing(accepted, self.state)]
        named = [*(spec.target for spec in accepted.targets.values()), *leaving]
        known = {target.key: target for target in (*named, *listing.repositories)}
        targets = select(selection, known | (unlisted(selection, known, accepted) if listing.unread else {}))
        records = self.state.records(list(targets.values()))
        looks = {look.part: look for look in self.looks.all()}
        stopped = self.switch.reason_to_stop()
        parts = parts_of(accepted, leaving)
        return StatusReply(
            version=accepted.version,
            mode=accepted.mode,
            stopped=stopped,
            targets=tuple(
                _status(target, records.get(key, TargetRecord()), looks.get(part_of(target)), accepted, now)
                for key, target in targets.items()
            ),
            unread=tuple(str(error) for _, error in listing.unread) if has_to_be_looked_up(selection) else (),
            troubles=tuple(self._troubles(accepted, stopped, parts, looks, now)),
        )

    def _troubles(
        self,
        accepted: CompiledSpec,
        stopped: str | None,
        parts: frozenset[str],
        looks: Mapping[str, Look],
        now: datetime,
    ) -> Iterator[Trouble]:
        refusal, acceptance = self._last(AuditKind.SPEC_REFUSED), self._last(AuditKind.SPEC_ACCEPTED)
        yield from of_spec(accepted.version, self._current(), self.specs.refused() or "", refusal)
        yield from of_switch(stopped)
        wires = self.wiring.wires()
        yield from of_wires(wires)
        accepted_at = acceptance.at if acceptance is not None else None
        yield from of_sweeps(parts, [*looks.values()], wires, accepted_at=accepted_at, now=now)

    def _current(self) -> str | PortError:
        try:
            return self.specs.current().version
        except PortError as error:
            return error

    def _last(self, kind: AuditKind) -> AuditEntry | None:
        now = self.clock.now()
        return next(self.audit.entries(now - _REMEMBERED, now, {kind}), None)

    def _why_nothing(self) -> str:
        """What came of the file that is there, if any."""
        refused = self._last(AuditKind.SPEC_REFUSED)
        return "" if refused is None else f"version {refused.id or '(none)'} was refused: {refused.text}"


def _status(
    target: Target, record: TargetRecord, look: Look | None, accepted: CompiledSpec, now: datetime
) -> TargetStatus:
    """What is remembered of a target, by whoever looked last: a run of it, or a sweep of its part.

    A sweep says what it found and no more: of a target that differed, that it did.
    """
    pause = record.pause if record.pause is not None and record.pause.is_on(now) else None
    known = TargetStatus(str(target), record.last, pause, record.open_run, record.reported is not None)
    if look is None or look.version != accepted.version or (record.last is not None and record.last.at >= look.at):
        return known
    run_id, result = (record.last.run_id, record.last.result) if record.last is not None else ("", None)
    if target.key in look.fine:
        seen = LastLook(look.at, run_id, Result.IN_SYNC)
        return TargetStatus(known.target, seen, pause, record.open_run, trouble=False)
    if target.key in look.due:
        return TargetStatus(known.target, LastLook(look.at, run_id, result), pause, record.open_run, True, due=True)
    return known
