"""The estate: everything that was read of some accounts, as one value, with what could not be read.

What the estate does not contain does not exist; what could not be read is marked Unread, and every answer that it could
change is unknown.
"""

import hashlib
from collections.abc import Mapping

from msgspec import Struct, field

from iam_access.document.document import Document, Statement
from iam_access.inventory.identity_kind import IdentityKind

type Levels = tuple[tuple[Policy, ...], ...]
"""Control policies: of the organization's root first, then of each unit below it, then of the account."""


class Unread(Struct, frozen=True):
    """Something that could not be read: `what` names it for people, `why` is an error code or a sentence.

    `region`: of a part of a registry. `text`: what was read and cannot be used.
    """

    what: str
    why: str
    region: str = ""
    text: str = ""


class Policy(Struct, frozen=True):
    """A policy document under the name that people know: `policy arn:aws:iam::aws:policy/ReadOnlyAccess`.

    `shared`: identifies a policy that several identities share, by a managed policy's ARN or a group's policy; else "".
    """

    name: str
    document: Document | Unread
    shared: str = ""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Those that could be read: for what a policy says, not for what it leaves out."""
        return self.document.statements if isinstance(self.document, Document) else ()


class PolicyOfAws(Struct, frozen=True):
    """One of AWS's own managed policies in one version, of which the text never changes; `digest`: of that text."""

    arn: str
    version: str
    digest: str

    @classmethod
    def of(cls, arn: str, version: str, text: str) -> "PolicyOfAws":
        """The policy that has this text."""
        return cls(arn, version, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())


class Identity(Struct, frozen=True):
    """A user or role with every policy that applies to it; a user's `policies` hold those of its groups too.

    `trust` is a role's trust policy, None for a user. `managed`: the ARNs of the attached policies that this account
    can change, its groups' included. `groups`: ARNs.
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
    groups: tuple[str, ...] = ()


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


type Providers = Mapping[str, tuple[str, ...] | None]
"""OIDC providers by ARN, each with its audiences (client IDs), None where these are unknown."""
