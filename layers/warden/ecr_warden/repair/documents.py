"""The live documents of the accounts: read and written target by target."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.desired import RepositoryPattern, TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import RepositoryTarget, UserTarget


class Writer(Protocol):
    """A write session in one account, valid for one plan."""

    def write(self, change: Change) -> None:
        """Write one change after reading its address again.

        Raises DocumentConflict if the live document is not `change.expect`, or another PortError.
        """


class RepositoryListing(Struct, frozen=True):
    """The existing repositories that match the patterns, and the patterns whose region could not be listed."""

    repositories: tuple[RepositoryTarget, ...] = ()
    unread: tuple[tuple[RepositoryPattern, PortError], ...] = ()


def all_identities(account: str) -> UserTarget:
    """Stands for all users and roles of an account; no IAM name contains an asterisk."""
    return UserTarget(account, "*")


class Documents(Protocol):
    """The live documents of the accounts."""

    def read(self, spec: TargetSpec) -> Observation:
        """Read a target now; raises nothing: unreadable documents are Unreadable in the observation."""

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> RepositoryListing:
        """The repositories that match; raises nothing: errors are in the listing."""

    def writer(self, plan: Plan, run_id: str) -> Writer:
        """Open a write session that can do exactly this plan; raises PortError."""
