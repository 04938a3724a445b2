"""`status`: the state of every target and of the hub itself, from what the hub remembers.

Accounts are read only to list the repositories that fit a pattern.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.reply import StatusReply, TargetStatus, Trouble
from ecr_warden.model.request import AuditEntry, AuditKind, Selection
from ecr_warden.model.run import LastSeen, Result
from ecr_warden.model.target import Target
from ecr_warden.model.watch import EventSource, SourceState, SweepRecord, part_of, parts_of
from ecr_warden.policy.printable import first, show_time
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.errors import PortError, SpecUnusable
from ecr_warden.ports.hub import Clock, EventSources, Switch
from ecr_warden.ports.store import Audit, Specs, State, SweepRecords, TargetRecord
from ecr_warden.usecases.selection import NothingAccepted, has_to_be_looked_up, select, unlisted
from ecr_warden.usecases.targets import removals

_REMEMBERED = timedelta(days=366)
_PARTS_SHOWN = 4
_RATE = re.compile(r"rate\(([0-9]{1,5}) (minute|hour|day)s?\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# A sweep that is slow, or retried after an error, is not overdue yet; nor is one that was just missed.
_GRACE = timedelta(minutes=10)
# When a cron expression is due is not worked out here.
_LONGEST_CRON = timedelta(days=1)


class StatusQuery(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    documents: Documents
    state: State
    sweep_records: SweepRecords
    switch: Switch
    event_sources: EventSources
    audit: Audit
    clock: Clock

    def __call__(self, selection: Selection) -> StatusReply:
        """Raises NothingAccepted, NoSuchTarget, or a PortError of the hub's own stores."""
        accepted, now = self.specs.accepted(), self.clock.now()
        if accepted is None:
            raise NothingAccepted(self._why_nothing())
        listing = self.documents.list_repositories(accepted.patterns)
        leaving = [spec.target for spec in removals(accepted, self.state)]
        named = [*(spec.target for spec in accepted.targets.values()), *leaving]
        known = {target.key: target for target in (*named, *listing.repositories)}
        targets = select(selection, known | (unlisted(selection, known, accepted) if listing.unread else {}))
        records = self.state.records(list(targets.values()))
        sweeps = {sweep.part: sweep for sweep in self.sweep_records.all()}
        stopped = self.switch.reason_to_stop()
        parts = parts_of(accepted, leaving)
        return StatusReply(
            version=accepted.version,
            mode=accepted.mode,
            stopped=stopped,
            targets=tuple(
                _status(target, records.get(key, TargetRecord()), sweeps.get(part_of(target)), accepted, now)
                for key, target in targets.items()
            ),
            unread=tuple(str(error) for _, error in listing.unread) if has_to_be_looked_up(selection) else (),
            troubles=tuple(self._troubles(accepted, stopped, parts, sweeps, now)),
        )

    def _troubles(
        self,
        accepted: CompiledSpec,
        stopped: str | None,
        parts: frozenset[str],
        sweeps: Mapping[str, SweepRecord],
        now: datetime,
    ) -> Iterator[Trouble]:
        refusal, acceptance = self._last(AuditKind.SPEC_REFUSED), self._last(AuditKind.SPEC_ACCEPTED)
        yield from _of_spec(accepted.version, self._current(), self.specs.refused() or "", refusal)
        if stopped is not None:
            yield Trouble("writes-stopped", stopped)
        sources = self.event_sources.sources()
        yield from _of_sources(sources)
        accepted_at = acceptance.at if acceptance is not None else None
        yield from _of_sweeps(parts, [*sweeps.values()], sources, accepted_at=accepted_at, now=now)

    def _current(self) -> str | PortError:
        try:
            return self.specs.current().version
        except PortError as error:
            return error

    def _last(self, kind: AuditKind) -> AuditEntry | None:
        now = self.clock.now()
        return next(self.audit.entries(now - _REMEMBERED, now, {kind}), None)

    def _why_nothing(self) -> str:
        """Why the spec that was uploaded, if any, was not accepted."""
        refused = self._last(AuditKind.SPEC_REFUSED)
        return "" if refused is None else f"version {refused.id or '(none)'} was refused: {refused.text}"


