"""The estate: read from the accounts piece by piece, stored, and checked against the spec."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct, field

from ecr_warden.core.address import OUR_POLICY_PREFIX, OUR_ROLE_PATH, TAG_KEY, TAG_VALUE
from ecr_warden.core.desired import RepositoryPattern
from ecr_warden.core.job import Cause
from ecr_warden.core.part import part_of
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.core.value import Value
from iam_access.gather import gather

if TYPE_CHECKING:
    from ecr_warden.core.failures import PortError
    from iam_access.inventory.inventory import PolicyOfAws


class Piece(Struct, frozen=True):
    """What was read of a part of the estate."""

    part: str
    """As state.sweeps names parts, ACCOUNT for IAM and ACCOUNT/REGION for a registry."""
    began: datetime
    """When reading began."""
    entry: Mapping[str, Any]
    """Of an account its entry of a snapshot without `ecr`, of a registry the entry of its region and `unread`
    (docs/who-can.md). AWS's policies are in it without their texts, which are kept once for all accounts."""


def policy_times(piece: Piece) -> dict[str, datetime]:
    """When the policies were read that are older or newer than the rest of a piece, by the repository's key."""
    account, _, region = piece.part.partition("/")
    return {
        RepositoryTarget(account, region, one["repositoryName"]).key: datetime.fromisoformat(one["policyReadAt"])
        for one in piece.entry.get("repositories", ())
        if "policyReadAt" in one
    }


class ReportedCall(Value, frozen=True, omit_defaults=True):
    """A call that an event reported."""

    cause: Cause
    target: Target | None = None
    """The repository, user or role that it names, None if it names none."""


class StoredPiece(Struct, frozen=True):
    """A stored piece, without what is in it. `tag` is the same while the entry is."""

    tag: str
    at: datetime
    """When the piece was put."""


class Reading(Struct, frozen=True):
    """A piece's entry."""

    entry: Mapping[str, Any]
    failed: "Mapping[str, PortError]" = field(default_factory=dict)
    """Why something is not in it, by the call, or by the repository without a policy."""
    texts: "Mapping[PolicyOfAws, str]" = field(default_factory=dict)
    """Of the policies of AWS's that were not known before."""

    @property
    def passing(self) -> "PortError | None":
        """Of what could not be read, an error that may be over within a minute."""
        return next((error for error in self.failed.values() if error.retryable), None)


class Needed(Struct, frozen=True):
    """What to read of the accounts where not everything is needed."""

    accounts: Collection[str] = ()
    """Whose users and roles."""
    repositories: Collection[RepositoryTarget] = ()
    """Each by itself."""
    patterns: Collection[RepositoryPattern] = ()
    """Whatever fits them, for which a registry is listed."""
    providers: Collection[str] = ()
    """The accounts whose OIDC providers are read too."""
    identities: Container[str] | None = None
    """The keys of the users and roles that are needed besides those that have something of ecr-warden's; None: all."""

    def by_part(self) -> dict[str, "Needed"]:
        """What of it concerns each part, as state.sweeps names parts."""
        repositories = gather((part_of(repository), repository) for repository in self.repositories)
        patterns = gather((part_of(pattern.target), pattern) for pattern in self.patterns)
        accounts, providers = {*self.accounts}, {*self.providers}
        return {
            part: Needed(
                {part} & accounts,
                repositories.get(part, ()),
                patterns.get(part, ()),
                {part} & providers,
                self.identities,
            )
            for part in sorted({*accounts, *providers, *repositories, *patterns})
        }

    def wants(self, account: str, entry: Mapping[str, Any]) -> bool:
        """Whether a user, group, role or policy is needed, as GetAccountAuthorizationDetails prints it."""
        if self.identities is None or OUR_ROLE_PATH in entry["Arn"]:
            return True
        match entry:
            case {"UserName": str(name)}:
                key, inline = UserTarget(account, name).key, entry.get("UserPolicyList", ())
            case {"RoleName": str(name)}:
                key, inline = RoleTarget(account, name).key, entry.get("RolePolicyList", ())
            case _:
                return False
        ours = {"Key": TAG_KEY, "Value": TAG_VALUE}
        has_ours = any(policy["PolicyName"].startswith(OUR_POLICY_PREFIX) for policy in inline)
        return key in self.identities or ours in entry.get("Tags", ()) or has_ours


