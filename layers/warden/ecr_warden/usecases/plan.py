"""What enforcing a spec would do now: a plan a target, from one reading of the accounts; nothing is written."""

from collections.abc import Iterator

from ecr_warden.model.address import repository_policy
from ecr_warden.model.desired import CompiledSpec, Mode
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.plan import Held, HoldReason, Plan
from ecr_warden.model.target import Target
from ecr_warden.planning.diff import diff
from ecr_warden.planning.leftovers import as_observed, leftover_spec
from ecr_warden.planning.planner import Circumstances, make_plan
from ecr_warden.ports import Clock, Documents, Listing


def plan_spec(compiled: CompiledSpec, documents: Documents, clock: Clock) -> Iterator[Plan]:
    """Each target's plan, in the order of their keys, as if the spec said `mode: enforce`.

    Empty plans too, so that a target that is at spec is told from one that was not looked at. Owners that no grant
    names any more and that still hold something of ours come along. What earlier runs owe is known to the hub alone.
    """
    listing = documents.list_repositories(compiled.patterns) if compiled.patterns else Listing()
    fitting = {spec.target.key: spec for spec in map(compiled.spec_of, listing.repositories) if spec is not None}
    named = {**fitting, **compiled.targets}
    specs = tuple(named.values())
    # All of them before the first plan: a user's depends on how its role was read.
    observations = {o.target.key: o for o in documents.scan(specs, accounts=compiled.accounts)}
    now = clock.now()

    def is_at_spec(role: Target) -> bool:
        spec = compiled.targets.get(role.key)
        return spec is not None and not diff(spec, observations[role.key], now=now)

    for pattern, error in listing.unread:
        drift = Drift(repository_policy(pattern.target), DriftKind.UNREADABLE, str(error), code=error.code)
        held = Held(drift, HoldReason.UNREADABLE, drift.explain)
        yield Plan(pattern.target, compiled.version, (drift,), (), (held,))
    for key in sorted({*named, *observations}):
        observation = observations[key]
        spec = named.get(key) or leftover_spec(observation.target, compiled)
        if spec is None:
            continue
        plan = make_plan(
            as_observed(spec, observation),
            observation,
            spec_version=compiled.version,
            mode=Mode.ENFORCE,
            circumstances=Circumstances(now=now, is_at_spec=is_at_spec),
        )
        if key in named or not plan.is_empty:
            yield plan
