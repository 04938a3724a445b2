"""The audit of access: who can pull and push, from the stored estate, compared with what the accepted spec gives.

It reads nothing from the accounts and delays no repair. It never ends because a part of the estate is broken: what
cannot be audited is unknown, and said to be so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Protocol

from msgspec import Struct

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import (
    AUDITED_FOR,
    HIDING,
    WHOLE,
    AuditBegun,
    AuditFailed,
    AuditRecord,
    AuditResult,
    Audits,
    UnreadDocument,
)
from ecr_warden.audit.finding_changes import MAX_FINDINGS, News, compare, grouped, openers, repository_of
from ecr_warden.audit.health import Health, Involved, interval_of, longest_gap, statuses
from ecr_warden.audit.known_repairs import Remembered, known_targets
from ecr_warden.audit.measured import measured
from ecr_warden.audit.repaired import Live
from ecr_warden.audit.unread import OTHER_VERSION, lines, news_of_unread, seen, unread
from ecr_warden.collect.estate import EstateStore, ReportedCall, StoredPiece, policy_times
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.accounts import account_from_pieces
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import EcrAccount, Estate
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import AuditAccess, Cause, CauseKind
from ecr_warden.core.metrics import Emit
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.own_runs import own_run
from ecr_warden.state.state import State
from ecr_warden.state.sweeps import SweepRecord, SweepRecords, parts_of
from iam_access.errors import site_of
from iam_access.inventory.accounts import Parsed
from iam_access.inventory.inventory import Unread
from iam_access.inventory.printed import SnapshotError, with_texts
from iam_access.text.printable import few
from iam_access.who_can.graph import Unfinished

_TRIES = 2
_KEPT = "what was kept of it"
_DIED = AuditFailed("the audit was begun twice, and did not end")

type _Known = Mapping[str, tuple[str, ...]]


class FindingsSearch(Protocol):
    """Searches an estate for findings, as audit.findings.find; raises Unfinished if there was no time for anything."""

    def __call__(
        self,
        estate: Estate,
        compiled: CompiledSpec,
        known_administrators: _Known | None,
        known_upstreams: _Known | None,
        /,
        *,
        live: Live,
    ) -> AuditResult:
        """Audit."""


class Audit(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    estate: EstateStore
    audits: Audits
    state: State
    sweep_records: SweepRecords
    alerts: AlertBus
    clock: Clock
    find: FindingsSearch
    schedule: str
    """Of the sweeps."""
    emit: Emit

    def audit(self, job: AuditAccess) -> str:
        """Audit if the estate or the spec changed, announce what is new, keep the result; raises PortError.

        It is announced before it is kept: a process that dies in between announces it again.
        """
        accepted = self.specs.whole()
        if accepted is None:
            return "no spec"
        wanted = parts_of(accepted)
        kept = {part: one for part, one in self.estate.kept().items() if part in wanted}
        if not kept:
            return "no survey yet"
        last = self.audits.last()
        if last is None and kept.keys() != wanted:
            # Later audits would report as new whatever the missing parts show: the first one is a single summary.
            return "not every part has been surveyed yet"
        try:
            return self._audit(job.cause, accepted, kept, last)
        except PortError:
            # That a call failed is no sign of an audit that ends its process.
            tags = {part: one.tag for part, one in kept.items()}
            long_ago = self.clock.now() - AUDITED_FOR
            self.audits.keep(last or AuditRecord(long_ago, accepted.version, tags, failure=AuditBegun(1)))
            raise

    def _audit(
        self, cause: Cause, accepted: CompiledSpec, kept: Mapping[str, StoredPiece], last: AuditRecord | None
    ) -> str:
        sweeps = {sweep.part: sweep for sweep in self.sweep_records.all()}
        known = self._known(accepted, kept, sweeps)
        outcome = self._outcome(cause, accepted, kept, last, known)
        health = self._health(accepted, known, outcome)
        record = replace(outcome.record, health={str(target): health.of(target) for target in outcome.named(accepted)})
        if outcome.alert is not None:
            self.alerts.publish(outcome.alert)
        if record != last:
            self.audits.keep(record)
        self.emit(measured(record, health.statuses.values()))
        return outcome.answer

    def _known(
        self, accepted: CompiledSpec, kept: Mapping[str, StoredPiece], sweeps: Mapping[str, SweepRecord]
    ) -> Remembered:
        targets = known_targets(accepted, sweeps.values())
        return Remembered(
            accepted=accepted,
            targets=targets,
            records=self.state.records([*targets.values()]),
            pauses=self.state.pattern_pauses(),
            sweeps=sweeps,
            kept=kept,
            interval=interval_of(self.schedule),
            now=self.clock.now(),
        )

    def _outcome(
        self,
        cause: Cause,
        accepted: CompiledSpec,
        kept: Mapping[str, StoredPiece],
        last: AuditRecord | None,
        known: Remembered,
    ) -> "_AuditOutcome":
        tags = {part: one.tag for part, one in kept.items()}
        now, digest = known.now, known.digest()
        about = accepted.version, tags, digest
        is_same = last is not None and (last.version, last.pieces, last.unrepaired) == about
        scope = _AuditScope(cause, accepted, tags, last, now, known, digest)
        begun = last.failure.times if last is not None and is_same and isinstance(last.failure, AuditBegun) else 0
        if last is not None and is_same and now - last.at < AUDITED_FOR:
            if not begun:
                return _unchanged(scope, last)
            if begun == _TRIES:
                return _failed(scope, _DIED)
        # One that fails, or kills its process twice, is not tried again with every job.
        self.audits.keep(_failed(scope, AuditBegun(begun % _TRIES + 1)).record)
        try:
            outcome = _run(scope, self.estate, self.state, self.find)
            return (
                outcome if outcome.alert is None else replace(outcome, alert=self._with_openers(outcome.alert, scope))
            )
        except PortError:
            raise
        except Exception as error:  # an attacker may have written what it reads
            failure = error.message if isinstance(error, Unfinished) else f"ecr-warden failed ({site_of(error)})"
            return _failed(scope, AuditFailed(failure))

    def _with_openers(self, alert: AccessAudited, scope: "_AuditScope") -> AccessAudited:
        """The alert with the calls that may have opened what appeared: of parts that changed since the last audit."""
        pieces = {} if scope.last is None else scope.last.pieces
        changed = [part for part, tag in scope.tags.items() if pieces.get(part) != tag]
        noted = [(part, call) for part in changed for call in self.estate.calls(part)]
        ours = {call.cause.id: self._ours(call) for _, call in noted}
        if alert.cause.kind is CauseKind.EVENT and alert.cause.id not in ours:
            noted.append(("", ReportedCall(alert.cause)))
        made = [(part, replace(call, cause=ours.get(call.cause.id, call.cause))) for part, call in noted]
        found = () if alert.is_first else tuple(openers(group, made) for group in alert.appeared)
        return replace(alert, cause=ours.get(alert.cause.id, alert.cause), openers=found)

    def _ours(self, call: ReportedCall) -> Cause:
        """The cause of a call; of one that ecr-warden made itself, the run that made it."""
        opened = None if call.target is None else own_run(self.state, call.target, call.cause)
        if opened is None:
            return call.cause
        return Cause(CauseKind.RUN, opened.run_id, at=call.cause.at, root=opened.cause.incident)

    def _health(
        self,
        accepted: CompiledSpec,
        known: Remembered,
        outcome: "_AuditOutcome",
    ) -> Health:
        now, sweeps = self.clock.now(), known.sweeps
        involved = Involved(accepted)
        targets = [target for repository_target in outcome.named(accepted) for target in involved.of(repository_target)]
        seen = statuses([*targets, *known.targets.values()], self.state, sweeps, accepted, now)
        return Health(involved, seen, outcome.record, sweeps, known.kept, longest_gap(self.schedule), now)


class _AuditScope(Struct, frozen=True):
    """What is audited, and what the last audit left; `tags`: of the pieces, by part."""

    cause: Cause
    accepted: CompiledSpec
    tags: Mapping[str, str]
    last: AuditRecord | None
    now: datetime
    known: Remembered
    digest: str


class _AuditOutcome(Struct, frozen=True):
    """An audit, what is to be announced of it, a word for the log, and the repositories that there are."""

    record: AuditRecord
    alert: AccessAudited | None
    answer: str
    repositories: tuple[RepositoryTarget, ...]

    def named(self, accepted: CompiledSpec) -> list[RepositoryTarget]:
        """The repositories of the spec, by name or by a pattern, in order."""
        named = (spec.target for spec in accepted.targets.values() if isinstance(spec.target, RepositoryTarget))
        return sorted(target for target in {*named, *self.repositories} if accepted.spec_of(target) is not None)


def _run(scope: _AuditScope, store: EstateStore, state: State, find: FindingsSearch) -> _AuditOutcome:
    last = scope.last
    estate, broken, read = stored_estate(store, scope.tags, scope.now)
    known = (None, None) if last is None else (last.administrators, last.upstreams)
    repositories = tuple(repository.target for repository in estate.repositories())
    audit = find(estate, scope.accepted, *known, live=scope.known.with_made(repositories, state.records).live(read))
    # What was kept of a part and cannot be used is also not there; what was not asked any more stays.
    old = last.unread if audit.failure and last is not None else ()
    found = {one.identity: one for one in (*old, *audit.unread, *broken)}.values()
    unsettled = frozenset(scope.tags if audit.failure else (one.place for one in found))
    news = compare(last, audit, unsettled, scope.now)
    kept, left_out = few(seen(last, found, scope.now, 2 * scope.known.interval), MAX_FINDINGS, news.left_out)
    record = AuditRecord(
        at=scope.now,
        version=scope.accepted.version,
        pieces=scope.tags,
        findings=news.standing,
        left_out=left_out,
        administrators=_with_unread(audit.administrators, last, unsettled),
        upstreams=audit.upstreams,
        health=last.health if last is not None else {},
        unread=kept,
        failure=AuditFailed(audit.failure) if audit.failure else None,
        audited_at=scope.now if not audit.failure else None if last is None else last.audited_at,
        unrepaired=scope.digest,
    )
    answer = audit.failure or f"{len(news.appeared)} appeared, {len(news.ended)} ended, {len(news.standing)} stand"
    return _AuditOutcome(record, _alert(scope.cause, record, news, last), answer, repositories)


def _unchanged(scope: _AuditScope, last: AuditRecord) -> _AuditOutcome:
    """The last audit; what was to pass by itself, and has not, is said."""
    record = replace(last, unread=seen(last, last.unread, scope.now, 2 * scope.known.interval))
    alert = _alert(scope.cause, record, News((), (), ()), last)
    return _AuditOutcome(record, alert, "unchanged", _repositories_of(last))


def _failed(scope: _AuditScope, failure: AuditFailed | AuditBegun) -> _AuditOutcome:
    """The last audit, of which nothing is known to hold any more; people hear of it when the reason changes."""
    record = replace(
        scope.last or AuditRecord(scope.now, scope.accepted.version, scope.tags),
        at=scope.now,
        version=scope.accepted.version,
        pieces=scope.tags,
        unrepaired=scope.digest,
        failure=failure,
    )
    is_news = scope.last is None or scope.last.failure != failure
    alert = AccessAudited(scope.cause, scope.accepted.version, failure=str(failure)) if is_news else None
    return _AuditOutcome(record, alert, str(failure), _repositories_of(record))


def _with_unread(found: _Known, last: AuditRecord | None, unsettled: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The administrators; in an account of which something was not read, also those of the last audit."""
    unread = {part.partition("/")[0] for part in unsettled}
    known = {account: names for account, names in last.administrators.items() if account in unread} if last else {}
    return {
        account: tuple(sorted({*found.get(account, ()), *known.get(account, ())}))
        for account in sorted({*found, *known})
    }


