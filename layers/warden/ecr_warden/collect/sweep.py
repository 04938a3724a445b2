"""Compares everything with the accepted spec and enqueues what differs, because events get lost.

A sweep is a job per account (its users and roles) and a job per account and region (its repositories): each reads only
its part, and one that fails or hangs stops no other. What was read is compared, and kept for the audit.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import partial

from msgspec import Struct

from ecr_warden.collect.alerts import EventMissed, LeftOver, Unlisted
from ecr_warden.collect.estate import Reading
from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.collect.removed_repositories import RemovedRepositories, removed_repositories
from ecr_warden.collect.survey import Survey, shows, survey_of
from ecr_warden.collect.watch import Watch
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import AccountUnreachable, PortError, RetryLater
from ecr_warden.core.job import (
    FIRST_AND_LAST,
    Attempt,
    AuditAccess,
    Cause,
    CauseKind,
    Job,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepPart,
    SweepRepositories,
)
from ecr_warden.core.lazy_entries import entries_in
from ecr_warden.core.observed import Observation
from ecr_warden.core.part import part_of
from ecr_warden.core.queue import Jobs
from ecr_warden.core.sessions import TrustLook
from ecr_warden.core.target import Target
from ecr_warden.repair.cutoff import noting_revocation, trust_look
from ecr_warden.repair.documents import all_identities
from ecr_warden.repair.fights import is_quiet
from ecr_warden.repair.missed_events import awaited_from, calls_of, still_awaited
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.plan_facts import complete_plan
from ecr_warden.repair.planner import Facts, make_plan
from ecr_warden.repair.targets import leaving_patterns, removals, spec_for
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.state import LEFT_OPEN, State, TargetRecord
from ecr_warden.state.sweeps import SweepRecord, SweepRecords, parts_of
from iam_access.text.printable import few

PROBLEMS_REPORTED = 50


class Budget(Struct, frozen=True):
    """How many repairs are asked for at once, so that whoever makes much differ cannot fill the queue of repairs."""

    of_spec: int = 1000
    """Of what the spec names or named, by a part."""
    orphans: int = 100
    """Of what anybody may call ours, by a part, and `orphans_of_sweep`, by all its parts together: however many there
    are, they take nothing from the spec."""
    orphans_of_sweep: int = 1000


class _Part(Struct, frozen=True):
    """A part as a sweep read it."""

    part: str
    began: datetime
    reading: Reading
    """All of it, to be kept."""
    before: SweepRecord | None
    """The last sweep of the part."""
    besides: RemovedRepositories
    """What is looked at although the spec does not name it."""
    observations: Sequence[Observation]
    listed: Sequence[Target]
    """The target that represents each list that was asked for."""
    unread: Mapping[str, PortError]
    """Why a list was not returned, by that target's key."""
    remembered: Mapping[str, TargetRecord]
    """The records of the targets, by key."""
    orphans: Collection[str] = ()
    """Keys of users and roles that it does not name."""


class _Judgement(Struct, frozen=True):
    """Whether a target needs a run; the look if its trust policy is in sync; and what differs."""

    is_due: bool
    look: TrustLook | None = None
    drifts: tuple[Drift, ...] = ()