def _status(
    target: Target, record: TargetRecord, sweep: SweepRecord | None, accepted: CompiledSpec, now: datetime
) -> TargetStatus:
    """The status of a target, from whichever read it last: a run of it, or a sweep of its part.

    A sweep knows only whether a target differed, not how.
    """
    pause = record.pause if record.pause is not None and record.pause.is_on(now) else None
    known = TargetStatus(str(target), record.last, pause, record.open_run, record.reported is not None)
    if sweep is None or sweep.version != accepted.version or (record.last is not None and record.last.at >= sweep.at):
        return known
    run_id, result = (record.last.run_id, record.last.result) if record.last is not None else ("", None)
    if target.key in sweep.fine:
        seen = LastSeen(sweep.at, run_id, Result.IN_SYNC)
        return TargetStatus(known.target, seen, pause, record.open_run, trouble=False)
    if target.key in sweep.due:
        return TargetStatus(known.target, LastSeen(sweep.at, run_id, result), pause, record.open_run, True, due=True)
    return known


def _of_spec(
    accepted: str, current: str | PortError, refused: str, last_refusal: AuditEntry | None
) -> Iterator[Trouble]:
    """Whether the spec in the bucket is the accepted one.

    `current`: the bucket's version, or why it cannot be read; `refused`: what Specs.refused returns.
    """
    stays = f"version {accepted} stays in force"
    match current:
        case SpecUnusable():
            yield Trouble(current.code, f"{current.message}; {stays}", current.remedy)
        case PortError():
            unknown = f"it is not known whether version {accepted}, which is in force, is the current one"
            yield Trouble("spec-unread", f"{unknown}: {current.message}", current.remedy)
        case str() if current == accepted:
            pass
        case str() if current == refused:
            why = ""
            if last_refusal is not None and last_refusal.id == current:
                why = f" at {show_time(last_refusal.at)}: {last_refusal.text}"
            remedy = "ecr-warden validate lists all its problems"
            yield Trouble("spec-refused", f"version {current} of the spec was refused{why}; {stays}", remedy)
        case str():
            message = f"version {current} of the spec was uploaded and is not processed yet; {stays}"
            yield Trouble("spec-pending", message, "it will be processed within seconds, or at the next sweep")
        case _:
            assert_never(current)


def _of_sources(sources: Sequence[EventSource]) -> Iterator[Trouble]:
    """The rules and notifications that are not as the hub's stack creates them."""
    for source in sources:
        match source.state:
            case SourceState.ON:
                pass
            case SourceState.UNREADABLE:
                yield Trouble("wiring-unread", f"it is not known whether the {source.name} is on: {source.why}")
            case SourceState.MISSING | SourceState.DISABLED | SourceState.TARGETLESS:
                targetless = source.state is SourceState.TARGETLESS
                how = "no longer leads to its function" if targetless else f"is {source.state}"
                remedy = "deploy the hub's stack again: docs/deploy.md"
                yield Trouble("wiring-cut", f"the {source.name} {how}: it delivers {source.delivers}", remedy)


def _of_sweeps(
    parts: Collection[str],
    sweeps: Sequence[SweepRecord],
    sources: Sequence[EventSource],
    *,
    accepted_at: datetime | None,
    now: datetime,
) -> Iterator[Trouble]:
    """The parts that no sweep has completed for too long; `accepted_at`: when there first was something to sweep."""
    schedule = next((source.schedule for source in sources if source.schedule), "")
    allowed = _allowed(schedule)
    looked = {sweep.part: sweep.at for sweep in sweeps}
    late = sorted(part for part in parts if _since(looked.get(part), accepted_at, now) > allowed)
    if not late:
        return
    oldest = min((looked[part] for part in late if part in looked), default=None)
    since = f"since {show_time(oldest)}" if oldest is not None else "yet"
    which = "" if len(late) == len(parts) else f" of {', '.join(first(late, _PARTS_SHOWN))}"
    due = f" (schedule: {schedule})" if schedule else ""
    remedy = "see the log group /aws/lambda/ecr-warden-reconcile and the dead-letter queue: docs/deploy.md"
    yield Trouble("sweep-overdue", f"no sweep{which} has completed {since}{due}", remedy)


def _since(looked: datetime | None, accepted_at: datetime | None, now: datetime) -> timedelta:
    since = looked or accepted_at
    return now - since if since is not None else timedelta.max


def _allowed(schedule: str) -> timedelta:
    found = _RATE.fullmatch(schedule)
    return 2 * int(found[1]) * _UNITS[found[2]] + _GRACE if found else _LONGEST_CRON
