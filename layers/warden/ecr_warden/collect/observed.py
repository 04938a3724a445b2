"""What was read of the accounts as observations of single targets: what plans are made from."""

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime
from functools import partial

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
from ecr_warden.core.codec.accounts import LIST_CALL, ecr_account_of, joined
from ecr_warden.core.desired import RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry, target_of
from ecr_warden.core.failures import PortError, crashed, found_or_why
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, as_unreadable
from ecr_warden.core.part import part_of
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget
from ecr_warden.repair.documents import RepositoryListing
from ecr_warden.repair.extent import limited_to, missing, settings_digest, unreadable
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest
from iam_access.gather import gather
from iam_access.inventory.accounts import IAM_CALL, ROLES_CALL, Parsed
from iam_access.inventory.inventory import Identity, Policy, PolicyPlace, Providers, Unread
from iam_access.inventory.printed import Json
from iam_access.once import once

EVERY = "*"
"""Stands for all repositories of a registry: no name contains an asterisk."""


class NotRead(PortError, code="not-read"):
    """A part of the accounts was not read, or not whole."""


class LiveEstate(Struct, frozen=True):
    """The accounts as they were read.

    What EVERY stands for is a registry's list of repositories.
    """

    estate: Estate
    unread: Mapping[str, PortError] = field(default_factory=dict)
    """Why not, by part (state.sweeps), or by the key of a repository."""

    @classmethod
    def of(cls, readings: Mapping[str, Reading], now: datetime) -> "LiveEstate":
        """Parts as they were just read: of an account its users and roles, with what is their own."""
        entries_of = gather(
            (part.partition("/")[0], (part, _without_groups(reading.entry))) for part, reading in readings.items()
        )
        unread, accounts, parsed = unread_of(readings), dict[str, EcrAccount](), Parsed()
        for account, pieces in entries_of.items():
            entries = dict(pieces)
            try:
                accounts[account] = ecr_account_of(account, joined(entries)[account], parsed, lambda _: False)
            except Exception as error:
                unread |= dict.fromkeys(entries, crashed(f"reading {account}", error))
        return cls(Estate(now, accounts), unread)


def unread_of(readings: Mapping[str, Reading]) -> dict[str, PortError]:
    """Why something was not read, as LiveEstate has it."""
    unread: dict[str, PortError] = {}
    for part, reading in readings.items():
        account, _, region = part.partition("/")
        if region:
            names = (EVERY if name == LIST_CALL else name for name in reading.failed)
            keys = (RepositoryTarget(account, region, name).key for name in names)
            unread |= zip(keys, reading.failed.values(), strict=True)
        elif (error := reading.failed.get(IAM_CALL) or reading.failed.get(ROLES_CALL)) is not None:
            unread[account] = error
    return unread


def _without_groups(entry: Json) -> Json:
    match entry:
        case {"iam": dict(iam)}:
            return {**entry, "iam": {**iam, "GroupDetailList": []}}
        case _:
            return entry