type KnownOfAws = Mapping[tuple[str, str], str]
"""Policies of AWS's by ARN and version, each with the digest of its text."""


class EstateReader(Protocol):
    """Reads pieces from the accounts; what cannot be read is in the entry's `unread`, and nothing is raised.

    The same estate is read as the same entry: lists are sorted, and times at which something was used are left out.
    """

    def identities(self, account: str, known: KnownOfAws) -> Reading:
        """The account's users, groups, roles and managed policies; of AWS's, what is `known` is not read."""

    def registry(self, account: str, region: str, known: Mapping[str, object], named: Collection[str] = ()) -> Reading:
        """The registry's repositories, and what holds for all of them.

        `known`: the policies (None: there is none) that need not be read again, by the repository's name; `named`: the
        repositories whose policies are read also where AWS does not return the list.
        """

    def some(self, asked: Needed) -> Iterator[tuple[str, Reading]]:
        """What is asked for, in the fewest calls, by part.

        The entry of a registry has the repositories that exist of those named and those that fit, and nothing else.
        """

    def tags(self, targets: Collection[RepositoryTarget]) -> "Mapping[Target, Mapping[str, str] | PortError]":
        """The tags of each repository, with a call for each, or why they cannot be read."""


def asks_for_tags(reading: Reading) -> bool:
    """Whether a policy in it may ask for the tags of repositories.

    By its text: more tags than needed are read at worst, and without tags what they decide is conditional.
    """
    return b"resourcetag/" in msgspec.json.encode(reading.entry).lower()


def with_tags(reader: EstateReader, part: str, reading: Reading) -> Reading:
    """A registry with the tags of its repositories, with a call for each; those that cannot be read are left out."""
    account, _, region = part.partition("/")
    repositories = reading.entry["repositories"]
    targets = {one["repositoryName"]: RepositoryTarget(account, region, one["repositoryName"]) for one in repositories}
    found = reader.tags(targets.values())

    def tagged(one: Mapping[str, Any]) -> Mapping[str, Any]:
        tags = found[targets[one["repositoryName"]]]
        if not isinstance(tags, Mapping):
            return one
        return {**one, "tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}

    return replace(reading, entry={**reading.entry, "repositories": [*map(tagged, repositories)]})


class EstateStore(Protocol):
    """Where the latest piece of each part is kept."""

    def put(self, piece: Piece) -> None:
        """Keep a piece, replacing the part's last one; raises PortError."""

    def get(self, part: str) -> Piece | None:
        """The piece of a part; None before the first, and for one that this version cannot read. Raises PortError."""

    def kept(self) -> Mapping[str, StoredPiece]:
        """Each part that has a piece, in one call per thousand; raises PortError."""

    def note(self, part: str, calls: Sequence[ReportedCall]) -> None:
        """Keep the calls that may have changed a part lately, in place of those before; raises PortError."""

    def calls(self, part: str) -> Sequence[ReportedCall]:
        """Those calls; none before the first, and of a version that this one cannot read. Raises PortError."""

    def put_text(self, policy: "PolicyOfAws", text: str) -> None:
        """Keep the text of a policy of AWS's; raises PortError."""

    def text(self, policy: "PolicyOfAws") -> str | None:
        """That text; None if it is not kept, or is another by its digest. Raises PortError."""

    def texts(self, since: datetime) -> KnownOfAws:
        """The policies of AWS's whose texts were kept since then, in one call per thousand; raises PortError."""
