"""What enforcing a spec would change: the estate as it is against the estate once every document is repaired."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.address import Address, AddressKind, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import CompiledSpec, DesiredValue, MustNotExist
from ecr_warden.core.ecr import ECR
from ecr_warden.core.estate import target_of
from ecr_warden.core.target import RoleTarget
from ecr_warden_cli.importing.policies import as_granted, kept_policy, without_deleted, without_void
from ecr_warden_cli.importing.roles import CUTOFFS
from ecr_warden_cli.importing.world import World, complete_accounts, inline_policies, statements_of
from iam_access.delta.delta import AccessDelta, access_change, gained_and_lost
from iam_access.delta.describe import describe_change
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import CanonicalStatement
from iam_access.inventory.inventory import Identity


class ImportEffect(StrEnum):
    """What writing a document would change."""

    EQUAL = "equal"  # AWS treats both alike, or they are interchangeable
    NONE = "no-access"  # another document, the same access
    CHANGE = "access"


class Outcome(Struct, frozen=True):
    """One document that the spec would write or remove; `gained` and `lost`: sentences, for CHANGE."""

    address: Address
    effect: ImportEffect
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def prove(compiled: CompiledSpec, world: World) -> tuple[Outcome, ...]:
    """The outcome for every document, by address."""
    found = [*_repositories(compiled, world), *_identities(compiled, world)]
    return tuple(sorted(found, key=lambda outcome: str(outcome.address)))


def _repositories(compiled: CompiledSpec, world: World) -> Iterator[Outcome]:
    for repository in world.estate.repositories():
        spec = compiled.spec_of(repository.target)
        if spec is None:
            continue
        address = repository_policy(repository.target)
        live = world.policy_of(repository)
        if live is not None and not isinstance(live, Document):
            yield Outcome(address, ImportEffect.CHANGE, ("its live policy is unknown",))
            continue
        desired = kept_policy(spec, live)
        document = None if isinstance(desired, MustNotExist) else desired
        outcome = _repository(address, live, document)
        if outcome.effect is ImportEffect.CHANGE and live is not None:
            # As grants write it, it differs only by what the spec's lack.
            outcome = _repository(address, as_granted(live, repository.target, world), document)
        yield outcome


def _repository(address: Address, live: Document | None, desired: Document | None) -> Outcome:
    kind = DocumentKind.RESOURCE
    if _is_equal(live, desired, kind):
        return Outcome(address, ImportEffect.EQUAL)
    now, then = (None if document is None else without_void(document) for document in (live, desired))
    if _is_equal(now, then, kind):
        return Outcome(address, ImportEffect.NONE)
    return _changed(address, gained_and_lost(now, then, kind=kind))


def _is_equal(live: Document | None, desired: Document | None, kind: DocumentKind) -> bool:
    if live is None or desired is None:
        return live is desired
    return not isinstance(relate(live, desired, kind=kind), Differs)


def _identities(compiled: CompiledSpec, world: World) -> Iterator[Outcome]:
    before = world.by_arn
    repaired = complete_accounts(as_repaired(world.estate, compiled))
    after = {identity.arn: identity for account in repaired for identity in account.identities.values()}
    for arn in sorted(before.keys() | after.keys()):
        old, new = before.get(arn), after.get(arn)
        if old is not new:
            yield from _identity(old, new, compiled, world)


def _identity(old: Identity | None, new: Identity | None, compiled: CompiledSpec, world: World) -> Iterator[Outcome]:
    """The documents of one user or role; its identity policies are weighed together."""
    identity = new or old
    assert identity is not None
    target = target_of(identity)
    if isinstance(target, RoleTarget):
        yield from _role(target, old, new, world)
    spec = compiled.targets.get(target.key)
    desired = dict(spec.documents) if spec else {}
    held = {} if old is None else {name: policy.document for name, policy in inline_policies(old)}
    kept = frozenset() if new is None else frozenset(name for name, _ in inline_policies(new))
    change = access_change(_said(old), _said(new))
    names = {address.name for address in desired if address.kind is AddressKind.IDENTITY_POLICY}
    names |= {name for name in held if name not in kept and name not in CUTOFFS}
    first = True
    for name in sorted(names):
        address = identity_policy(target, name)
        value: DesiredValue = desired.get(address, MustNotExist())
        live = held.get(name)
        document = value if isinstance(value, Document) else None
        if isinstance(live, Document | None) and _is_equal(live, document, DocumentKind.IDENTITY):
            yield Outcome(address, ImportEffect.EQUAL)
        elif change.assumed or change.gained or change.lost:
            # An identity's policies act together: what they gain and lose is shown with the first that differs.
            yield _changed(address, change) if first else Outcome(address, ImportEffect.CHANGE)
            first = False
        else:
            yield Outcome(address, ImportEffect.NONE)


def _said(identity: Identity | None) -> frozenset[CanonicalStatement]:
    return frozenset() if identity is None else statements_of(identity, without=CUTOFFS)


def _role(target: RoleTarget, old: Identity | None, new: Identity | None, world: World) -> Iterator[Outcome]:
    """The trust policy, and whether the role itself is as the spec says."""
    live = world.document(old.trust) if old else None
    wanted = world.document(new.trust) if new else None
    if live == wanted and old is not None and new is not None:
        # Only a spec that names the trust policy puts a document in its place.
        if old.trust is not new.trust:
            yield Outcome(trust_policy(target), ImportEffect.EQUAL)
    elif isinstance(live, Document | None) and isinstance(wanted, Document | None):
        alive = without_deleted(live) if live is not None else None
        if _is_equal(live, wanted, DocumentKind.TRUST):
            yield Outcome(trust_policy(target), ImportEffect.EQUAL)
        elif _is_equal(alive, wanted, DocumentKind.TRUST):
            yield Outcome(trust_policy(target), ImportEffect.NONE)
        else:
            yield _changed(trust_policy(target), gained_and_lost(alive, wanted, kind=DocumentKind.TRUST))
    bounds = [
        None if identity is None or identity.boundary is None else identity.boundary.place.arn
        for identity in (old, new)
    ]
    if bounds[0] != bounds[1] and old is not None and new is not None:
        yield Outcome(role(target), ImportEffect.CHANGE, (f"{target} will have the permissions boundary {bounds[1]}",))


def _changed(address: Address, change: AccessDelta) -> Outcome:
    def worded(part: AccessDelta) -> tuple[str, ...]:
        return describe_change(part, ECR, subject=str(address.target))

    gained, lost = AccessDelta(gained=change.gained), AccessDelta(lost=change.lost)
    return Outcome(address, ImportEffect.CHANGE, worded(gained), worded(lost))
