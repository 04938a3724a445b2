"""What a rule may ask about the accounts around a document."""

from collections.abc import Collection, Mapping
from typing import Literal, Protocol

from local.aws.behaviour.switches import Switches

type Owner = Literal["user", "role", "group"]


class World(Protocol):
    """The state of all accounts, as far as storing a document depends on it."""

    @property
    def switches(self) -> Switches:
        """The behaviour that is in force."""

    def unique_id(self, arn: str) -> str | None:
        """The unique ID (AIDA, AROA) of the user or role with this ARN; None if it is not visible."""

    def has_role(self, account: str, name: str) -> bool:
        """Whether the account has a role of this name, on whatever path."""

    def has_repository(self, account: str, region: str, name: str) -> bool:
        """Whether the registry has this repository."""

    def inline_policies(self, account: str, owner: Owner, name: str) -> Mapping[str, str] | None:
        """The texts of an owner's inline policies by name; None if there is no such owner."""

    def attached_policies(self, account: str, owner: Owner, name: str) -> Collection[str]:
        """The ARNs of the managed policies on an owner; none if there is no such owner."""
