"""From drift to a plan: the changes in the order of writing, and what is held.

The order is safe at every moment: no state between two writes allows what neither the old documents nor the spec allow.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct, field

from ecr_warden.core.address import Address, AddressKind, trust_policy
from ecr_warden.core.desired import DesiredValue, Mode, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Change, Held, NewRole, Plan
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.target import RoleTarget, Target
from ecr_warden.repair.cutoff import LastLook, pre_image, session_cutoff, sessions_to_end
from ecr_warden.repair.diff import diff
from ecr_warden.repair.guardrails import cuts_own_access, is_not_ours, sparing_own_access
from ecr_warden.repair.hard_documents import decided
from ecr_warden.repair.ordering import gains, loses, ordered, removing_access, without_gain
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind


class RoleInSync(Struct, frozen=True):
    """Is this role in sync? Asked before somebody may gain the right to assume it."""

    role: Target


type Question = LastLook | RoleInSync
"""What a plan may have to know that a run reads only when asked."""


class NeedsToKnow(Struct, frozen=True):
    """There is no plan before these are answered."""

    questions: tuple[Question, ...]


class Facts(Struct, frozen=True):
    """What a plan rests on besides the desired and the live documents."""

    now: datetime
    cutoff_margin: timedelta = timedelta(seconds=60)
    """How far beyond `now` sessions are denied, because a policy takes a while to reach every AWS endpoint."""
    last_look: datetime | LastLook | None = LastLook()
    """When the trust policy was last read in sync; None if no time is known."""
    debts: Debts | None = None
    """From earlier runs of the target; None if no record is available."""
    written_at: datetime | None = None
    """When one of them last wrote."""
    roles_in_sync: Mapping[str, bool] = field(default_factory=dict)
    """Whether the roles that were asked for are, by their keys."""
    refusals: Mapping[Address, int] = field(default_factory=dict)
    """How often this run's writes to an address were refused by AWS."""
    paced: Collection[tuple[Address, str]] = ()
    """The documents over which there is a fight, each with the digest in which no access is given back to it yet."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """By the address as text, the live digests ("" where there was nothing) by which a take-over that was not carried
    out yet was judged."""

    def ended_by(self, changes: Iterable[Change]) -> Sessions | LastLook | None:
        """The sessions that end with the changes, because they narrow the trust policy; None if they do not."""
        return sessions_to_end(
            changes, debts=self.debts, now=self.now, margin=self.cutoff_margin, last_look=self.last_look
        )


def make_plan(
    spec: TargetSpec, observation: Observation, facts: Facts, *, spec_version: str, mode: Mode
) -> Plan | NeedsToKnow:
    """The plan that would bring a target in sync, or what has to be read first; in observe mode all is held.

    `spec`: as resolved by `as_observed`.
    """
    return decided(lambda seen: _make_plan(spec, seen, spec_version, mode, facts), observation)


def _make_plan(
    spec: TargetSpec, observation: Observation, spec_version: str, mode: Mode, facts: Facts
) -> Plan | NeedsToKnow:
    now, debts = facts.now, facts.debts
    drifts = diff(spec, observation, now=now, debts=debts, written_at=facts.written_at)
    observed = tuple(_observed_drift(spec, observation, drifts, now))
    plan = Plan(spec.target, spec_version, (*drifts, *observed))
    if mode is Mode.OBSERVE:
        return replace(plan, held=tuple(map(_observed, plan.drifts)))

    parts = [part for drift in drifts for part in _repair(spec, observation, drift, facts)]
    changes = [part for part in parts if isinstance(part, Change)]
    questions = [part for part in parts if isinstance(part, RoleInSync)]
    held = [Held(drift, HoldReason.OBSERVE_MODE, "only grants in mode observe differ") for drift in observed]
    held += [part for part in parts if isinstance(part, Held)]
    ended = facts.ended_by(changes)
    if isinstance(ended, LastLook):
        return NeedsToKnow((*questions, ended))
    if questions:
        return NeedsToKnow(tuple(questions))
    cutoff = session_cutoff(spec, observation, ended, debts=debts, now=now)
    if cutoff is not None:
        changes = [change for change in changes if change.address != cutoff.address] + [cutoff]
    return replace(plan, changes=ordered(changes), held=tuple(held))


_LEFT_ALONE = {DriftKind.UNREADABLE: HoldReason.UNREADABLE, DriftKind.SETTLING: HoldReason.SETTLING}


def _observed(drift: Drift) -> Held:
    if drift.kind is DriftKind.SETTLING:
        return Held(drift, HoldReason.SETTLING, drift.explain)
    return Held(drift, HoldReason.OBSERVE_MODE, "the spec says mode: observe")


def _repair(
    spec: TargetSpec, observation: Observation, drift: Drift, facts: Facts
) -> Iterator[Change | Held | RoleInSync]:
    """The change that repairs a drift, what of it is held, or both, or what to ask first.

    Nothing if another change covers it.
    """
    desired = spec.documents.get(drift.address, MustNotExist())
    if reason := _LEFT_ALONE.get(drift.kind):
        yield Held(drift, reason, drift.explain)
        return
    if drift.kind is DriftKind.MISSING and isinstance(desired, MustNotExist):
        return  # a cut-off, which no spec names: session_cutoff writes it
    if is_not_ours(spec, observation):
        explain = "a role of this name exists under another path; ecr-warden repairs only roles that it created"
        yield Held(drift, HoldReason.NOT_OURS, explain)
        return
    if drift.kind is DriftKind.TARGET_MISSING:
        yield from _without_target(spec, drift, desired)
        return
    change = _change(spec, observation, drift, desired)
    refusals = facts.refusals.get(drift.address, 0)
    if cuts_own_access(change, observation.documents.get(drift.address)):
        yield Held(drift, HoldReason.OWN_ACCESS, "it would remove the access that ecr-warden needs for repairs")
        if isinstance(desired, Document) and drift.address.kind is AddressKind.REPOSITORY_POLICY:
            spared = sparing_own_access(desired, drift.address.target.account)
            yield from filter(None, [removing_access(_change(spec, observation, drift, spared), refusals + 1)])
        return
    has_moved = gains(change) and _has_moved(drift, change, facts.expected)
    cut = removing_access(change, refusals or 1) if refusals or has_moved else None
    if has_moved:
        explain = "it is not as it was when the version that takes it over was judged; it is judged anew"
        yield Held(drift, HoldReason.MOVED, f"{explain} before it gives anything")
    elif cut is not None:
        explain = "AWS refuses the document of the spec (yet); until it takes it, only excess access is removed"
        yield Held(drift, HoldReason.REFUSED, explain)
    else:
        yield from _gated(drift, change, spec.widen_after.get(drift.address, ()) if gains(change) else (), facts)
    yield from filter(None, [cut])


def _gated(
    drift: Drift, change: Change, roles: Collection[Target], facts: Facts
) -> Iterator[Change | Held | RoleInSync]:
    """The change, once the `roles` that somebody gains are known to be in sync; else what of it takes access away."""
    waiting = [role for role in roles if not facts.roles_in_sync.get(role.key, False)]
    unknown = [RoleInSync(role) for role in waiting if role.key not in facts.roles_in_sync]
    if unknown:
        yield from unknown
    elif waiting:
        yield Held(
            drift, HoldReason.ROLE_NOT_IN_SYNC, f"waits until {', '.join(map(str, waiting))} is as the spec says"
        )
        yield from filter(None, [removing_access(change, 1)])
    else:
        yield from _in_pace(drift, change, is_paced=(drift.address, change.expect or "") in facts.paced)


def _has_moved(drift: Drift, change: Change, expected: Mapping[str, str]) -> bool:
    """Whether a document that is taken over is not the one that was judged; what nobody saw then was not there."""
    is_new = bool(expected) and drift.kind is DriftKind.UNEXPECTED
    judged = expected.get(str(drift.address), "" if is_new else None)
    return drift.address.kind is not AddressKind.ROLE and judged is not None and judged != (change.expect or "")


def _in_pace(drift: Drift, change: Change, *, is_paced: bool) -> Iterator[Change | Held]:
    """The change, or its part that only removes access while no access is given back; removing is never held."""
    cut = without_gain(change) if is_paced and gains(change) else None
    if not is_paced or not gains(change) or (cut is None and loses(change)):
        yield change
        return
    yield Held(
        drift,
        HoldReason.PACED,
        "somebody keeps restoring this version: what is missing is given back by the next sweep at the latest",
    )
    if cut is not None:
        yield cut


def _without_target(spec: TargetSpec, drift: Drift, desired: DesiredValue) -> Iterator[Change | Held]:
    address = drift.address
    if not _creates_role(spec):
        yield Held(
            drift, HoldReason.TARGET_MISSING, f"{address.target} does not exist, and ecr-warden does not create it"
        )
    elif isinstance(desired, Document) and address.kind is not AddressKind.TRUST_POLICY:
        # CreateRole carries the trust policy itself; identity policies follow it.
        access = gained_and_lost(None, desired, kind=address.document_kind)
        yield Change(Operation.CREATE, address, None, None, desired, access, drift.explain)


def _creates_role(spec: TargetSpec) -> bool:
    return any(
        address.kind is AddressKind.ROLE and isinstance(desired, RoleSettings)
        for address, desired in spec.documents.items()
    )


def _change(spec: TargetSpec, observation: Observation, drift: Drift, desired: DesiredValue) -> Change:
    address = drift.address
    before, digest, live = pre_image(observation.documents.get(address))
    match desired:
        case MustNotExist():
            access = gained_and_lost(live, None, kind=address.document_kind) if live else None
            return Change(Operation.DELETE, address, before, digest, None, access, drift.explain)
        case Document():
            operation = Operation.UPDATE if digest else Operation.CREATE
            access = gained_and_lost(live, desired, kind=address.document_kind) if live or not digest else None
            return Change(operation, address, before, digest, desired, access, drift.explain)
        case RoleSettings():
            if digest:
                return Change(Operation.UPDATE, address, before, digest, desired, None, drift.explain)
            assert isinstance(address.target, RoleTarget)
            trust = spec.documents[trust_policy(address.target)]
            assert isinstance(trust, Document)
            access = gained_and_lost(None, trust, kind=DocumentKind.TRUST)
            return Change(Operation.CREATE, address, None, None, NewRole(desired, trust), access, drift.explain)


def _observed_drift(
    spec: TargetSpec, observation: Observation, drifts: tuple[Drift, ...], now: datetime
) -> Iterator[Drift]:
    """What the live documents lack of the observed grants, where they are otherwise as they should be."""
    if not spec.observed:
        return
    known = {drift.address for drift in drifts}
    for drift in diff(replace(spec, documents=spec.granted), observation, now=now):
        if drift.address in spec.observed and drift.address not in known:
            yield drift
