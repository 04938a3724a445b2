"""The inventory: everything that was read of the IAM of some accounts, as one value, with what could not be read.

What the inventory does not contain does not exist; what could not be read is marked Unread, and every answer that it
could change is unknown.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from iam_access.document.document import Document, Statement
from iam_access.inventory.identity_kind import IdentityKind

type Levels = tuple[tuple[Policy, ...], ...]
"""Control policies: of the organization's root first, then of each unit below it, then of the account."""


class Unread(Struct, frozen=True):
    """Something that could not be read: `what` names it for people, `why` is an error code or a sentence."""

    what: str
    why: str
    region: str = ""
    """Of what is there once in each."""
    text: str = ""
    """What was read and cannot be used."""


class Untried(Unread, frozen=True):
    """Something that was not looked at, because it would take more than an answer may."""


class PolicyPlace(Struct, frozen=True):
    """Where the policy of a user, role or group is: inline under a name, or attached (also as a boundary) by its ARN.

    All is "" for the policies of resources and organizations.
    """

    inline: str = ""
    arn: str = ""
    group: str = ""
    """The ARN of the group that has it."""

    @property
    def name(self) -> str:
        """`identity policy own`, `policy arn:aws:iam::aws:policy/ReadOnlyAccess of group builders`."""
        holder = f" of group {self.group.rpartition('/')[2]}" if self.group else ""
        return (f"policy {self.arn}" if self.arn else f"identity policy {self.inline}") + holder

    @property
    def shared(self) -> str:
        """The same for all users and roles that share the policy, "" for one that belongs to a single one."""
        return self.arn or (f"{self.inline} of {self.group}" if self.group else "")


class Policy(Struct, frozen=True):
    """A policy document under the name that people know."""

    name: str
    document: Document | Unread
    place: PolicyPlace = PolicyPlace()

    @classmethod
    def at(cls, place: PolicyPlace, document: Document | Unread) -> "Policy":
        """A policy that is named after its place."""
        return cls(place.name, document, place)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Those that could be read: for what a policy says, not for what it leaves out."""
        return self.document.statements if isinstance(self.document, Document) else ()


class PolicyOfAws(Struct, frozen=True):
    """One of AWS's own managed policies in one version, of which the text never changes."""

    arn: str
    version: str
    digest: str
    """Of that text."""

    @classmethod
    def of(cls, arn: str, version: str, text: str) -> "PolicyOfAws":
        """The policy that has this text."""
        return cls(arn, version, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())


class Identity(Struct, frozen=True):
    """A user or role with every policy that applies to it; a user's `policies` hold those of its groups too.

    `trust` is a role's trust policy, None for a user.
    """

    arn: str
    account: str
    kind: IdentityKind
    name: str
    unique_id: str
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    trust: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    managed: tuple[str, ...] = ()
    """The ARNs of the attached policies that this account can change, its groups' included."""
    groups: tuple[str, ...] = ()
    """ARNs."""
    session_duration: int | None = None
    """Of a role, the longest, in seconds; None where that was not read."""


class Group(Struct, frozen=True):
    """A group of users; `policies` are its own, `managed` the ARNs of those that are attached."""

    arn: str
    name: str
    policies: tuple[Policy, ...] = ()
    managed: tuple[str, ...] = ()


class Organization(Struct, frozen=True):
    """An account's position in its organization; `path` as in aws:PrincipalOrgPaths, "" if unknown."""

    id: str
    path: str = ""
    management: bool = False


NO_ORGANIZATION = Organization("")
"""The position of an account that is in none."""


type Providers = Mapping[str, tuple[str, ...] | None]
"""OIDC providers by ARN, each with its audiences (client IDs), None where these are unknown."""


class Account(Struct, frozen=True):
    """One account. `identities` by ARN.

    Control policies are None if they were not given; then they are not taken into account.
    """

    id: str
    identities: Mapping[str, Identity]
    groups: Mapping[str, Group] = field(default_factory=dict)
    organization: Organization | None = None
    """None if it was not read."""
    service_control: Levels | None = None
    resource_control: Levels | None = None
    providers: Providers | Unread = Unread("identity providers", "not read")
    versions: Mapping[str, tuple[Policy, ...]] = field(default_factory=dict)
    """The other versions, if somebody could set one of them and not write a new one."""
    managed: Mapping[str, Policy] = field(default_factory=dict)
    """The managed policies by ARN, each in its default version."""
    unread: tuple[Unread, ...] = ()
    is_listed: bool = True
    """No user or role is missing."""
    saml: frozenset[str] | None = None
    """The ARNs of the SAML providers, None if unknown."""

    def policies(self) -> Iterator[Policy]:
        """Every policy that says what its users and roles may do, many of them more than once."""
        yield from self.managed.values()
        holders: list[Identity | Group] = [*self.identities.values(), *self.groups.values()]
        for holder in holders:
            yield from holder.policies
        yield from (identity.boundary for identity in self.identities.values() if identity.boundary is not None)
        for level in self.service_control or ():
            yield from level


class Inventory(Struct, frozen=True):
    """Accounts by ID, as they were at `taken_at`."""

    taken_at: datetime
    accounts: Mapping[str, Account]

    def identities(self) -> Iterator[Identity]:
        """Every user and role."""
        for account in self.accounts.values():
            yield from account.identities.values()
