"""The live documents of the accounts: read, scan, write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from ecr_warden.model.desired import RepositoryPattern, TargetSpec
from ecr_warden.model.observed import Observation
from ecr_warden.model.plan import Change, Plan
from ecr_warden.model.target import RepositoryTarget, UserTarget
from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:  # people ask for it, no event does
    from ecr_warden.planning.write_scope import WriteScope


class Writer(Protocol):
    """A write session in one account, good for one plan."""

    def write(self, change: Change) -> None:
        """Write one change after reading its address once more.

        Raises DocumentConflict when another document than `change.expect` stands there, else another PortError.
        """
        ...


class Listing(Struct, frozen=True):
    """Repositories that exist and fit one of the patterns asked for, and the patterns that could not be asked."""

    repositories: tuple[RepositoryTarget, ...] = ()
    unread: tuple[tuple[RepositoryPattern, PortError], ...] = ()


class AccountUnread(Struct, frozen=True):
    """Who in an account holds something under our names though no spec is for it is not known, and why."""

    account: str
    error: PortError

    @property
    def target(self) -> UserTarget:
        """In the place of the account's users and roles: for people and keys, never a user of its own."""
        return all_owners(self.account)


def all_owners(account: str) -> UserTarget:
    """What stands for all users and roles of an account; no IAM name has an asterisk."""
    return UserTarget(account, "*")


class Documents(Protocol):
    """The live documents of the accounts."""

    def read(self, spec: TargetSpec) -> Observation:
        """Read a target now; what cannot be read is Unreadable in the observation, nothing is raised."""
        ...

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation | AccountUnread]:
        """Read many targets with the fewest calls, in any order; each spec yields one observation.

        Besides, every owner in `accounts` that no spec is for and that holds something under our names; or, of an
        account whose owners cannot be listed, once that and why.
        """
        ...

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> Listing:
        """Which repositories fit; what cannot be read is told in the listing, nothing is raised."""
        ...

    def write_scopes(self, accounts: Sequence[str]) -> "Mapping[str, WriteScope | PortError]":
        """The write scope of each account, or why it cannot be read; nothing is raised."""
        ...

    def writer(self, plan: Plan, run_id: str) -> Writer:
        """Open a write session that can do exactly this plan; raises PortError."""
        ...
