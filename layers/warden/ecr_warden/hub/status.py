"""`status`: the state of every target, of the access to every repository and of the hub itself, as last seen.

Accounts are read only to list the repositories that fit a pattern.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden import __version__
from ecr_warden.audit.finding import AUDITED_FOR, AuditBegun, AuditRecord, Audits
from ecr_warden.audit.finding_changes import grouped, repository_of
from ecr_warden.audit.health import Health, Involved, longest_gap, statuses, stuck_after
from ecr_warden.audit.unread import lines
from ecr_warden.collect.estate import EstateStore
from ecr_warden.collect.watch import dated, live_wires
from ecr_warden.collect.wire import HUB_PART, Wire, WireState
from ecr_warden.collect.wiring import WatchRecord, WatchRecords, Wiring
from ecr_warden.collect.wiring_verdicts import beating_places
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import PortError, RegionDisabled, found_or_why
from ecr_warden.core.job import Queue
from ecr_warden.core.own_access import Writes
from ecr_warden.core.queue import Queues
from ecr_warden.core.sessions import ending_sessions
from ecr_warden.core.spec_failures import SpecUnusable
from ecr_warden.core.target import EVERYTHING, RepositoryTarget, Target
from ecr_warden.hub.reply import MESSAGES_WAIT, AccessStatus, RepositoryStatus, StatusReply, Trouble
from ecr_warden.hub.selecting import NothingAccepted, has_to_be_looked_up, select, unlisted
from ecr_warden.notify import wire_texts as wording
from ecr_warden.notify.ports import CHANNELS
from ecr_warden.repair.cutoff import LONGEST_SESSION, is_for_services, owed_sessions
from ecr_warden.repair.documents import Documents
from ecr_warden.repair.targets import leaving_patterns, removals
from ecr_warden.state.commands import Selection
from ecr_warden.state.history import REMEMBERED, HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.state.hold import OPEN, Hold, HoldState
from ecr_warden.state.holds import Holds
from ecr_warden.state.specs import Specs
from ecr_warden.state.state import State
from ecr_warden.state.sweeps import SweepRecord, SweepRecords, parts_of
from ecr_warden.state.switch import Switch
from iam_access.text.printable import count, few, first, show_time

_LOOKED_AT = timedelta(seconds=30)
"""How long no run ends before a job of a repair that waits is said: a repair takes seconds."""
_PARTS_SHOWN = 4
_FINDINGS_SHOWN, _NAMES_SHOWN = 500, 100
_LOGS = "see the log group /aws/lambda/ecr-warden-audit"
LONGEST_AUDIT = timedelta(minutes=15)
"""How long its function may run."""


class StatusQuery(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    documents: Documents
    state: State
    sweep_records: SweepRecords
    switch: Switch
    wiring: Wiring
    queues: Queues
    watch_records: WatchRecords
    log: HistoryLog
    estate: EstateStore
    audits: Audits
    holds: Holds
    waiting: Callable[[str], Sequence[datetime]]
    """Of each alert that waits for a channel, since when; raises PortError."""
    clock: Clock

    def answer(self, selection: Selection) -> StatusReply:
        """Raises NothingAccepted, NoSuchTarget, or a PortError of the hub's own stores."""
        accepted = self.specs.whole()
        if accepted is None:
            raise NothingAccepted(self._why_nothing())
        listing = self.documents.list_repositories(accepted.patterns)
        leaving = [spec.target for spec in removals(accepted, self.state)]
        patterns = [leaving_pattern.target for leaving_pattern in leaving_patterns(accepted, self.sweep_records)]
        named = [*(spec.target for spec in accepted.targets.values()), *leaving]
        known = {target.key: target for target in (*named, *listing.repositories)}
        known |= unlisted(selection, known, accepted) if listing.unread else {}
        sweeps = self._sweeps()
        targets = select(selection, known, accepted.aliases) if known or EVERYTHING not in selection else {}
        repositories = [one for one in targets.values() if isinstance(one, RepositoryTarget) and accepted.spec_of(one)]
        stopped = self.switch.reason_to_stop()
        records = self.watch_records.all()
        wires = self._wires(accepted, records)
        health = self._health(accepted, repositories, [*targets.values()], wires, sweeps)
        watched = {part: records[part].at for part in sorted(records.keys() & parts_of(accepted))}
        return StatusReply(
            version=accepted.version,
            mode=accepted.overall_mode,
            stopped=stopped,
            targets=tuple(health.statuses[key] for key in targets),
            unread=tuple(str(error) for _, error in listing.unread) if has_to_be_looked_up(selection) else (),
            troubles=tuple(self._troubles(accepted, health, wires, stopped, [*leaving, *patterns])),
            notes=_notes(wires),
            watched=watched,
            writable=tuple(
                part
                for part in watched
                if "/" not in part and all(wire.writes != Writes.NONE for wire in records[part].wires)
            ),
            hub_version=__version__,
            repositories=tuple(RepositoryStatus(str(target), health.of(target)) for target in repositories),
            access=_access_of(health, accepted, {str(target) for target in targets.values()}),
        )

    def _troubles(
        self,
        accepted: CompiledSpec,
        health: Health,
        wires: Sequence[Wire],
        stopped: str | None,
        going: Sequence[Target],
    ) -> Iterator[Trouble]:
        """What is wrong with the whole; `going`: the targets that have left the spec, and are not cleared yet."""
        now, schedule, sweeps = self.clock.now(), _schedule(wires), [*health.sweeps.values()]
        acceptance = self._last(HistoryKind.SPEC_ACCEPTED)
        accepted_at = None if acceptance is None else acceptance.at
        yield from self._of_spec(accepted)
        yield from _of_holds(self.holds.waiting())
        yield from self._of_sessions(accepted, now)
        if stopped is not None:
            yield Trouble("writes-stopped", stopped)
        yield from troubles_of(wires)
        yield from self._of_messages()
        is_running = any(status.open_run for status in health.statuses.values())
        yield from self._of_queues(stuck_after(schedule), accepted_at, now, is_running=is_running)
        yield from _of_sweeps(parts_of(accepted, going), sweeps, schedule, accepted_at=accepted_at, now=now)
        yield from _of_left_over(sweeps)
        yield from _of_audit(health.record, accepted.version, now)

    def access(self, accepted: CompiledSpec, repositories: Sequence[RepositoryTarget]) -> tuple[Health, AccessStatus]:
        """What is known of access to some repositories of the spec; raises PortError."""
        wires = self._wires(accepted, self.watch_records.all())
        health = self._health(accepted, repositories, [], wires, self._sweeps())
        return health, _access_of(health, accepted, {*map(str, repositories)})

    def _health(
        self,
        accepted: CompiledSpec,
        repositories: Sequence[RepositoryTarget],
        besides: Sequence[Target],
        wires: Sequence[Wire],
        sweeps: Mapping[str, SweepRecord],
    ) -> Health:
        now = self.clock.now()
        involved = Involved(accepted)
        asked = [*besides, *(one for target in repositories for one in involved.of(target))]
        seen = statuses(asked, self.state, sweeps, accepted, now)
        kept, gap = self.estate.kept(), longest_gap(_schedule(wires))
        return Health(involved, seen, self.audits.last(), sweeps, kept, gap, now)

    def _sweeps(self) -> Mapping[str, SweepRecord]:
        """The last sweep of each part."""
        return {sweep.part: sweep for sweep in self.sweep_records.all()}

    def _wires(self, accepted: CompiledSpec, records: Mapping[str, WatchRecord]) -> tuple[Wire, ...]:
        """The hub's as they are now, the members' as the last sweep found them."""
        parts = parts_of(accepted)
        known = {wire.name: wire for wire in records[HUB_PART].wires} if HUB_PART in records else {}
        live = live_wires(self.wiring, beating_places(parts), self.watch_records.beats(), self.clock.now())
        found = [wire for part in sorted(records.keys() & parts) for wire in records[part].wires]
        return (*(dated(wire, known, None) for wire in live), *found)

    def _of_spec(self, accepted: CompiledSpec) -> Iterator[Trouble]:
        current = found_or_why("reading the spec", lambda: self.specs.current().version)
        refusal = self._last(HistoryKind.SPEC_REFUSED)
        is_known = isinstance(current, PortError) or current == accepted.version
        hold = None if is_known else self.holds.last_of(str(current))
        return _of_spec(accepted.version, current, self.specs.refused(), refusal, hold)

    def _of_sessions(self, accepted: CompiledSpec, now: datetime) -> Iterator[Trouble]:
        """The sessions that outlive the repair of a trust policy."""
        roles = {spec.target.key: spec.target for spec in accepted.targets.values() if is_for_services(spec)}
        for key, record in (self.state.records([*roles.values()]) if roles else {}).items():
            if (sessions := owed_sessions(record.debts, now)) is not None:
                until = show_time(sessions.before + LONGEST_SESSION)
                message = f"sessions of {roles[key]} {sessions} go on until {until} at the latest: no repair ends them"
                yield Trouble("sessions-go-on", message, ending_sessions(roles[key], sessions.before))

    def _of_queues(
        self, after: timedelta, accepted_at: datetime | None, now: datetime, *, is_running: bool
    ) -> Iterator[Trouble]:
        """The queues of which jobs wait or are in flight, and none is done; `is_running`: a target has an open run."""
        try:
            states = self.queues.states()
        except PortError as error:
            yield Trouble("queues-unread", f"it is not known whether jobs are stuck: {error.message}", error.remedy)
            return
        for state in states:
            since = state.finished or accepted_at
            rests = None if since is None else now - since
            last = "none done yet" if state.finished is None else f"the last done at {show_time(state.finished)}"
            name, waits = (
                f"ecr-warden-{state.queue.function}",
                f"{state.waiting} wait, {state.in_flight} in flight, {last}",
            )
            log = f"see the log group /aws/lambda/{name}: docs/safety.md"
            if not state.waiting + state.in_flight:
                continue
            if rests is None or rests > after:
                yield Trouble("jobs-stuck", f"jobs of {name} are stuck: {waits}", log)
            elif state.queue is Queue.REPAIR and rests > _LOOKED_AT and not is_running:
                yield Trouble("jobs-waiting", f"a change was reported and is not looked at yet: {waits}", log)

    def _of_messages(self) -> Iterator[Trouble]:
        """What a channel did not take, or has no turn for."""
        for channel in CHANNELS:
            if since := self.waiting(channel):
                message = f"{count(len(since), 'message')} for {channel}: waiting since {show_time(min(since))}"
                yield Trouble(MESSAGES_WAIT, message, "a digest leaves each minute that the channel takes it")

    def _last(self, kind: HistoryKind) -> HistoryEntry | None:
        now = self.clock.now()
        return next(self.log.entries(now - REMEMBERED, now, {kind}), None)

    def _why_nothing(self) -> str:
        """Why the spec that was uploaded, if any, was not accepted."""
        waiting = [str(trouble) for trouble in _of_holds(self.holds.waiting())]
        if waiting:
            return waiting[0]
        refused = self._last(HistoryKind.SPEC_REFUSED)
        return "" if refused is None else f"version {refused.id or '(none)'} was refused: {refused.text}"