def _alert(cause: Cause, record: AuditRecord, news: News, last: AuditRecord | None) -> AccessAudited | None:
    is_first = last is None or last.audited_at is None
    is_new_failure = record.failure != (last.failure if last else None)
    is_first_whole = is_first and not record.failure
    hidden, read_again = news_of_unread(last, record)
    if not (news.appeared or news.ended or hidden or read_again or is_new_failure or is_first_whole):
        return None
    return AccessAudited(
        cause,
        record.version,
        grouped(news.appeared),
        grouped(news.ended),
        (news.left_out if is_first else 0, 0),
        is_first=is_first,
        unread=lines(hidden),
        is_hidden=any(one.cause in HIDING for one in hidden),
        read_again=lines(read_again),
        failure=str(record.failure or ""),
    )


def stored_estate(
    store: EstateStore, parts: Iterable[str], now: datetime
) -> tuple[Estate, tuple[UnreadDocument, ...], Mapping[str, datetime]]:
    """The estate of kept pieces, and each that cannot be used as a whole that was not read; raises PortError.

    And when they were read: by part, and by the key of a repository whose policy was read at another time. One account
    is read after the other, and of each only what the policies say is left in memory.
    """
    accounts: dict[str, EcrAccount] = {}
    broken: list[UnreadDocument] = []
    read: dict[str, datetime] = {}
    parsed, text_of = Parsed(), cache(store.text)
    for name, names in groupby(sorted(parts), lambda part: part.partition("/")[0]):
        pieces: dict[str, Mapping[str, object]] = {}
        for part in names:
            piece = store.get(part)
            if piece is None:
                broken.append(unread(part, WHOLE, _KEPT, Unread("", OTHER_VERSION)))
            else:
                pieces[part] = with_texts(piece.entry, text_of)
                read |= {part: piece.began, **policy_times(piece)}
        try:
            accounts[name] = account_from_pieces(name, pieces, parsed)
        except Exception:
            broken += _taken_out(name, pieces, parsed)
            if pieces:
                accounts[name] = account_from_pieces(name, pieces, parsed)
    return Estate(now, accounts), tuple(broken), read


def _taken_out(account: str, pieces: dict[str, Mapping[str, object]], parsed: Parsed) -> Iterator[UnreadDocument]:
    """Take out the pieces of an account that cannot be used, so that the others are audited."""
    for part, entry in [*pieces.items()]:
        try:
            account_from_pieces(account, {part: entry}, parsed)
        except SnapshotError as error:
            yield unread(part, WHOLE, _KEPT, Unread("", error.message, text=part))
            del pieces[part]
        except Exception as error:
            yield unread(part, WHOLE, _KEPT, Unread("", f"ecr-warden failed ({site_of(error)})", text=part))
            del pieces[part]


def _repositories_of(record: AuditRecord) -> tuple[RepositoryTarget, ...]:
    """Those whose conditions were kept."""
    return tuple(target for target in map(repository_of, record.health) if target is not None)
