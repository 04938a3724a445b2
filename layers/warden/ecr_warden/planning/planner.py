"""Drift to a plan: which writes, in which order, and what is held back. Pure.

The order keeps every moment between two writes safe: no state on the way allows what neither the old documents nor
the spec allow.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from ecr_warden.model.address import DENY_OLDER_SESSIONS, AddressKind, identity_policy, trust_policy
from ecr_warden.model.desired import DesiredValue, Mode, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Absent, Observation, Observed, OwnerMissing, Present, Unparseable, Unreadable
from ecr_warden.model.plan import Change, Held, HoldReason, NewRole, Operation, Plan
from ecr_warden.model.run import Debts
from ecr_warden.model.target import RoleTarget, Target
from ecr_warden.planning.diff import diff, keeps_trust_policy
from ecr_warden.planning.foreign import with_foreign
from ecr_warden.planning.guardrails import cuts_own_access, is_not_ours
from ecr_warden.planning.ordering import gains, narrows_trust, ordered, without_gain
from ecr_warden.planning.sessions import cutoff_of, deny_older_sessions, is_session_cutoff, is_spent
from ecr_warden.policy.access import AccessChange, gained_and_lost
from ecr_warden.policy.document import Document, DocumentKind


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on besides desired and observed.

    `cutoff_margin`: how far beyond `now` older sessions are denied, because a policy takes a while to reach every
    AWS endpoint. `debts`: left over from earlier runs of the target.
    `is_at_spec`: whether a role has been read just now and is as the spec says.
    """

    now: datetime
    cutoff_margin: timedelta = timedelta(seconds=60)
    debts: Debts = field(default_factory=Debts)
    is_at_spec: Callable[[Target], bool] = lambda _role: True


def make_plan(
    spec: TargetSpec, observation: Observation, *, spec_version: str, mode: Mode, circumstances: Circumstances
) -> Plan:
    """The plan that takes a target from observed to desired.

    In observe mode every drift is held. A change holds one address; what it depends on comes before it.
    """
    spec = with_foreign(spec, observation)
    drifts = diff(spec, observation, now=circumstances.now, recreated=circumstances.debts.recreated_principals)
    plan = Plan(spec.target, spec_version, drifts)
    if mode is Mode.OBSERVE:
        explain = "the spec says mode: observe"
        return replace(plan, held=tuple(Held(drift, HoldReason.OBSERVE_MODE, explain) for drift in drifts))

    changes: list[Change] = []
    held: list[Held] = []
    for drift in drifts:
        for part in _repair(spec, observation, drift, circumstances):
            match part:
                case Held():
                    held.append(part)
                case Change():
                    changes.append(part)
    cutoff = _session_cutoff(spec, observation, changes, circumstances)
    if cutoff is not None:
        changes = [change for change in changes if change.address != cutoff.address] + [cutoff]
    return replace(plan, changes=ordered(changes), held=tuple(held))


def _repair(
    spec: TargetSpec, observation: Observation, drift: Drift, circumstances: Circumstances
) -> Iterator[Change | Held]:
    """The change that ends a drift, or what of it is held and why; nothing when another change covers it."""
    desired = spec.documents.get(drift.address, MustNotExist())
    if drift.kind is DriftKind.UNREADABLE:
        yield Held(drift, HoldReason.UNREADABLE, drift.explain)
        return
    if is_not_ours(spec, observation):
        explain = "a role of that name stands under another path: ecr-warden takes over no role that it did not make"
        yield Held(drift, HoldReason.NOT_OURS, explain)
        return
    if drift.kind is DriftKind.OWNER_MISSING:
        yield from _without_owner(spec, drift, desired)
        return
    change = _change(spec, observation, drift, desired)
    roles = spec.widen_after.get(drift.address, ()) if gains(change) else ()
    waiting = [role for role in roles if not circumstances.is_at_spec(role)]
    if cuts_own_access(change):
        yield Held(drift, HoldReason.OWN_ACCESS, "it would take from ecr-warden the access that it repairs with")
    elif waiting:
        explain = f"waits for {', '.join(map(str, waiting))} to be as the spec says"
        yield Held(drift, HoldReason.ROLE_NOT_AT_SPEC, explain)
        cut = without_gain(change)
        if cut is not None:
            yield cut
    else:
        yield change


def _without_owner(spec: TargetSpec, drift: Drift, desired: DesiredValue) -> Iterator[Change | Held]:
    address = drift.address
    if not _makes_role(spec):
        yield Held(drift, HoldReason.OWNER_MISSING, f"{address.target} does not exist, and ecr-warden does not make it")
    elif isinstance(desired, Document) and address.kind is not AddressKind.TRUST_POLICY:
        # CreateRole carries the trust policy itself; identity policies follow it.
        access = gained_and_lost(None, desired, kind=address.document_kind)
        yield Change(Operation.CREATE, address, None, None, desired, access, drift.explain)


def _makes_role(spec: TargetSpec) -> bool:
    return any(
        address.kind is AddressKind.ROLE and isinstance(desired, RoleSettings)
        for address, desired in spec.documents.items()
    )


def _change(spec: TargetSpec, observation: Observation, drift: Drift, desired: DesiredValue) -> Change:
    address = drift.address
    before, digest, live = _before(observation.documents.get(address))
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
        case _:
            assert_never(desired)


def _before(observed: Observed | None) -> tuple[str | None, str | None, Document | None]:
    match observed:
        case Present(Document() as document, digest):
            return document.text, digest, document
        case Present(RoleSettings() as settings, digest):
            return repr(settings), digest, None
        case Present(None, digest):
            return None, digest, None
        case Unparseable(_, text, digest):
            return text, digest, None
        case _:
            return None, None, None


def _session_cutoff(
    spec: TargetSpec, observation: Observation, changes: Iterable[Change], circumstances: Circumstances
) -> Change | None:
    """The change that denies older sessions, if one is owed, or drops such a document when it is spent."""
    target = spec.target
    if not isinstance(target, RoleTarget) or not _can_end_sessions(spec, observation):
        return None
    address = identity_policy(target, DENY_OLDER_SESSIONS)
    before, digest, live = _before(observation.documents.get(address))
    if circumstances.debts.owes_session_cutoff or any(map(narrows_trust, changes)):
        cutoff = circumstances.now + circumstances.cutoff_margin
        extends = live is not None and is_session_cutoff(address.name, live, circumstances.now)
        earlier = cutoff_of(live) if live is not None and extends else None
        document = deny_older_sessions(max(cutoff, earlier) if earlier else cutoff)
        access = gained_and_lost(live, document, kind=address.document_kind)
        if extends:
            access = AccessChange(lost=access.lost)  # a later cut-off denies all that the earlier one did
        operation = Operation.UPDATE if digest else Operation.CREATE
        return Change(operation, address, before, digest, document, access, "sessions opened before the repair end")
    if live is not None and is_spent(live, circumstances.now):
        access = gained_and_lost(live, None, kind=address.document_kind)
        return Change(Operation.DELETE, address, before, digest, None, access, "the sessions it denied have expired")
    return None


def _can_end_sessions(spec: TargetSpec, observation: Observation) -> bool:
    """Whether the role is ours, there and readable; one that is gone took its sessions along."""
    if not keeps_trust_policy(spec) or is_not_ours(spec, observation):
        return False
    for address, observed in observation.documents.items():
        match address.kind, observed:
            case AddressKind.TRUST_POLICY, Absent() | OwnerMissing() | Unreadable():
                return False
            case AddressKind.IDENTITY_POLICY, Unreadable() if address not in spec.documents:
                return False
            case _:
                pass
    return True
