"""Questions to the deployed hub; nothing here writes."""

import gzip
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.collect.estate import EstateReader, Needed, Reading
from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import Json, dumps
from ecr_warden.core.codec.compressed import compress
from ecr_warden.core.codec.values import to_json
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import OutOfTime, PortError
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.pause import pause_of
from ecr_warden.core.plan import Plan
from ecr_warden.core.run import RunEntry
from ecr_warden.core.spec_failures import BaselineLost, SpecUnusable
from ecr_warden.core.target import EVERYTHING, RepositoryTarget
from ecr_warden.hub.incidents import incidents_reply
from ecr_warden.hub.plan import Memory, plan_targets, scope_gaps, why_observed, write_scopes
from ecr_warden.hub.reply import (
    AccountScope,
    CallReply,
    Checked,
    CheckReply,
    EstateReply,
    HeldReply,
    HistoryReply,
    KeptVersion,
    PlanReply,
    PushedReply,
    QuestionReply,
    RunReply,
    ScopesReply,
    VersionsReply,
)
from ecr_warden.hub.request import (
    MAX_ENTRIES,
    AskCall,
    AskCheck,
    AskEstate,
    AskHeld,
    AskHistory,
    AskIncidents,
    AskPlan,
    AskPushed,
    AskRun,
    AskScopes,
    AskStatus,
    AskVersions,
    Question,
)
from ecr_warden.hub.selecting import NoSuchTarget, NothingAccepted, has_to_be_looked_up, select, unlisted
from ecr_warden.hub.status import StatusQuery
from ecr_warden.images.push import ImageRecords
from ecr_warden.notify.ports import IncidentRecords
from ecr_warden.state.commands import CommandRecords, Selection
from ecr_warden.state.history import REMEMBERED, HistoryEntry, HistoryLog
from ecr_warden.state.hold import Hold
from ecr_warden.state.journal import Journal
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import parts_of
from ecr_warden.state.switch import Switch
from ecr_warden.versions.changes import recent
from ecr_warden.versions.holds import no_such_hold
from iam_access.errors import NamedError
from iam_access.inventory.printed import with_texts
from iam_access.text.nearest import completed
from iam_access.text.printable import few, first

_HOLDS_SHOWN, _LINES_SHOWN = 100, 20
# Lambda returns 6 MB at most, and JSON in a JSON string grows.
REPLY_BYTES = 4_000_000
NAMES_SHOWN = 20
_TARGETS_SHOWN = 10
_DAY_DIGITS, _HOLD_DIGITS = 8, 12


class NoSuchRun(NamedError, code="no-such-run"):
    """The journal has no such run."""


class NotSurveyed(NamedError, code="not-surveyed"):
    """That part of the estate has not been read."""


class PartTooLarge(NamedError, code="part-too-large"):
    """A part of the estate does not fit into a reply."""


class _Plans(Struct, frozen=True):
    accepted: CompiledSpec
    every: tuple[Plan, ...]
    plans: tuple[Plan, ...]
    unread: tuple[str, ...]
    recreated: tuple[str, ...]
    accounts: ReadAccounts


