"""What was read of the accounts as observations of single targets: what plans are made from."""

import hashlib
from collections.abc import Container, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from ecr_warden.collect.estate import Reading
from ecr_warden.core.address import (
    OUR_POLICY_PREFIX,
    TAG_KEY,
    TAG_VALUE,
    Address,
    attached_policy,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.core.codec.accounts import account_from_pieces
from ecr_warden.core.desired import RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry, target_of
from ecr_warden.core.failures import PortError, crashed
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, as_unreadable
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget
from ecr_warden.repair.extent import limited_to, missing, unreadable
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest
from iam_access.inventory.accounts import IAM_CALL, IDENTITY_LISTS, ROLES_CALL, Parsed
from iam_access.inventory.inventory import Identity, Policy, Unread

_INLINE, _ATTACHED, _OF_GROUP = "identity policy ", "policy ", " of group "


class NotRead(PortError):
    """A part of the accounts was not read, or not whole."""

    code = "not-read"


class LiveEstate(Struct, frozen=True):
    """The accounts as they were read; `unread`: why not, by part (state.sweeps), or by the key of a repository."""

    estate: Estate
    unread: Mapping[str, PortError] = field(default_factory=dict)

    @classmethod
    def of(cls, part: str, reading: Reading, now: datetime) -> "LiveEstate":
        """A part as it was just read: of an account the users and roles alone, with what is their own."""
        account, _, region = part.partition("/")
        entry, failed = dict(reading.entry), reading.failed
        if region:
            unread = {RepositoryTarget(account, region, name).key: error for name, error in failed.items()}
        else:
            entry["iam"] = {key: entry.get("iam", {}).get(key) for key in IDENTITY_LISTS}
            error = failed.get(IAM_CALL) or failed.get(ROLES_CALL)
            unread = {} if error is None else {account: error}
        try:
            return cls(Estate(now, {account: account_from_pieces(account, {part: entry}, Parsed())}), unread)
        except Exception as error:
            return cls(Estate(now, {}), {part: crashed(f"reading {part}", error)})


class ReadAccounts:
    """What was read of the accounts, asked target by target."""

    def __init__(self, live: LiveEstate) -> None:
        self._estate, self._unread = live.estate, live.unread
        self._named: dict[str, dict[str, Identity]] = {}

    def account(self, account: str) -> EcrAccount:
        """What was read of an account's users and roles; raises a PortError if they were not."""
        ecr_account = self._estate.accounts.get(account)
        if account in self._unread or ecr_account is None:
            raise self._why(account)
        return ecr_account

    def registry(self, account: str, region: str) -> Registry:
        """What was read of a registry; raises a PortError if nothing was."""
        part = f"{account}/{region}"
        ecr_account = self._estate.accounts.get(account)
        registry = None if ecr_account is None else ecr_account.registries.get(region)
        if part in self._unread or registry is None:
            raise self._why(part)
        return registry

    def fitting(self, pattern: RepositoryPattern) -> Iterator[RepositoryTarget]:
        """The repositories that fit a pattern; raises a PortError unless all are known."""
        registry = self.registry(pattern.account, pattern.region)
        if not registry.is_listed:
            raise NotRead(f"{pattern.account}/{pattern.region}: its repositories were not listed")
        yield from (
            repository.target for repository in registry.repositories.values() if pattern.covers(repository.target)
        )

    def identities(self, account: str) -> Iterator[IdentityTarget]:
        """The users and roles of an account; raises a PortError unless all are known."""
        yield from map(target_of, self._listed(account))

    def orphans(self, account: str, named: Container[str]) -> Iterator[Observation]:
        """The users and roles that no spec names, and that still hold something of ecr-warden's.

        `named`: the keys of the others. Raises a PortError unless all are known.
        """
        for identity in self._listed(account):
            target = target_of(identity)
            if target.key not in named and _holds_ours(identity, target):
                yield _observed(identity, target)

    def observe(self, spec: TargetSpec) -> Observation:
        """One target, as far as its spec asks; what was not read is unreadable."""
        try:
            if isinstance(spec.target, RepositoryTarget):
                return self._repository(spec, spec.target)
            return self._identity(spec, spec.target)
        except PortError as error:
            return unreadable(spec, as_unreadable(error))
        except Exception as error:
            return unreadable(spec, as_unreadable(crashed(f"reading {spec.target}", error)))

    def _repository(self, spec: TargetSpec, target: RepositoryTarget) -> Observation:
        registry = self.registry(target.account, target.region)
        if target.key in self._unread:
            raise self._why(target.key)
        repository = registry.repositories.get(target.name)
        if repository is None and not registry.is_listed:
            raise NotRead(f"{target.account}/{target.region}: its repositories were not listed")
        address = repository_policy(target)
        policy = None if repository is None else repository.policy
        absent: Observed = TargetMissing() if repository is None else Absent()
        seen = absent if policy is None else _seen(policy, address)
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

    def _listed(self, account: str) -> list[Identity]:
        ecr_account = self.account(account)
        if not ecr_account.is_listed:
            raise NotRead(f"{account}: its users and roles were not listed")
        return [*ecr_account.identities.values()]

    def _why(self, place: str) -> PortError:
        return self._unread.get(place) or NotRead(f"{place}: it was not read")


def _holds_ours(identity: Identity, target: IdentityTarget) -> bool:
    is_tagged = isinstance(target, RoleTarget) and identity.tags.get(TAG_KEY) == TAG_VALUE
    ours = (policy for policy in identity.policies if policy.name.startswith(_INLINE + OUR_POLICY_PREFIX))
    return is_tagged or any(_OF_GROUP not in policy.name for policy in ours)


def _observed(identity: Identity, target: IdentityTarget, spec: TargetSpec | None = None) -> Observation:
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


def _settings(identity: Identity, spec: TargetSpec | None) -> Present:
    """A role's settings; how long its sessions last counts as the spec says it where that was not read."""
    values = () if spec is None else spec.documents.values()
    asked = next((value.max_session_duration for value in values if isinstance(value, RoleSettings)), 3600)
    path = "/" + identity.arn.partition("/")[2].removesuffix(identity.name)
    boundary = None if identity.boundary is None else identity.boundary.shared
    return Present(RoleSettings(path, identity.session_duration or asked, boundary), "")


def _seen(policy: Policy, address: Address) -> Observed:
    match policy.document:
        case Document() as document:
            return Present(document, digest(document, kind=address.document_kind))
        case Unread(why=why, text=""):
            return as_unreadable(NotRead(why))
        case Unread(why=why, text=text):
            return Unparseable(why, text, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
