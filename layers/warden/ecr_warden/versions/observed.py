"""The accounts as they were read for a verdict, as observations of single targets: what plans are made from."""

import hashlib
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ecr_warden.audit.repaired import target_of
from ecr_warden.core.address import (
    TAG_KEY,
    TAG_VALUE,
    Address,
    attached_policy,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.core.desired import RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget
from ecr_warden.repair.extent import limited_to, missing, unreadable
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest
from iam_access.errors import NamedError
from iam_access.inventory.inventory import Identity, Policy, Unread

_INLINE, _ATTACHED, _OF_GROUP = "identity policy ", "policy ", " of group "


class NotRead(NamedError):
    """A part of the accounts was not read, or not whole."""

    code = "not-read"


class LiveEstate(Struct, frozen=True):
    """The accounts as they were read for a verdict; `unread`: by part (state.sweeps), why it was not read."""

    estate: Estate
    unread: Mapping[str, str] = field(default_factory=dict)


class ReadAccounts:
    """The accounts of a verdict, asked target by target."""

    def __init__(self, live: LiveEstate) -> None:
        self._estate, self._unread = live.estate, live.unread
        self._named: dict[str, dict[str, Identity]] = {}

    def account(self, account: str) -> EcrAccount:
        """What was read of an account's users and roles; raises NotRead."""
        ecr_account = self._estate.accounts.get(account)
        if account in self._unread or ecr_account is None:
            raise NotRead(f"{account}: {self._unread.get(account, 'it was not read')}")
        return ecr_account

    def registry(self, account: str, region: str) -> Registry:
        """What was read of a registry; raises NotRead."""
        part = f"{account}/{region}"
        ecr_account = self._estate.accounts.get(account)
        registry = None if ecr_account is None else ecr_account.registries.get(region)
        if part in self._unread or registry is None:
            raise NotRead(f"{part}: {self._unread.get(part, 'it was not read')}")
        return registry

    def fitting(self, pattern: RepositoryPattern) -> Iterator[RepositoryTarget]:
        """The repositories that fit a pattern; raises NotRead unless all are known."""
        registry = self.registry(pattern.account, pattern.region)
        if not registry.is_listed:
            raise NotRead(f"{pattern.account}/{pattern.region}: its repositories were not listed")
        yield from (
            repository.target for repository in registry.repositories.values() if pattern.covers(repository.target)
        )

    def identities(self, account: str) -> Iterator[IdentityTarget]:
        """The users and roles of an account; raises NotRead unless all are known."""
        ecr_account = self.account(account)
        if not ecr_account.is_listed:
            raise NotRead(f"{account}: its users and roles were not listed")
        yield from map(target_of, ecr_account.identities.values())

    def observe(self, spec: TargetSpec) -> Observation:
        """One target, as far as its spec asks; what was not read is unreadable."""
        try:
            if isinstance(spec.target, RepositoryTarget):
                return self._repository(spec, spec.target)
            return self._identity(spec, spec.target)
        except NotRead as error:
            return unreadable(spec, Unreadable(error))

    def _repository(self, spec: TargetSpec, target: RepositoryTarget) -> Observation:
        registry = self.registry(target.account, target.region)
        repository = registry.repositories.get(target.name)
        if repository is None and not registry.is_listed:
            raise NotRead(f"{target.account}/{target.region}: its repositories were not listed")
        address = repository_policy(target)
        seen = (
            TargetMissing()
            if repository is None
            else Absent()
            if repository.policy is None
            else _seen(repository.policy, address)
        )
        return limited_to(spec, Observation(target, {address: seen}))

    def _identity(self, spec: TargetSpec, target: IdentityTarget) -> Observation:
        account = self.account(target.account)
        if account.id not in self._named:
            self._named[account.id] = {target_of(one).key: one for one in account.identities.values()}
        identity = self._named[account.id].get(target.key)
        if identity is None:
            if account.is_listed:
                return missing(spec)
            raise NotRead(f"{target.account}: its users and roles were not listed")
        return limited_to(spec, _observed(identity, target_of(identity), spec))


def _observed(identity: Identity, target: IdentityTarget, spec: TargetSpec) -> Observation:
    documents: dict[Address, Observed] = {}
    if isinstance(target, RoleTarget):
        documents[role(target)] = _settings(identity, spec)
        at = trust_policy(target)
        documents[at] = Absent() if identity.trust is None else _seen(identity.trust, at)
    for policy in identity.policies:
        if _OF_GROUP in policy.name:
            continue
        if policy.name.startswith(_INLINE):
            at = identity_policy(target, policy.name.removeprefix(_INLINE))
            documents[at] = _seen(policy, at)
        elif policy.name.startswith(_ATTACHED):
            arn = policy.name.removeprefix(_ATTACHED)
            documents[attached_policy(target, arn)] = Present(None, arn)
    is_ours = identity.tags.get(TAG_KEY) == TAG_VALUE
    return Observation(target, documents, identity.unique_id, is_ours)


def _settings(identity: Identity, spec: TargetSpec) -> Present:
    """A role's settings; the estate does not say how long its sessions last, so that counts as the spec says it."""
    role_settings = next((value for value in spec.documents.values() if isinstance(value, RoleSettings)), None)
    path = "/" + identity.arn.partition("/")[2].removesuffix(identity.name)
    boundary = None if identity.boundary is None else identity.boundary.shared
    return Present(RoleSettings(path, role_settings.max_session_duration if role_settings else 3600, boundary), "")


def _seen(policy: Policy, address: Address) -> Observed:
    match policy.document:
        case Document() as document:
            return Present(document, digest(document, kind=address.document_kind))
        case Unread(why=why, text=""):
            return Unreadable(NotRead(why))
        case Unread(why=why, text=text):
            return Unparseable(why, text, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