def _of_spec(
    accepted: str,
    current: str | PortError,
    refused: str,
    last_refusal: HistoryEntry | None,
    hold: Hold | None,
) -> Iterator[Trouble]:
    """Whether the spec in the bucket is the accepted one.

    `current`: the bucket's version, or why it cannot be read; `refused`: the one that was refused last; `hold`: on the
    current version.
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
        case str() if refused == current:
            is_that = last_refusal is not None and last_refusal.id == current
            why = f" at {show_time(last_refusal.at)}: {last_refusal.text}" if last_refusal and is_that else ""
            remedy = "ecr-warden validate lists all its problems"
            yield Trouble("spec-refused", f"version {current} of the spec was refused{why}; {stays}", remedy)
        case str() if hold is not None and hold.state not in OPEN:
            how = f"was {hold.decision}" if hold.decision is not None else f"was held, and its hold is {hold.state}"
            message = f"version {current} of the spec {how}; {stays}"
            yield Trouble("spec-not-accepted", message, "upload it, or another one, again")
        case str() if hold is not None and hold.state is HoldState.JUDGING and hold.decision is None:
            message = f"version {current} of the spec is being judged since {show_time(hold.since)}; {stays}"
            remedy = f"a verdict takes seconds; ecr-warden accept {hold.id} lets it take effect without one"
            yield Trouble("spec-pending", message, remedy)
        case str() if hold is not None:
            pass  # it is among the holds
        case str():
            message = f"version {current} of the spec was uploaded and is not processed yet; {stays}"
            yield Trouble("spec-pending", message, "it will be processed within seconds, or at the next sweep")


def _of_holds(holds: Sequence[Hold]) -> Iterator[Trouble]:
    """What waits for a person."""
    for hold in sorted(holds, key=lambda hold: (hold.since, hold.id)):
        if hold.decision is not None:
            message = f"{hold.what} was {hold.decision} and is not processed yet"
            yield Trouble("held", message, "it will be within seconds")
        elif hold.state is HoldState.WAITING:
            why = "; ".join(first(hold.reasons, _PARTS_SHOWN))
            message = f"{hold.what} waits for a person until {show_time(hold.until)}: {why}"
            yield Trouble(
                "held", message, f"ecr-warden held {hold.id} shows who gains and loses; then accept or reject it"
            )


_CODES = {
    WireState.UNREADABLE: "wiring-unread",
    WireState.OUTDATED: "wiring-outdated",
    WireState.SILENT: "heartbeat-missing",
    WireState.UNCONFIRMED: "e-mail-unconfirmed",
    WireState.UNDELIVERED: "events-undelivered",
    WireState.BOUNDED: "role-bounded",
}


def troubles_of(wires: Iterable[Wire]) -> Iterator[Trouble]:
    """What is not as the stacks deploy it, or not known to be."""
    for wire in wires:
        if wire.state is not WireState.ON:
            is_region_off = wire.mark.endswith(RegionDisabled.code)
            code = RegionDisabled.code if is_region_off else _CODES.get(wire.state, "wiring-cut")
            yield Trouble(code, wording.sentence(wire), wording.remedy(wire), wire)


def _notes(wires: Sequence[Wire]) -> tuple[str, ...]:
    """What is said of the organization's trails, once for all regions that rely on them."""
    return tuple(
        f"{count(places, 'region')} of members rely on the organization's trail {name}. It logs; what it selects, and "
        "who stops it, is known in its own account alone: docs/safety.md"
        for name, places in Counter(wire.why for wire in wires if wire.state is WireState.ON and wire.why).items()
    )