class Queries(Struct, frozen=True):
    """The use case over its ports, of which most are those of the status."""

    reader: EstateReader
    journal: Journal
    command_records: CommandRecords
    status: StatusQuery
    image_records: ImageRecords
    incident_records: IncidentRecords
    images_in: Callable[[RepositoryTarget], Mapping[str, str]]
    """The status of each image that is in a repository, by digest; raises PortError."""
    reply_bytes: int = REPLY_BYTES
    is_out_of_time: Callable[[], bool] = lambda: False
    max_removed: int | None = None

    def answer(self, question: Question) -> QuestionReply:
        """Answer; raises NoSuchTarget, NoSuchRun, NoSuchHold, NoSuchIncident, NotSurveyed, PartTooLarge.

        Raises also NothingAccepted, and PortError for the hub's own stores.
        """
        match question:
            case AskStatus(selection):
                return self.status.answer(selection)
            case AskPlan(selection):
                return self._plan(selection)
            case AskCheck(selection):
                return self._check(selection)
            case AskHistory():
                return history(question, self.journal, self.status.log, self.status.switch, self.status.clock)
            case AskPushed():
                return self._pushed(question)
            case AskIncidents():
                return incidents_reply(question, self.incident_records, self.status.clock.now())
            case AskRun(run_id):
                return self._run(run_id)
            case AskCall(call_id):
                return CallReply(tuple(self.command_records.answers(call_id)))
            case AskEstate(part):
                return self._estate(part)
            case AskHeld(hold_id):
                return self._held(hold_id)
            case AskVersions():
                return self._versions()
            case AskScopes(accounts):
                return self._scopes(accounts)

    def _pushed(self, asked: AskPushed) -> PushedReply:
        repository = asked.repository
        if not isinstance(repository, RepositoryTarget) or self._accepted().spec_of(repository) is None:
            raise NoSuchTarget(
                f"the accepted spec has no repository {repository}", remedy="ecr-warden status lists them"
            )
        days = self.image_records.days(repository, f"{asked.since:%Y-%m-%d}").items()
        kept = [day for name, day in days if name <= f"{asked.until:%Y-%m-%d}"]
        pushes = sorted(
            (one for day in kept for one in day.pushes if asked.since <= one.at <= asked.until),
            key=lambda one: one.at,
            reverse=True,
        )
        shown, omitted = few(pushes, MAX_ENTRIES, sum(day.left_out for day in kept))
        try:
            found, unread = self.images_in(repository), ""
        except PortError as error:
            found, unread = {}, str(error)
        there = {one.digest: found[one.digest] for one in shown if one.digest in found}
        return PushedReply(tuple(shown), omitted, there, unread)

    def _held(self, hold_id: str) -> HeldReply:
        if not hold_id:
            waiting = sorted(self.status.holds.waiting(), key=lambda hold: (hold.since, hold.id))
            shown, omitted = few(waiting, _HOLDS_SHOWN)
            return HeldReply(tuple(hold.shortened(_LINES_SHOWN) for hold in shown), omitted)
        hold = self._hold(hold_id)
        if hold is None:
            raise no_such_hold(hold_id)
        return HeldReply((hold,))

    def _hold(self, hold_id: str) -> Hold | None:
        """By the ID; one that waits also by the beginning of it."""
        if len(hold_id) == _HOLD_DIGITS:
            return self.status.holds.find(hold_id)
        waiting = {hold.id: hold for hold in self.status.holds.waiting()}
        return waiting.get(completed(hold_id, waiting))

    def _versions(self) -> VersionsReply:
        accepted, baseline, lost = self.status.specs.accepted(), None, ""
        try:
            kept_baseline = self.status.specs.baseline()
            baseline = (
                None if kept_baseline is None else KeptVersion(kept_baseline.version, _compressed(kept_baseline.text))
            )
        except BaselineLost as error:
            lost = error.message
        if accepted is None:
            return VersionsReply(None, baseline, 0, lost, self.max_removed)
        removed = sum(removal.grants for removal in recent(accepted.removals, self.status.clock.now()))
        try:
            text = _compressed(self.status.specs.text(accepted.version))
        except SpecUnusable:
            text = ""
        return VersionsReply(KeptVersion(accepted.version, text), baseline, removed, lost, self.max_removed)

    def _scopes(self, accounts: Sequence[str]) -> ScopesReply:
        """Of the accounts that the accepted spec has: the hub reads no other."""
        accepted = self.status.specs.accepted()
        known = [account for account in accounts if accepted is not None and account in accepted.accounts]
        return ScopesReply(tuple(self._scope(account, reading) for account, reading in self.reader.some(Needed(known))))

    def _scope(self, account: str, reading: Reading) -> AccountScope:
        accounts = ReadAccounts(LiveEstate.of({account: reading}, self.status.clock.now()))
        match write_scopes(accounts, [account])[account]:
            case PortError() as error:
                return AccountScope(account, error=str(error))
            case scope:
                lists = None if scope.lists is None else {name: tuple(some) for name, some in scope.lists.items()}
                return AccountScope(account, scope.arns, lists)

    def _read(self, asked: Needed) -> LiveEstate:
        return LiveEstate.of(dict(self.reader.some(asked)), self.status.clock.now())

    def _accepted(self) -> CompiledSpec:
        accepted = self.status.specs.whole()
        if accepted is None:
            raise NothingAccepted
        return accepted

    def _plans(self, selection: Selection) -> _Plans:
        """Everything is read whatever is selected, for the plan of a user depends on its role."""
        accepted = self._accepted()
        read = plan_targets(
            accepted,
            self._read,
            self.status.clock,
            Memory(self.status.state, self.status.sweep_records),
            is_out_of_time=self.is_out_of_time,
        )
        plans = {plan.target.key: plan for plan in read.plans}
        known = {key: plan.target for key, plan in plans.items()}
        extra = unlisted(selection, known, accepted) if read.unread else {}
        selected = [key for key in select(selection, known | extra, accepted.aliases) if key in plans]
        concerned = has_to_be_looked_up(selection) or extra
        # A name or a pattern of names selects repositories alone.
        every = EVERYTHING in selection
        may_be = [plan for plan in read.unread if concerned and (every or isinstance(plan.target, RepositoryTarget))]
        unread = (*_left_out([plans[key] for key in selected]), *(plan.drifts[0].explain for plan in may_be))
        specs = [spec for key in selected if (spec := accepted.spec_of(plans[key].target)) is not None]
        named = {*selected, *(identity.key for spec in specs for identity in spec.principals.values())}
        recreated = [str(identity) for identity in read.recreated if identity.key in named]
        chosen = tuple(plans[key] for key in selected)
        return _Plans(accepted, read.plans, chosen, unread, tuple(recreated), read.accounts)

    def _estate(self, part: str) -> EstateReply:
        parts = tuple(sorted(parts_of(self._accepted())))
        if not part:
            return EstateReply(parts)
        piece = self.status.estate.get(part) if part in parts else None
        if piece is None:
            raise NotSurveyed(
                f"{part} has not been read yet",
                remedy="the next sweep reads it" if part in parts else "name a part that the accepted spec has",
            )
        text = b64encode(compress(dict(with_texts(piece.entry, self.status.estate.text)))).decode()
        if len(text) > self.reply_bytes:
            raise PartTooLarge(
                f"{part} does not fit into a reply: {len(text)} bytes, at most {self.reply_bytes}",
                remedy="read the accounts with your own credentials: ecr-warden snapshot --spec SPEC",
            )
        return EstateReply(parts, piece.began, text)

    def _plan(self, selection: Selection) -> PlanReply:
        read = self._plans(selection)
        differing = [plan for plan in read.plans if not plan.is_empty]
        kept = _that_fit(differing, to_json, self.reply_bytes)
        return PlanReply(
            version=read.accepted.version,
            mode=read.accepted.overall_mode,
            targets=len(read.plans),
            plans=kept,
            omitted=len(differing) - len(kept),
            unread=read.unread,
            left=dict(self._left(kept, read.accepted)),
            recreated=read.recreated,
            write_scope=scope_gaps(read.accepted, read.every, read.accounts, of=[plan.target for plan in read.plans]),
        )

    def _left(self, plans: Sequence[Plan], accepted: CompiledSpec) -> Iterator[tuple[str, str]]:
        """The plans that would not be applied now, and why."""
        stopped, now = self.status.switch.reason_to_stop(), self.status.clock.now()
        records, by_pattern = (
            self.status.state.records([plan.target for plan in plans]),
            self.status.state.pattern_pauses(),
        )
        for plan in plans:
            pause = pause_of(plan.target, records.get(plan.target.key, TargetRecord()).pause, by_pattern, now)
            reason = stopped if pause is None else str(pause)
            reason = why_observed(accepted, plan.target) or reason
            if plan.changes and reason is not None:
                yield str(plan.target), reason

    def _check(self, selection: Selection) -> CheckReply:
        read = self._plans(selection)
        # A plan without drift only removes an expired cut-off: the target is in sync, or not one of the spec's.
        plans = [plan for plan in read.plans if plan.drifts or read.accepted.spec_of(plan.target) is not None]
        # Targets in sync take next to no room: none of them is left out.
        differing = [plan for plan in plans if plan.drifts]
        fitting = _that_fit(differing, lambda plan: {"drifts": to_json(plan.drifts)}, self.reply_bytes)
        kept = {plan.target.key for plan in fitting}
        named = [plan.target for plan in plans if read.accepted.spec_of(plan.target) is not None]
        repositories = [target for target in named if isinstance(target, RepositoryTarget)]
        health, access = self.status.access(read.accepted, repositories)
        audited = {target.key: health.access(target) for target in repositories}
        checked = tuple(
            Checked(str(plan.target), plan.drifts, audited.get(plan.target.key))
            for plan in plans
            if not plan.drifts or plan.target.key in kept
        )
        return CheckReply(read.accepted.version, checked, len(plans) - len(checked), read.unread, access)

    def _run(self, run_id: str) -> RunReply:
        alike = [run_id] if len(run_id) < _DAY_DIGITS else self.journal.beginning_with(run_id)
        if len(alike) > 1 and run_id not in alike:
            raise NoSuchRun(f"several runs begin with {run_id}: {', '.join(alike)}", remedy="give more of the ID")
        run = self.journal.find(alike[0]) if alike else None
        if run is None:
            raise NoSuchRun(
                f"the journal has no run {run_id}",
                remedy="ecr-warden history --since 365d lists the runs that are kept",
            )
        return RunReply(run)


