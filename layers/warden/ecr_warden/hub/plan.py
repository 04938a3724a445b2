"""What enforcing a spec would do now: one plan per target, from one reading of the accounts; nothing is written."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import partial

from msgspec import Struct

from ecr_warden.collect.estate import Needed
from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.core.address import OUR_POLICY_PREFIX, identity_policy, repository_policy
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, Mode, RepositoryPattern, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import OutOfTime, PortError, crashed, found_or_why
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Held, Plan
from ecr_warden.core.run import Debts
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.repair.diff import diff
from ecr_warden.repair.documents import all_identities
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.plan_facts import complete_plan, last_seen_in_sync
from ecr_warden.repair.planner import Facts, make_plan
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.repair.targets import expected_of, leaving_patterns, removals, spec_for
from ecr_warden.repair.write_scope import WriteScope, accounts_with_identities, scope_gap, scope_of
from ecr_warden.state.state import State, TargetRecord
from ecr_warden.state.sweeps import SweepRecords, is_cleared


class Planned(Struct, frozen=True):
    """The plans from one reading."""

    plans: tuple[Plan, ...]
    unread: tuple[Plan, ...]
    """One per list that was not read, in place of the targets it would hold."""
    accounts: ReadAccounts
    """What was read."""
    recreated: tuple[Target, ...] = ()
    """Identities that were recreated since a run last looked at them. Targets that name them are planned accordingly,
    but only a run of the identity itself has that done."""


type Read = Callable[[Needed], LiveEstate]
"""Reads at least what is asked for: of the accounts as they are, or of a snapshot."""


def plan_spec(compiled: CompiledSpec, read: Read, clock: Clock) -> tuple[tuple[Plan, ...], ReadAccounts]:
    """Every plan, made without the hub's memory and so without what earlier runs still owe, and what was read."""
    planned = plan_targets(compiled, read, clock)
    return (*planned.unread, *planned.plans), planned.accounts


def scope_gaps(
    compiled: CompiledSpec, plans: Sequence[Plan], accounts: ReadAccounts, *, of: Iterable[Target]
) -> tuple[ScopeGap | ScopeUnread, ...]:
    """What the write scope lacks for the spec and for the plans, in each account of the users and roles in `of`."""
    return tuple(
        ScopeUnread(account, str(scope)) if isinstance(scope, PortError) else scope_gap(compiled, plans, account, scope)
        for account, scope in write_scopes(accounts, accounts_with_identities(of)).items()
    )


def write_scopes(accounts: ReadAccounts, names: Iterable[str]) -> Mapping[str, WriteScope | PortError]:
    """The write scope of each account, or why it is not known."""

    def scope(account: str) -> WriteScope | PortError:
        return found_or_why(f"reading the write scope of {account}", lambda: scope_of(accounts.listed(account)))

    return {name: scope(name) for name in names}


def why_observed(compiled: CompiledSpec, target: Target) -> str | None:
    """Why a target is not written although others are."""
    return "its mode is observe" if compiled.overall_mode is not compiled.mode_of(target) else None


class Memory(Struct, frozen=True):
    """The hub's memory, as far as plans depend on it."""

    state: State
    """What earlier runs owe, which identities were recreated, which removed targets are not cleared yet."""
    sweep_records: SweepRecords
    """When trust policies were last read in sync."""