def _of_sweeps(
    parts: Collection[str],
    sweeps: Sequence[SweepRecord],
    schedule: str,
    *,
    accepted_at: datetime | None,
    now: datetime,
) -> Iterator[Trouble]:
    """The parts that no sweep has completed for too long; `accepted_at`: when there first was something to sweep."""
    allowed = longest_gap(schedule)
    looked = {sweep.part: sweep.at for sweep in sweeps}
    late = sorted(part for part in parts if _since(looked.get(part), accepted_at, now) > allowed)
    if not late:
        return
    oldest = min((looked[part] for part in late if part in looked), default=None)
    since = f"since {show_time(oldest)}" if oldest is not None else "yet"
    which = "" if len(late) == len(parts) else f" of {', '.join(first(late, _PARTS_SHOWN))}"
    due = f" (schedule: {schedule})" if schedule else ""
    remedy = "see the log group /aws/lambda/ecr-warden-collect: docs/safety.md"
    yield Trouble("sweep-overdue", f"no sweep{which} has completed {since}{due}", remedy)


def _of_left_over(sweeps: Sequence[SweepRecord]) -> Iterator[Trouble]:
    """What the last sweeps found and did not have repaired: one asks for a bounded number of repairs, or none began."""
    over = {sweep.part: sweep.over for sweep in sweeps if sweep.over}
    if over:
        where = ", ".join(first(sorted(over), _PARTS_SHOWN))
        targets = count(sum(over.values()), "target")
        message = f"{targets} of {where} differ and wait: left to a later sweep, or asked for and not begun"
        yield Trouble("repairs-left-over", message, "the next sweep asks for more; ecr-warden reconcile does so now")