def _left_out(plans: Sequence[Plan]) -> Iterator[str]:
    """A line about the targets that the answer had no time for; they count as unknown."""
    names = [str(plan.target) for plan in plans if any(drift.code == OutOfTime.code for drift in plan.drifts)]
    if names:
        yield (
            f"{OutOfTime.code}: the time for one answer ran out before {len(names)} of {len(plans)} targets were read "
            f"or planned; they are unknown: {', '.join(first(names, NAMES_SHOWN))}; ask for fewer targets at a time"
        )


def _that_fit(plans: Sequence[Plan], form: Callable[[Plan], Json], limit: int) -> tuple[Plan, ...]:
    """The plans, in order, that fit into so many bytes in that form; unreadable targets are never the first left out.

    So a plan that is left out has drift, and is not unknown.
    """
    size, kept = 0, set()
    for plan in sorted(plans, key=lambda plan: all(drift.kind is not DriftKind.UNREADABLE for drift in plan.drifts)):
        size += len(dumps(form(plan)))
        if size > limit:
            break
        kept.add(plan.target.key)
    return tuple(plan for plan in plans if plan.target.key in kept)


def history(asked: AskHistory, journal: Journal, log: HistoryLog, switch: Switch, clock: Clock) -> HistoryReply:
    """Runs and entries of the history log, newest first, cut at the limit with the rest counted; raises PortError."""
    now = clock.now()
    since = max(asked.since or now - REMEMBERED, now - REMEMBERED).replace(microsecond=0)
    until = min(asked.until or now, now).replace(microsecond=0)
    if until < since:  # DynamoDB refuses such a range
        return HistoryReply((), since=since, until=until)
    if not asked.runs:
        pages = []
    elif asked.targets:
        pages = [journal.of_target(target, since, until, limit=asked.limit) for target in asked.targets]
    else:
        pages = [journal.latest(since, until, limit=asked.limit)]
    entries: list[RunEntry | HistoryEntry] = [entry for page in pages for entry in page.entries]
    names, end = {str(target) for target in asked.targets}, until.replace(microsecond=999_999)
    entries += [entry for entry in log.entries(since, end) if not names or not names.isdisjoint(entry.targets)]
    if not names:
        entries += [change for change in switch.changes() if since <= change.at <= end]
    entries.sort(key=_when, reverse=True)
    shown, omitted = few(entries, asked.limit, sum(page.omitted for page in pages))
    return HistoryReply(
        entries=tuple(entry for entry in shown if isinstance(entry, RunEntry)),
        log=tuple(_shortened(entry) for entry in shown if isinstance(entry, HistoryEntry)),
        since=since,
        until=until,
        omitted=omitted,
    )


def _when(entry: RunEntry | HistoryEntry) -> tuple[object, str]:
    return (entry.started_at, entry.run_id) if isinstance(entry, RunEntry) else (entry.at, entry.id)


def _compressed(text: bytes) -> str:
    return b64encode(gzip.compress(text, mtime=0)).decode()


def _shortened(entry: HistoryEntry) -> HistoryEntry:
    """A command may name thousands of targets."""
    shown, omitted = few(entry.targets, _TARGETS_SHOWN)
    return replace(entry, targets=shown, omitted=omitted)
