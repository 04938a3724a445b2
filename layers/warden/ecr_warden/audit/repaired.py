"""The estate with what is known to be repaired in place: what differs then, the spec does not decide, or it waits."""

from collections.abc import Callable
from copy import replace
from datetime import datetime
from enum import StrEnum

from ecr_warden.audit.finding import AUDITED_FOR
from ecr_warden.core.address import (
    AWS_REVOKE_OLDER_SESSIONS,
    OUR_POLICY_PREFIX,
    OWN_ROLES,
    Address,
    AddressKind,
    repository_policy,
    trust_policy,
)
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Extent, RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository, target_of
from ecr_warden.core.observed import Observation, Present
from ecr_warden.core.sessions import FARTHEST_AHEAD, denied_by
from ecr_warden.core.target import RoleTarget, target_arn
from ecr_warden.core.tolerated import with_observed_grants
from iam_access.arn import ARN_COLONS
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.gather import gather
from iam_access.inventory.accounts import ABSENT
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy, PolicyPlace, Unread


class Waits(StrEnum):
    """Why the documents of a target count as they lie there, and not as repaired."""

    NOBODY = "nobody"  # there is no hub that repairs
    OTHERS = "others"  # nothing is asked of it: it never was the spec's, or has lost what the spec gave it
    OBSERVED = "observed"  # its mode
    PAUSED = "paused"
    HELD = "held"  # its last run left it for a person, for the switch to be turned, or for its role
    FAILED = "failed"  # its last run did not end well
    OVERDUE = "overdue"  # it may differ for longer than an interval, and no run that ended has begun since
    STALE = "stale"  # read longer than a sweep's interval ago, and no run that ended well has begun since


type Live = Callable[[str], Waits | None]
"""Says of a target, by its key, why its documents count as they lie there; None where they count as repaired.

A document that differs counts as repaired only if that is known: its name, path or tag, or that it was removed from the
spec, proves nothing.
"""


def all_repaired(_: str) -> Waits | None:
    """Every target counts as repaired."""
    return None


def none_repaired(_: str) -> Waits | None:
    """There is no hub."""
    return Waits.NOBODY


def as_repaired(
    estate: Estate, compiled: CompiledSpec, live: Live = all_repaired, *, without_orphans: bool = True
) -> Estate:
    """The estate with the documents of the spec in place of live ones, and without orphans, where these are repaired.

    Push roles that do not exist are created; users, other roles and repositories that do not exist are not. Accounts
    that the spec does not name, those that were not read, and whatever waits, stay as they are; so do orphans where no
    hub is known that removes them, for anybody may choose a name like ours.
    """
    repaired = _Repaired(compiled, live, estate.taken_at, without_orphans=without_orphans)
    return replace(estate, accounts={name: repaired.account(account) for name, account in estate.accounts.items()})