class Sweep(Struct, frozen=True):
    """The use case over its ports; it reads and enqueues, and never writes to a member account."""

    specs: AcceptedSpecs
    state: State
    jobs: Jobs
    sweep_records: SweepRecords
    clock: Clock
    survey: Survey
    watch: Watch
    alerts: AlertBus
    budget: Budget = Budget()

    def sweep(self, job: SweepAll | SweepPart, attempt: Attempt = FIRST_AND_LAST) -> tuple[Job, ...]:
        """Enqueue the parts of a sweep, or the targets of a part that are not in sync, and return these jobs.

        Repositories, users or roles that could not be listed are reported and stop nothing else. An error that may be
        over within a minute is raised as RetryLater after everything else, unless this is the last attempt.
        """
        accepted = self.specs.accepted()
        if isinstance(job, SweepAll):
            return self._all(accepted, job.cause)
        return () if accepted is None or not self._is_due(accepted, job) else self._part(accepted, job, attempt)

    def _is_due(self, accepted: CompiledSpec, job: SweepPart) -> bool:
        """Whether a part has to be read: one that an event asks for may be nobody's, or have been read since."""
        if job.cause.kind is not CauseKind.EVENT:
            return True
        before = self.sweep_records.of(job.part)
        is_ours = job.part in parts_of(accepted, self._leaving(accepted))
        return is_ours and (before is None or not shows(before.at, job.cause))

    def _all(self, accepted: CompiledSpec | None, cause: Cause) -> tuple[Job, ...]:
        leaving = [] if accepted is None else self._leaving(accepted)
        parts = [] if accepted is None else sorted(parts_of(accepted, leaving))
        # What the last sweep's surveys changed has been audited, unless an audit or one of them failed.
        jobs = (*(_job(part, cause) for part in parts), *([AuditAccess(cause)] if accepted is not None else []))
        self.jobs.enqueue(jobs)
        self.watch.hub(cause, accepted, parts)
        return jobs

    def _leaving(self, accepted: CompiledSpec) -> list[Target]:
        patterns = leaving_patterns(accepted, self.sweep_records)
        return [*(spec.target for spec in removals(accepted, self.state)), *(pattern.target for pattern in patterns)]

    def _part(self, accepted: CompiledSpec, job: SweepPart, attempt: Attempt) -> tuple[Job, ...]:
        swept = self._read(accepted, job)
        asked = [observation for observation in swept.observations if swept.besides.is_asked(observation.target)]
        judged = {observation.target.key: self._judge(accepted, observation, swept) for observation in asked}
        due = [observation.target for observation in asked if judged[observation.target.key].is_due]
        sent = self._within_budget(job, swept, sorted(due, key=partial(_tried_in_vain, swept.remembered)))
        jobs = tuple(ReconcileTarget(job.cause, target) for target in sent)
        self.jobs.enqueue(jobs)
        if not swept.unread:
            self._note(job.cause, accepted, swept, judged, {target.key for target in sent})
        lists = [(target, swept.unread.get(target.key)) for target in swept.listed]
        later = [error for _, error in lists if error is not None and error.retryable and not attempt.is_last]
        known = [(target, error) for target, error in lists if error not in later]
        self._report_unlisted(job.cause, accepted.version, known, swept.remembered)
        if not later:
            self._keep(accepted, job, swept)
        self.watch.part(job.cause, accepted, job.part)
        if later:
            raise RetryLater(str(later[0]), retryable=True)
        return jobs

    def _within_budget(self, job: SweepPart, swept: _Part, due: Sequence[Target]) -> list[Target]:
        """What of it this part asks for; the next sweep finds what is left over."""
        orphans = [target for target in due if target.key in swept.orphans]
        of_spec = [target for target in due if target.key not in swept.orphans]
        wanted = min(len(orphans), self.budget.orphans)
        most = self.sweep_records.take(job.cause.id, job.part, wanted, self.budget.orphans_of_sweep) if wanted else 0
        return [*of_spec[: self.budget.of_spec], *orphans[:most]]

    def _read(self, accepted: CompiledSpec, job: SweepPart) -> _Part:
        began, part = self.clock.now(), job.part
        before = self.sweep_records.of(part)
        besides = removed_repositories(accepted, part, before)
        patterns = [*(pattern for pattern in accepted.patterns if part_of(pattern.target) == part), *besides.patterns]
        named = [*entries_in(accepted.targets, part).values(), *removals(accepted, self.state, part)]
        asked = {spec.target.name for spec in named}

        def fits(name: str) -> bool:
            return any(pattern.covers(replace(pattern.target, name=name)) for pattern in patterns)

        reading = self.survey.read(part, asked, lambda name: name in asked or fits(name))
        accounts = ReadAccounts(LiveEstate.of({part: reading}, began))
        listed: list[Target] = [pattern.target for pattern in patterns]
        listing = accounts.listing(patterns)
        unread = {pattern.target.key: error for pattern, error in listing.unread}
        fitting = (spec for spec in map(accepted.spec_of, listing.repositories) if spec is not None)
        wanted = {spec.target.key: spec for spec in (*besides.specs(listing.repositories), *fitting, *named)}
        observations = [accounts.observe(spec) for spec in wanted.values()]
        if isinstance(job, SweepIdentities) and job.account in accepted.accounts:
            everybody = all_identities(job.account)
            listed.append(everybody)
            try:
                observations += accounts.orphans(job.account, wanted)
            except PortError as error:
                unread[everybody.key] = error
        remembered = self.state.records([*(observation.target for observation in observations), *listed])
        orphans = {observation.target.key for observation in observations} - wanted.keys()
        return _Part(part, began, reading, before, besides, observations, listed, unread, remembered, orphans)

    def _note(
        self,
        cause: Cause,
        accepted: CompiledSpec,
        swept: _Part,
        judged: Mapping[str, _Judgement],
        sent: Collection[str],
    ) -> None:
        """Keep the record of a part that was read as a whole, and report the changes that no event reported."""
        began, before, remembered = swept.began, swept.before, swept.remembered
        seen = frozenset(found.target.key for found in swept.observations)
        due = frozenset(key for key, judgement in judged.items() if judgement.is_due)
        # The last look that read each role's trust policy in sync; a role that now differs keeps its own.
        trusts = {} if before is None else {**before.trusts}
        trusts |= {key: judgement.look for key, judgement in judged.items() if judgement.look is not None}
        looks = {key: look for key, look in trusts.items() if key in seen}
        waiting, missed = still_awaited(before, seen, remembered, began)
        for observation in swept.observations:
            if (late := missed.get(observation.target.key)) is not None:
                self.alerts.publish(EventMissed(cause, observation.target, late.calls, late.found))
        changed = {key: calls_of(judgement.drifts) for key, judgement in judged.items() if judgement.drifts}
        awaited = awaited_from(before, accepted.version, changed, remembered, began) | waiting
        cleared = swept.besides.after(swept.observations, due)
        waits = {key: _due_since(key, before, remembered, began) for key in due}
        over = sum(key not in sent or began - since >= LEFT_OPEN for key, since in waits.items())
        if over and not (before is not None and before.over):
            self.alerts.publish(LeftOver(cause, swept.part, over))
        self.sweep_records.note(
            SweepRecord(swept.part, began, accepted.version, seen - due, due, looks, awaited, cleared, over, waits)
        )

    def _report_unlisted(
        self,
        cause: Cause,
        version: str,
        asked: Iterable[tuple[Target, PortError | None]],
        remembered: Mapping[str, TargetRecord],
    ) -> None:
        """Report lists that AWS did not return: once, and again when the reason changes or comes back.

        `asked`: the target that represents each list, and the error if there was one. Sweeps of one part never run side
        by side, so no lease guards what was reported. A process that dies in between reports
        twice rather than not at all.
        """
        marked = [(listed, error, None if error is None else _mark(error)) for listed, error in asked]
        news = [one for one in marked if one[2] != remembered.get(one[0].key, TargetRecord()).reported]
        # Of an account that cannot be entered the watch says so, once.
        unread = [
            (listed, error)
            for listed, error, _ in news
            if error is not None and (error.retryable or not isinstance(error, AccountUnreachable))
        ]
        if unread:
            shown, left_out = few(unread, PROBLEMS_REPORTED)
            problems = tuple(f"{listed}: {error}" for listed, error in shown)
            codes = tuple(sorted({error.code for _, error in unread}))
            self.alerts.publish(Unlisted(cause, version, problems, codes, left_out))
        for listed, _, mark in news:
            self.state.note_reported(listed, mark)

    def _keep(self, accepted: CompiledSpec, job: SweepPart, swept: _Part) -> None:
        """Keep the part as it was read. If that fails it is a job of its own, and fails no comparison."""
        if job.part not in parts_of(accepted):
            return  # all of it has left the spec
        try:
            self.survey.keep(job.part, swept.began, swept.reading, job.cause, _FIRST)
        except Exception:
            self.jobs.enqueue([survey_of(job.part, job.cause)])

    def _judge(self, accepted: CompiledSpec, observation: Observation, swept: _Part) -> _Judgement:
        """A run is due after drift, for a recreated identity or an open run, and where a fight may have ended.

        It also is to note a revocation ahead of the clock.
        """
        record = swept.remembered.get(observation.target.key, TargetRecord())
        spec = spec_for(observation.target, accepted)
        if spec is None:
            return _Judgement(is_due=False)
        is_due = record.open_run is not None or record.was_recreated(observation)
        is_unnoted = noting_revocation(record.debts, observation, self.clock.now()) != record.debts
        if is_due or is_unnoted or is_quiet(record.repairs, self.clock.now()):
            return _Judgement(is_due=True)
        target_spec = as_observed(spec, observation)
        try:
            plan, _ = complete_plan(
                # In mode enforce, to find expired cut-offs too; a sweep only enqueues, so that any answers do.
                partial(make_plan, target_spec, observation, spec_version=accepted.version, mode=Mode.ENFORCE),
                Facts(self.clock.now(), debts=record.debts),
                last_look=lambda: None,
                is_in_sync=lambda _role: True,
            )
        except Exception:
            # A run of its own finds the cause again and reports it, and the other targets go on.
            return _Judgement(is_due=True)
        return _Judgement(not plan.is_empty, trust_look(target_spec, plan.drifts, swept.began), plan.drifts)


_FIRST = Attempt(is_last=False)


def _job(part: str, cause: Cause) -> SweepPart:
    """The job for a part, as state.sweeps names parts."""
    account, _, region = part.partition("/")
    return SweepRepositories(cause, account, region) if region else SweepIdentities(cause, account)


def _tried_in_vain(remembered: Mapping[str, TargetRecord], target: Target) -> float:
    """When a run of it last ended without success, for lack of a permission or else: the oldest comes first of these.

    Whatever else differs comes before.
    """
    last = remembered.get(target.key, TargetRecord()).last
    return 0.0 if last is None or last.result is None or last.result.is_fine else last.at.timestamp()


def _due_since(
    key: str, before: SweepRecord | None, remembered: Mapping[str, TargetRecord], began: datetime
) -> datetime:
    """Since when sweeps have found it due, and no run that ended has begun."""
    since = began if before is None else before.due_since.get(key, began)
    ran = remembered.get(key, TargetRecord()).settled_at
    return since if ran is None or ran < since else began


def _mark(error: PortError) -> str:
    """Identifies an error that persists: its message would not do, because it names a request or a session."""
    return hashlib.sha256(f"{error.code}\n{error.remedy}".encode()).hexdigest()[:32]
