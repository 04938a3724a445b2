"""With which credentials each account of a deployment is entered."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ecr_warden_cli.deployment.ports import Entered
from ecr_warden_cli.deployment.wanted import DEFAULT_FILE, Deployment
from ecr_warden_cli.terminal.context import Aws, Context, UsageError, argument
from ecr_warden_cli.terminal.inputs import matching
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut

_role_name = matching(r"[\w+=,.@/-]{1,512}", "is not the name of a role")


class Ways(Struct, frozen=True):
    """The ways into the accounts."""

    profiles: Mapping[str, str] = {}
    """By account ID."""
    role: str = ""
    """The role to assume in each account that has none and is not the source's own; "" for none."""
    source: str | None = None
    """The profile for all other accounts; None for the default credentials."""


DEPLOYMENT_ARGUMENTS = (
    argument(
        "file", metavar="FILE", nargs="?", default=DEFAULT_FILE, help=f"the deployment's file; default: {DEFAULT_FILE}"
    ),
    argument(
        "--profile",
        metavar="[ACCOUNT=]PROFILE",
        action="append",
        default=[],
        help="the AWS profile for an account, by its name in the file or its ID; alone: for the account that it "
        "belongs to, and to assume the role in the others; default: ECR_WARDEN_HUB_PROFILE, or the default credentials",
    ),
    argument(
        "--assume-role",
        metavar="ROLE",
        type=_role_name,
        help="the role to assume in each account without a profile of its own; default: assume_role of the file",
    ),
)
"""FILE, --profile and --assume-role."""


class DeploymentAws(Aws, Protocol):
    """AWS, of which the accounts of a deployment are entered too."""

    def enter(self, accounts: Mapping[str, str], ways: Ways, sleep: Callable[[float], None]) -> Entered:
        """The accounts, by ID with their names, each with the credentials that are its own."""


def enter(deployment: Deployment, arguments: argparse.Namespace, context: Context[DeploymentAws]) -> Entered:
    """Enter its accounts, which people read by their names from now on; raises UsageError.

    The ways are those that the arguments, the environment and the file say, in this order.
    """
    aliases, role = aliases_of(deployment), arguments.assume_role or deployment.assume_role
    context.console.aliases.update({account: alias for account, alias in aliases.items() if alias != account})
    otherwise = context.console.environment.get("ECR_WARDEN_HUB_PROFILE") or None
    with context.console.doing("entering the accounts"):
        return context.aws().enter(aliases, find_ways(arguments.profile, role, deployment, otherwise), context.sleep)


def find_ways(profiles: Sequence[str], role: str, deployment: Deployment, otherwise: str | None) -> Ways:
    """The ways by texts such as `ci=ci-admin`; `otherwise`: the profile where none stands alone. Raises UsageError."""
    names = {alias: account for account, alias in aliases_of(deployment).items()}
    alone, found = [text for text in profiles if "=" not in text], {}
    for text in (text for text in profiles if "=" in text):
        alias, _, profile = text.partition("=")
        account = names.get(alias, alias)
        if account not in names.values() or account in found or not profile:
            # The account itself is meant where it is given twice.
            meant = advice(nearest(alias, {*names} - {alias}))
            unknown = f" names no account of the file: {cut(alias, 80)}" if account not in names.values() else ""
            raise UsageError(
                f"--profile {cut(text, 80)}{unknown}",
                remedy=f"{meant}write each account once, as ACCOUNT=PROFILE: {', '.join(names)}",
            )
        found[account] = profile
    if len(alone) > 1:
        raise UsageError("--profile is given twice without an account", remedy="write ACCOUNT=PROFILE")
    return Ways(found, role, alone[0] if alone else otherwise)


def aliases_of(deployment: Deployment) -> dict[str, str]:
    """Every account where something is deployed, by ID, with its name in the file or else its ID."""
    others = [deployment.hub_account]
    if deployment.organization is not None and deployment.organization.account:
        others.append(deployment.organization.account)
    return {account: account for account in others} | {member.id: member.alias for member in deployment.members}