class _Repaired:
    def __init__(self, compiled: CompiledSpec, live: Live, taken_at: datetime, *, without_orphans: bool) -> None:
        self._compiled, self._without_orphans = compiled, without_orphans
        self._taken_at = taken_at
        self._live = live
        # Equal documents become one value: subjects with the same documents are decided once.
        self._known: dict[str, Document] = {}
        self._targets = gather((spec.target.account, (key, spec)) for key, spec in compiled.targets.items())

    def account(self, account: EcrAccount) -> EcrAccount:
        if account.id not in self._compiled.accounts:
            return account
        return replace(
            account,
            identities=self._identities(account) if account.is_listed else account.identities,
            registries={region: self._registry(registry) for region, registry in account.registries.items()},
        )

    def _registry(self, registry: Registry) -> Registry:
        repositories = {name: self._repository(repository) for name, repository in registry.repositories.items()}
        return replace(registry, repositories=repositories)

    def _repository(self, repository: Repository) -> Repository:
        spec = self._compiled.spec_of(repository.target)
        if self._live(repository.target.key):
            return repository
        if spec is None:
            return replace(repository, policy=None) if self._is_revoked(repository) else repository
        name = f"repository policy of {repository.target.name}"
        return replace(repository, policy=self._policy(name, spec.granted[repository_policy(repository.target)]))

    def _is_revoked(self, repository: Repository) -> bool:
        """Whether it still has what it loses by its removal; whatever else it gets is not the spec's."""
        removed = self._compiled.removed.get(repository.target.key)
        left = self._compiled.pattern_left_by(repository.target)
        given = removed.given if removed is not None else left.pattern.policy if left is not None else None
        live = repository.policy.document if repository.policy is not None else None
        if not isinstance(given, Document) or not isinstance(live, Document):
            return False
        return not isinstance(relate(live, given, kind=DocumentKind.RESOURCE), Differs)

    def _identities(self, account: EcrAccount) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        seen: set[str] = set()
        for identity in account.identities.values():
            target = target_of(identity)
            seen.add(target.key)
            spec = self._compiled.targets.get(target.key)
            repaired = self._named(identity, spec, account) if spec else _without_orphans(identity)
            is_others = _is_elsewhere(identity, spec) if spec else not self._without_orphans
            if is_others or self._live(target.key):
                repaired = identity
            found[repaired.arn] = repaired
        for key, spec in self._targets.get(account.id, ()):
            settings = _settings(spec)
            if settings and key not in seen and not self._live(key):
                made = self._named(_new_role(spec, settings), spec, account)
                found[made.arn] = made
        return found

    def _named(self, identity: Identity, spec: TargetSpec, account: EcrAccount) -> Identity:
        """A user or role with the documents of its spec."""
        own = {
            PolicyPlace(inline=address.name): value
            for address, value in spec.granted.items()
            if address.kind is AddressKind.IDENTITY_POLICY
        }
        kept = [
            one
            for one in identity.policies
            if one.place not in own and (_stays(one, spec) or _keeps_out(one, self._taken_at))
        ]
        added = [
            Policy.at(at, self._known.setdefault(value.text, value))
            for at, value in own.items()
            if isinstance(value, Document)
        ]
        boundary, trust = identity.boundary, identity.trust
        if (settings := _settings(spec)) is not None:
            boundary = _boundary(settings.boundary, account)
        if isinstance(spec.target, RoleTarget) and (at := trust_policy(spec.target)) in spec.granted:
            left = _trust_left(trust, spec, at)
            trust = trust if left is None else self._policy(f"trust policy of {identity.name}", left)
        return replace(identity, policies=(*added, *kept), boundary=boundary, trust=trust)

    def _policy(self, name: str, value: DesiredValue) -> Policy | None:
        return Policy(name, self._known.setdefault(value.text, value)) if isinstance(value, Document) else None


def _trust_left(live: Policy | None, spec: TargetSpec, at: Address) -> DesiredValue | None:
    """The trust policy that a repair leaves: with what observed grants add to it, if that is there; None: any."""
    seen = {at: Present(live.document, "")} if live is not None and isinstance(live.document, Document) else {}
    return with_observed_grants(spec, Observation(spec.target, seen)).documents.get(at)


def _settings(spec: TargetSpec) -> RoleSettings | None:
    return next((value for value in spec.granted.values() if isinstance(value, RoleSettings)), None)


def _is_elsewhere(identity: Identity, spec: TargetSpec) -> bool:
    """Is it a role of the spec's name under another path? Only a role that ecr-warden created is repaired."""
    settings = _settings(spec)
    return settings is not None and identity.arn.split(":", ARN_COLONS)[-1] != f"role{settings.path}{identity.name}"


def _new_role(spec: TargetSpec, settings: RoleSettings) -> Identity:
    arn = target_arn(spec.target, path=settings.path)
    return Identity(arn, spec.target.account, IdentityKind.ROLE, spec.target.name, "")


def _stays(policy: Policy, spec: TargetSpec) -> bool:
    """Whether a repair leaves a policy that the spec does not name: a group's always, for it is not the identity's."""
    if policy.place.group or spec.extent is Extent.NAMED:
        return True
    return spec.extent is Extent.OURS and not _is_ours(policy)


def _keeps_out(policy: Policy, at: datetime) -> bool:
    """Whether it is a responder's revocation that a repair leaves although it is ahead of the clock: nobody gets in.

    Ours ends by itself within minutes, and its run says so.
    """
    is_revocation = policy.place.inline == AWS_REVOKE_OLDER_SESSIONS
    denied = denied_by(policy.document) if is_revocation and isinstance(policy.document, Document) else None
    return denied is not None and at < denied.before <= at + AUDITED_FOR + FARTHEST_AHEAD


def _is_ours(policy: Policy) -> bool:
    return policy.place.inline.startswith(OUR_POLICY_PREFIX) and not policy.place.group


def _without_orphans(identity: Identity) -> Identity:
    """A user or role that the spec does not name, without the policies that are ecr-warden's."""
    if identity.kind is IdentityKind.ROLE and identity.name.lower() in OWN_ROLES:
        return identity
    return replace(identity, policies=tuple(policy for policy in identity.policies if not _is_ours(policy)))


def _boundary(arn: str | None, account: EcrAccount) -> Policy | None:
    if arn is None:
        return None
    name = f"permissions boundary {arn}"
    policy = account.managed.get(arn)
    return Policy(name, policy.document if policy else Unread(name, ABSENT), PolicyPlace(arn=arn))