class ReadAccounts:
    """What was read of the accounts, asked target by target."""

    def __init__(self, live: LiveEstate) -> None:
        self._estate, self._unread = live.estate, live.unread
        self._named: dict[str, dict[str, Identity]] = {}

    def account(self, account: str) -> EcrAccount:
        """What was read of an account's users and roles; raises a PortError if nothing was."""
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
            raise self._unlisted(pattern.target)
        yield from (
            repository.target for repository in registry.repositories.values() if pattern.covers(repository.target)
        )

    def listing(self, patterns: Iterable[RepositoryPattern]) -> RepositoryListing:
        """The repositories that fit the patterns; raises nothing: errors are in the listing."""
        found, unread = set[RepositoryTarget](), list[tuple[RepositoryPattern, PortError]]()
        for pattern in patterns:
            try:
                found |= {*self.fitting(pattern)}
            except PortError as error:
                unread.append((pattern, error))
        return RepositoryListing(tuple(sorted(found)), tuple(unread))

    def identities(self, account: str) -> Iterator[IdentityTarget]:
        """The users and roles of an account; raises a PortError unless all are known."""
        yield from map(target_of, self.listed(account).identities.values())

    def orphans(self, account: str, named: Container[str]) -> Iterator[Observation]:
        """The users and roles that no spec names, and that still hold something of ecr-warden's.

        `named`: the keys of the others. Raises a PortError unless all are known.
        """
        for identity in self.listed(account).identities.values():
            target = target_of(identity)
            if target.key not in named and _holds_ours(identity, target):
                yield _observed(identity, target)

    def observe(self, spec: TargetSpec, *, takes_duration: bool = False) -> Observation:
        """One target, as far as its spec asks; what was not read is unreadable.

        `takes_duration`: how long a role's sessions last counts as the spec says it where that was not read.
        """
        read = (
            partial(self._repository, spec, spec.target)
            if isinstance(spec.target, RepositoryTarget)
            else partial(self._identity, spec, spec.target, takes_duration=takes_duration)
        )
        found = found_or_why(f"reading {spec.target}", read)
        return unreadable(spec, as_unreadable(found)) if isinstance(found, PortError) else found

    def providers(self) -> Mapping[str, Providers | Unread]:
        """The OIDC providers of each account, or why they are unknown."""
        return {account.id: account.providers for account in self._estate.accounts.values()}

    def _repository(self, spec: TargetSpec, target: RepositoryTarget) -> Observation:
        registry = self.registry(target.account, target.region)
        if target.key in self._unread:
            raise self._why(target.key)
        repository = registry.repositories.get(target.name)
        if repository is None and not registry.is_listed:
            raise self._unlisted(target)
        address = repository_policy(target)
        policy = None if repository is None else repository.policy
        absent: Observed = TargetMissing() if repository is None else Absent()
        seen = absent if policy is None else _seen(policy, address)
        return limited_to(spec, Observation(target, {address: seen}))

    def _identity(self, spec: TargetSpec, target: IdentityTarget, *, takes_duration: bool) -> Observation:
        identity = self._named_identity(target)
        if identity is None:
            self.listed(target.account)
            return missing(spec)
        return limited_to(spec, _observed(identity, target_of(identity), _duration(spec) if takes_duration else None))

    def _named_identity(self, target: IdentityTarget) -> Identity | None:
        account = self.account(target.account)
        named = once(self._named, account.id, lambda: {target_of(one).key: one for one in account.identities.values()})
        return named.get(target.key)

    def listed(self, account: str) -> EcrAccount:
        """An account of which all users and roles are known; raises a PortError for another one."""
        ecr_account = self.account(account)
        if not ecr_account.is_listed:
            raise NotRead(f"{account}: its users and roles were not listed")
        return ecr_account

    def _unlisted(self, target: RepositoryTarget) -> PortError:
        every = replace(target, name=EVERY)
        return self._unread.get(every.key) or NotRead(f"{part_of(target)}: its repositories were not listed")

    def _why(self, place: str) -> PortError:
        return self._unread.get(place) or NotRead(f"{place}: it was not read")


def _holds_ours(identity: Identity, target: IdentityTarget) -> bool:
    is_tagged = isinstance(target, RoleTarget) and identity.tags.get(TAG_KEY) == TAG_VALUE
    return is_tagged or any(policy.place.inline.startswith(OUR_POLICY_PREFIX) for policy in _own(identity))


def _own(identity: Identity) -> list[Policy]:
    """Its policies but those of its groups; raises NotRead unless all are known."""
    own = [policy for policy in identity.policies if not policy.place.group]
    if unread := next((policy for policy in own if policy.place == PolicyPlace()), None):
        raise NotRead(f"{identity.arn}: {unread.name} was not read")
    return own


def _observed(identity: Identity, target: IdentityTarget, duration: int | None = None) -> Observation:
    """`duration`: of a role's sessions, in seconds, if that was not read."""
    documents: dict[Address, Observed] = {}
    if isinstance(target, RoleTarget):
        documents[role(target)] = _settings(identity, duration)
        assert identity.trust is not None
        at = trust_policy(target)
        documents[at] = _seen(identity.trust, at)
    for policy in _own(identity):
        place = policy.place
        if place.arn:
            documents[attached_policy(target, place.arn)] = Present(None, place.arn)
        else:
            at = identity_policy(target, place.inline)
            documents[at] = _seen(policy, at)
    return Observation(target, documents, identity.unique_id, identity.tags.get(TAG_KEY) == TAG_VALUE)


def _duration(spec: TargetSpec) -> int:
    """How long a role's sessions last at most, in seconds, as its spec says it."""
    settings = (value for value in spec.documents.values() if isinstance(value, RoleSettings))
    return next((one.max_session_duration for one in settings), 3600)


def _settings(identity: Identity, duration: int | None) -> Observed:
    longest = identity.session_duration or duration
    if longest is None:
        return as_unreadable(NotRead(f"{identity.arn}: how long its sessions last was not read"))
    path = "/" + identity.arn.partition("/")[2].removesuffix(identity.name)
    boundary = None if identity.boundary is None else identity.boundary.place.arn
    settings = RoleSettings(path, longest, boundary)
    return Present(settings, settings_digest(settings))


def _seen(policy: Policy, address: Address) -> Observed:
    match policy.document:
        case Document() as document:
            return Present(document, digest(document, kind=address.document_kind))
        case Unread(why=why, text=""):
            return as_unreadable(NotRead(why))
        case Unread(why=why, text=text):
            return Unparseable(why, text, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())