def _since(looked: datetime | None, accepted_at: datetime | None, now: datetime) -> timedelta:
    since = looked or accepted_at
    return now - since if since is not None else timedelta.max


def _schedule(wires: Sequence[Wire]) -> str:
    """Of the sweeps, as its rule has it; empty where it could not be read."""
    return next((wire.schedule for wire in wires if wire.name == "rule ecr-warden-sweep"), "")


def _runs(record: AuditRecord, now: datetime) -> bool:
    """Whether an audit may still run, of accounts in which no earlier one was killed, and the last whole one is recent.

    Whoever can have each audit killed must not have it called a running one.
    """
    is_first = isinstance(record.failure, AuditBegun) and record.failure.times == 1
    whole = record.audited_at or record.at
    return is_first and now - record.at < LONGEST_AUDIT and now - whole < 2 * AUDITED_FOR


def _of_audit(record: AuditRecord | None, version: str, now: datetime) -> Iterator[Trouble]:
    """Why it is not known who has access."""
    at = f"the last audit, at {show_time(record.at)}," if record is not None else ""
    if record is None:
        remedy = "the first one follows the first complete sweep"
        yield Trouble("access-unaudited", "who has access has not been audited yet", remedy)
    elif _runs(record, now):
        yield Trouble("access-unaudited", f"{at} has not ended yet", "it takes 15 minutes at most")
    elif record.failure:
        yield Trouble("audit-failed", f"{at} failed: {record.failure}; it is not known who has access", _LOGS)
    elif record.version != version:
        yield Trouble(
            "access-unaudited", f"{at} is of version {record.version} of the spec", "the next one follows soon"
        )
    elif record.unread:
        what = "; ".join(first(lines(record.unread), _PARTS_SHOWN))
        remedy = "ecr-warden deploy, if permissions are missing"
        yield Trouble("access-unread", f"{at} could not take into account: {what}", remedy)


