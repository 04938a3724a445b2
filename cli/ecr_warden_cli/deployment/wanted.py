"""The deployment that `ecr-warden.yaml` describes: accounts and regions, never profiles, which differ by person."""

from collections.abc import Mapping

from msgspec import Struct

from ecr_warden.core.own_access import Writes
from ecr_warden_cli.terminal.inputs import DEPLOYMENT_FILE
from iam_access.arn import IAM_REGION

DEFAULT_FILE = DEPLOYMENT_FILE
CHANNEL_NAMES = {"webhook": "the webhook", "pagerduty": "PagerDuty"}
"""The channels with a secret, by their fields of the file."""


class MemberAccount(Struct, frozen=True):
    """An account with users, roles or repositories of the spec."""

    alias: str
    id: str
    regions: tuple[str, ...] = ()
    """With repositories."""
    writes: Writes = Writes.ALL
    owners: tuple[str, ...] = ()
    """Whose inline policies may be written: `user/NAME`, `role/PATH/NAME` or a path, `user/ci/*`."""
    roles: tuple[str, ...] = ()
    """Roles of others that literal documents name: `role/NAME`."""

    @property
    def event_regions(self) -> tuple[str, ...]:
        """Where changes are reported: its own regions, and the one that reports IAM's."""
        return tuple(dict.fromkeys((*self.regions, IAM_REGION)))


class Organization(Struct, frozen=True):
    """The organization whose accounts get their stacks by StackSets."""

    id: str
    account: str = ""
    """The delegated administrator's ID, or the management account's: where stacks/organization.yaml is deployed; "" if
    every member gets its stacks by itself."""
    units: tuple[str, ...] = ()
    """The organizational units (or the root) whose accounts are members."""
    regions: tuple[str, ...] = ()
    """With repositories of theirs."""
    writes: Writes = Writes.NONE
    owners: tuple[str, ...] = ()
    """As of a member account, in each of theirs."""


class Deployment(Struct, frozen=True):
    """What is deployed, and where."""

    hub_account: str
    hub_region: str
    members: tuple[MemberAccount, ...]
    organization: Organization | None = None
    email: str = ""
    webhook: str = ""
    """Where the webhook's URL is stored: `ssm:/NAME` or `secretsmanager:NAME`."""
    pagerduty: str = ""
    """The same of a PagerDuty integration's key."""
    schedule: str = ""
    """Of the sweep; "" for the default by the number of members."""
    role_boundary: str = ""
    """The name, with its path, of a managed policy of each account that the company demands on roles as a boundary."""
    assume_role: str = ""
    """The name of the role that whoever deploys assumes in each account; "" for their own credentials there."""
    tags: Mapping[str, str] = {}
    """Of every stack."""
    parameters: Mapping[str, str] = {}
    """Further parameters of the hub's template, by name."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Where the secret of each channel is stored that has one, by the channel's field."""
        given = {"webhook": self.webhook, "pagerduty": self.pagerduty}
        return {channel: place for channel, place in given.items() if place}

    @property
    def max_removed(self) -> int | None:
        """How many grants versions may remove in 24 hours before one waits; None for a share of what there is."""
        given = self.parameters.get("MaxRemoved")
        return None if given is None else int(given)
