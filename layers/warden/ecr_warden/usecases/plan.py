"""What enforcing a spec would do now: a plan a target, from one reading of the accounts; nothing is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from ecr_warden.model.address import OUR_POLICY_PREFIX, Address, identity_policy, repository_policy
from ecr_warden.model.desired import CompiledSpec, Mode, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Observation
from ecr_warden.model.plan import Held, HoldReason, Plan
from ecr_warden.model.run import Debts
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.planning.diff import diff
from ecr_warden.planning.explain import Explainer
from ecr_warden.planning.orphans import as_observed
from ecr_warden.planning.planner import Circumstances, make_plan
from ecr_warden.ports.documents import AccountUnread, Documents
from ecr_warden.ports.errors import OutOfTime, PortError, crashed
from ecr_warden.ports.hub import Clock
from ecr_warden.ports.store import State, TargetRecord
from ecr_warden.usecases.targets import is_cleared, removals, spec_for

# Of processor time for all plans together; the answer function has two minutes for everything.
_EXPLAINING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one reading. `unread`: those whose target stands for many of which nobody knows which there are.

    `made_again`: owners that were deleted and made again since a run last looked at them. What names them is planned
    accordingly, but only a run of theirs has it done.
    """

    plans: tuple[Plan, ...]
    unread: tuple[Plan, ...]
    made_again: tuple[Target, ...] = ()


def plan_spec(compiled: CompiledSpec, documents: Documents, clock: Clock) -> tuple[Plan, ...]:
    """Every plan that can be made without the hub's memory: of what earlier runs owe it knows nothing."""
    planned = plan_targets(compiled, documents, clock)
    return (*planned.unread, *planned.plans)


def plan_targets(
    compiled: CompiledSpec,
    documents: Documents,
    clock: Clock,
    *,
    state: State | None = None,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Planned:
    """Each target's plan, in the order of their keys, as if the spec said `mode: enforce`.

    Empty plans too, so that a target that is at spec is told from one that was not looked at. Owners that no grant
    names any more and that still hold something of ours come along.

    `state`: the hub's memory, for what earlier runs owe, who was made again, and what left the spec and is not revoked
    yet. `is_out_of_time`: from then on what is left is not planned and said to be unknown (`out-of-time`).

    Whatever fails on one target, an exception that nobody expected included, is that target's own.
    """
    listing = documents.list_repositories(compiled.patterns)
    fitting = {spec.target.key: spec for spec in map(compiled.spec_of, listing.repositories) if spec is not None}
    going = {spec.target.key: spec for spec in removals(compiled, state)} if state is not None else {}
    asked = {**going, **fitting, **compiled.targets}
    # All of them before the first plan: a user's depends on how its role was read.
    scanned = list(documents.scan(tuple(asked.values()), accounts=compiled.accounts))
    observations = {found.target.key: found for found in scanned if not isinstance(found, AccountUnread)}
    records = None if state is None else state.records([o.target for o in observations.values()])
    made_again = _made_again(observations, records or {})
    now = clock.now()
    explain = Explainer(_EXPLAINING_SECONDS)

    def is_at_spec(role: Target) -> bool:
        spec = compiled.targets.get(role.key)
        return spec is not None and not diff(spec, observations[role.key], now=now)

    def plan_of(observation: Observation) -> Plan | None:
        key = observation.target.key
        spec = asked.get(key) or spec_for(observation.target, compiled)
        record = TargetRecord() if records is None else records.get(key, TargetRecord())
        if spec is None or is_cleared(observation.target, compiled, record):
            return None
        if is_out_of_time():
            return _unlisted(
                _whole(observation.target),
                OutOfTime(f"the time was up before {observation.target} was planned"),
                compiled,
            )
        try:
            wanted = as_observed(spec, observation)
            plan = make_plan(
                wanted,
                observation,
                spec_version=compiled.version,
                mode=Mode.ENFORCE,
                circumstances=Circumstances(
                    now=now,
                    debts=None if records is None else _debts(spec, record.debts, made_again),
                    written_at=record.written_at,
                    is_at_spec=is_at_spec,
                ),
            )
            if plan.is_empty and key not in compiled.targets and key not in fitting:
                return None
            return explain(plan, wanted, observation)
        except Exception as error:
            return _unlisted(_whole(observation.target), crashed(f"planning {observation.target}", error), compiled)

    found = [plan for key in sorted(observations) if (plan := plan_of(observations[key])) is not None]
    unlisted = [(_whole(pattern.target), error) for pattern, error in listing.unread]
    unlisted += [(_whole(unread.target), unread.error) for unread in scanned if isinstance(unread, AccountUnread)]
    return Planned(
        plans=tuple(found),
        unread=tuple(_unlisted(address, error, compiled) for address, error in unlisted),
        made_again=tuple(observations[key].target for key in sorted(made_again)),
    )


def _whole(target: Target) -> Address:
    """What stands for all documents of a target of which nothing is known."""
    match target:
        case RepositoryTarget():
            return repository_policy(target)
        case RoleTarget() | UserTarget():
            return identity_policy(target, f"{OUR_POLICY_PREFIX}*")
        case _:
            assert_never(target)


def _unlisted(address: Address, error: PortError, compiled: CompiledSpec) -> Plan:
    """Of a list that could not be read; `address`: in the place of all that it would have had."""
    drift = Drift(address, DriftKind.UNREADABLE, str(error), code=error.code)
    return Plan(address.target, compiled.version, (drift,), (), (Held(drift, HoldReason.UNREADABLE, drift.explain),))


def _made_again(observations: Mapping[str, Observation], records: Mapping[str, TargetRecord]) -> frozenset[str]:
    """The keys of owners with another unique id than the one that a run last saw."""
    return frozenset(key for key, record in records.items() if record.was_recreated(observations[key]))


def _debts(spec: TargetSpec, debts: Debts, made_again: frozenset[str]) -> Debts:
    """What a run of the target will owe once a run of each owner that was made again has noted that."""
    named = {arn for arn, owner in spec.principals.items() if owner.key in made_again}
    return replace(debts, recreated_principals=tuple(sorted({*debts.recreated_principals, *named})))
