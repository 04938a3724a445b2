"""The live documents of the accounts: read, scan, write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from ecr_warden.core.desired import RepositoryPattern, TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget

if TYPE_CHECKING:  # needed for queries, not for events
    from ecr_warden.repair.write_scope import WriteScope
    from iam_access.inventory.inventory import Providers, Unread


class Writer(Protocol):
    """A write session in one account, valid for one plan."""

    def write(self, change: Change) -> None:
        """Write one change after reading its address again.

        Raises DocumentConflict if the live document is not `change.expect`, or another PortError.
        """
        ...


class RepositoryListing(Struct, frozen=True):
    """The existing repositories that match the patterns, and the patterns whose region could not be listed."""

    repositories: tuple[RepositoryTarget, ...] = ()
    unread: tuple[tuple[RepositoryPattern, PortError], ...] = ()


class AccountUnread(Struct, frozen=True):
    """An account that could not be searched for orphans, and why."""

    account: str
    error: PortError

    @property
    def target(self) -> UserTarget:
        """Stands for all the account's users and roles, in messages and keys."""
        return all_identities(self.account)


def all_identities(account: str) -> UserTarget:
    """Stands for all users and roles of an account; no IAM name contains an asterisk."""
    return UserTarget(account, "*")


class Documents(Protocol):
    """The live documents of the accounts."""

    def read(self, spec: TargetSpec) -> Observation:
        """Read a target now; raises nothing: unreadable documents are Unreadable in the observation."""
        ...

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation | AccountUnread]:
        """Read many targets with the fewest calls, in any order; each spec yields one observation.

        Also yields every orphan in `accounts`, or one AccountUnread for an account whose identities cannot be listed.
        """
        ...

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> RepositoryListing:
        """The repositories that match; raises nothing: errors are in the listing."""
        ...

    def write_scopes(self, accounts: Sequence[str]) -> "Mapping[str, WriteScope | PortError]":
        """The write scope of each account, or why it cannot be read; raises nothing."""
        ...

    def tags(self, targets: Sequence[Target]) -> Mapping[Target, Mapping[str, str] | PortError]:
        """The tags of each target, with a call for each, or why they cannot be read; raises nothing."""
        ...

    def providers(self, accounts: Sequence[str]) -> "Mapping[str, Providers | Unread]":
        """The OIDC providers of each account, or why they are unknown; raises nothing."""
        ...

    def writer(self, plan: Plan, run_id: str) -> Writer:
        """Open a write session that can do exactly this plan; raises PortError."""
        ...