def access_of(
    record: AuditRecord | None, accepted: CompiledSpec, selected: Collection[str] | None = None
) -> AccessStatus:
    """What an audit found; `selected`: the texts of the targets that are asked about, None for all."""
    if record is None:
        return AccessStatus()
    concerning = [
        seen for seen in record.findings if selected is None or _concerns(seen.finding.place, accepted, selected)
    ]
    return AccessStatus(
        record.audited_at,
        *few(grouped(concerning), _FINDINGS_SHOWN, record.left_out),
        {name: tuple(first(names, _NAMES_SHOWN)) for name, names in administrators_of(record, accepted).items()},
        tuple(first(lines(record.unread), _NAMES_SHOWN)),
    )


def _access_of(health: Health, accepted: CompiledSpec, selected: Collection[str]) -> AccessStatus:
    """What the audit found, and what runs have left since: an audit learns of that by the same records."""
    left = [status.left for status in health.left if status.target in selected]
    return replace(access_of(health.record, accepted, selected), left=tuple(first(left, _NAMES_SHOWN)))


def administrators_of(record: AuditRecord, accepted: CompiledSpec) -> Mapping[str, tuple[str, ...]]:
    """The administrators by account; of accounts without repositories of the spec their number alone."""
    registries = {part.partition("/")[0] for part in parts_of(accepted) if "/" in part}
    return {
        account: names if account in registries or not names else (count(len(names), "administrator"),)
        for account, names in record.administrators.items()
    }


def _concerns(place: str, accepted: CompiledSpec, selected: Collection[str]) -> bool:
    """Whether a finding's place is selected, or is no repository of the spec's and so cannot be."""
    target = repository_of(place)
    return place in selected or target is None or accepted.spec_of(target) is None
