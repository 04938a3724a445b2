"""Comparing everything with the accepted spec, and enqueuing what differs: events get lost."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecr_warden.model.desired import CompiledSpec, Mode
from ecr_warden.model.job import ReconcileTarget, SweepSlice
from ecr_warden.model.look import Look, part_of, parts_of
from ecr_warden.model.observed import Observation
from ecr_warden.model.target import Target
from ecr_warden.planning.leftovers import as_observed, leftover_spec
from ecr_warden.planning.planner import Circumstances, make_plan
from ecr_warden.ports.clock import Clock
from ecr_warden.ports.documents import AccountUnread, Documents, Listing, all_owners
from ecr_warden.ports.jobs import Jobs
from ecr_warden.ports.looks import Looks
from ecr_warden.ports.specs import Specs
from ecr_warden.ports.state import State, TargetRecord
from ecr_warden.usecases.departures import departing
from ecr_warden.usecases.reconcile import FIRST_AND_LAST, Attempt, RetryLater
from ecr_warden.usecases.unread import TellUnread


@dataclass(frozen=True, slots=True)
class Sweep:
    """The use case over its ports; it reads and enqueues, and never writes to an account."""

    specs: Specs
    documents: Documents
    state: State
    jobs: Jobs
    looks: Looks
    clock: Clock
    tell_unread: TellUnread

    def __call__(self, job: SweepSlice, attempt: Attempt = FIRST_AND_LAST) -> tuple[Target, ...]:
        """Enqueue each target of the slice that is not as the accepted spec says, and return them.

        A pattern whose repositories could not be listed stops nothing and is told, and so is an account whose users and
        roles could not be; what may be read within a minute is raised as RetryLater, after all the rest, unless this
        is the last attempt.
        """
        accepted = self.specs.accepted()
        if accepted is None:
            return ()
        began = self.clock.now()
        leaving = tuple(departing(accepted, self.state))
        listing = self.documents.list_repositories(accepted.patterns) if accepted.patterns else Listing()
        fitting = [spec for spec in map(accepted.spec_of, listing.repositories) if spec is not None]
        wanted = [
            spec
            for spec in (*accepted.targets.values(), *leaving, *fitting)
            if _slice_of(spec.target.key, job.of) == job.index
        ]
        observations: list[Observation] = []
        unread = {pattern.target.key: error for pattern, error in listing.unread}
        for found in self.documents.scan(wanted, accounts=accepted.accounts):
            if isinstance(found, AccountUnread):
                unread[found.target.key] = found.error
            elif _slice_of(found.target.key, job.of) == job.index:
                observations.append(found)
        lists: list[Target] = [*(pattern.target for pattern in accepted.patterns), *map(all_owners, accepted.accounts)]
        listed = [target for target in lists if _slice_of(target.key, job.of) == job.index]
        remembered = self.state.records([*(found.target for found in observations), *listed])
        due = tuple(
            observation.target
            for observation in observations
            if self._is_due(accepted, observation, remembered.get(observation.target.key, TargetRecord()))
        )
        self.jobs.enqueue(ReconcileTarget(job.cause, target) for target in due)
        if job.of == 1:
            blind = {part_of(target) for target in lists if target.key in unread}
            parts = parts_of(accepted, (spec.target for spec in leaving)) - blind
            self._note(parts, began, accepted.version, observations, due)
        asked = [(target, unread.get(target.key)) for target in listed]
        later = [error for _, error in asked if error is not None and error.retryable and not attempt.is_last]
        known = [(target, error) for target, error in asked if error not in later]
        self.tell_unread(job.cause, accepted.version, known, remembered)
        if later:
            raise RetryLater(str(later[0]), retryable=True)
        return due

    def _note(
        self,
        parts: Iterable[str],
        began: datetime,
        version: str,
        observations: Iterable[Observation],
        due: Iterable[Target],
    ) -> None:
        """Remember that these parts were looked at as a whole, and what was found of each target."""
        differing = {target.key for target in due}
        by_part: dict[str, set[str]] = {part: set() for part in parts}
        for observation in observations:
            by_part.get(part_of(observation.target), set()).add(observation.target.key)
        for part, seen in by_part.items():
            self.looks.note(Look(part, began, version, frozenset(seen - differing), frozenset(seen & differing)))

    def _is_due(self, accepted: CompiledSpec, observation: Observation, record: TargetRecord) -> bool:
        """Whether a target differs, was made again, or has a run whose job is lost and left something to do."""
        spec = accepted.spec_of(observation.target) or leftover_spec(observation.target, accepted)
        if spec is None:
            return False
        if record.open_run is not None or record.was_recreated(observation):
            return True
        plan = make_plan(
            as_observed(spec, observation),
            observation,
            spec_version=accepted.version,
            mode=Mode.ENFORCE,  # to see spent session cut-offs too; a sweep only enqueues
            circumstances=Circumstances(now=self.clock.now(), debts=record.debts),
        )
        return not plan.is_empty


def _slice_of(key: str, of: int) -> int:
    """Stable between versions of the spec and of Python."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % of