def plan_targets(
    compiled: CompiledSpec,
    read: Read,
    clock: Clock,
    memory: Memory | None = None,
    *,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Planned:
    """Each target's plan, sorted by key, as if the spec said `mode: enforce`.

    Targets in sync have empty plans, so that they differ from targets that were not looked at. Orphans that still hold
    documents of ecr-warden's are included.

    `memory`: None where there is no hub; nothing waits for a person then. `is_out_of_time`: from then on no target is
    planned; the rest is reported as unknown (`out-of-time`).

    A failure on one target, even an unexpected exception, is reported for that target alone.
    """
    leaving = () if memory is None else leaving_patterns(compiled, memory.sweep_records)
    patterns = (*compiled.patterns, *leaving)
    going = {} if memory is None else {spec.target.key: spec for spec in removals(compiled, memory.state)}
    # All of them before the first plan, for the plan of a user depends on its role.
    accounts = ReadAccounts(read(_needed(compiled, patterns, (*going.values(), *compiled.targets.values()))))
    listing = accounts.listing(patterns)
    specs = (spec_for(target, compiled) for target in listing.repositories)
    named = {**{spec.target.key: spec for spec in specs if spec is not None}, **compiled.targets}
    observations, unlisted = _observed(accounts, compiled.accounts, {**going, **named})
    unread = (*((pattern.target, error) for pattern, error in listing.unread), *unlisted)
    records = {} if memory is None else memory.state.records([o.target for o in observations.values()])
    recreated = frozenset(key for key, record in records.items() if record.was_recreated(observations[key]))
    reading = _Reading(compiled, memory, named, observations, records, recreated, clock.now())
    plans = (reading.plan_of(observations[key], is_out_of_time) for key in sorted(observations))
    return Planned(
        plans=tuple(plan for plan in plans if plan is not None),
        unread=tuple(_unread(target, error, compiled) for target, error in unread),
        accounts=accounts,
        recreated=tuple(observations[key].target for key in sorted(recreated)),
    )


def _observed(
    accounts: ReadAccounts, names: Iterable[str], wanted: Mapping[str, TargetSpec]
) -> tuple[dict[str, Observation], list[tuple[Target, PortError]]]:
    """The targets as they were read, with the orphans in these accounts, by key; and where orphans are not known."""
    observations = {key: accounts.observe(spec) for key, spec in wanted.items()}
    unlisted: list[tuple[Target, PortError]] = []
    for account in names:
        try:
            observations |= {orphan.target.key: orphan for orphan in accounts.orphans(account, wanted)}
        except PortError as error:
            unlisted.append((all_identities(account), error))
    return observations, unlisted


def _needed(compiled: CompiledSpec, patterns: Collection[RepositoryPattern], specs: Iterable[TargetSpec]) -> Needed:
    """What the plans of these targets rest on, and the users and roles among which orphans are sought."""
    targets = [spec.target for spec in specs]
    accounts = {*compiled.accounts, *(target.account for target in targets if not isinstance(target, RepositoryTarget))}
    return Needed(
        accounts,
        [target for target in targets if isinstance(target, RepositoryTarget)],
        patterns,
        identities={target.key for target in targets if not isinstance(target, RepositoryTarget)},
    )


class _Reading(Struct, frozen=True):
    """What all plans are made from; targets by key."""

    compiled: CompiledSpec
    memory: Memory | None
    named: Mapping[str, TargetSpec]
    """Those of the spec, and the repositories of its patterns and of those that it left."""
    observations: Mapping[str, Observation]
    records: Mapping[str, TargetRecord]
    recreated: frozenset[str]
    now: datetime

    def plan_of(self, observation: Observation, is_out_of_time: Callable[[], bool]) -> Plan | None:
        """The plan of a target; None for one that has no part in the spec, and nothing to lose."""
        key, compiled = observation.target.key, self.compiled
        spec = spec_for(observation.target, compiled)
        record = self.records.get(key, TargetRecord())
        swept_last = (lambda _: None) if self.memory is None else self.memory.sweep_records.of
        if spec is None or is_cleared(observation.target, compiled, record, swept_last):
            return None
        if is_out_of_time():
            return _unread(observation.target, OutOfTime(f"no time was left to plan {observation.target}"), compiled)
        try:
            target_spec = as_observed(spec, observation)
            plan, _ = complete_plan(
                partial(make_plan, target_spec, observation, spec_version=compiled.version, mode=Mode.ENFORCE),
                self._facts(spec, record),
                last_look=partial(self._last_look, target_spec, record),
                is_in_sync=self._is_in_sync,
            )
        except Exception as error:
            return _unread(observation.target, crashed(f"planning {observation.target}", error), compiled)
        return None if plan.is_empty and key not in self.named else plan

    def _facts(self, spec: TargetSpec, record: TargetRecord) -> Facts:
        if self.memory is None:
            return Facts(self.now)
        return Facts(
            self.now,
            debts=_debts(spec, record.debts, self.recreated),
            written_at=record.written_at,
            expected={at: taken.live for at, taken in expected_of(spec.target, self.compiled, record).items()},
        )

    def _last_look(self, wanted: TargetSpec, record: TargetRecord) -> datetime | None:
        return None if self.memory is None else last_seen_in_sync(wanted, record, self.memory.sweep_records)

    def _is_in_sync(self, role: Target) -> bool:
        spec = self.compiled.targets.get(role.key)
        observation = self.observations[role.key]
        return spec is not None and not diff(as_observed(spec, observation), observation, now=self.now)


def _unread(target: Target, error: PortError, compiled: CompiledSpec) -> Plan:
    """The plan of a target that could not be read, or of what represents a list of them."""
    address = (
        repository_policy(target)
        if isinstance(target, RepositoryTarget)
        else identity_policy(target, f"{OUR_POLICY_PREFIX}*")
    )
    drift = Drift(address, DriftKind.UNREADABLE, str(error), code=error.code)
    return Plan(target, compiled.version, (drift,), (), (Held(drift, HoldReason.UNREADABLE, drift.explain),))


def _debts(spec: TargetSpec, debts: Debts, recreated: frozenset[str]) -> Debts:
    """What the target will owe once a run of each recreated identity has noted that."""
    named = {arn for arn, identity in spec.principals.items() if identity.key in recreated}
    return replace(debts, recreated_principals=tuple(sorted({*debts.recreated_principals, *named})))
