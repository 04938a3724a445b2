"""AWS as the verbs use it; only those that need it load it, and of that only a deployment's its own."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ecr_warden_cli.terminal.aws_hub import open_hub
from ecr_warden_cli.terminal.aws_sessions import identify, read_parts

if TYPE_CHECKING:
    from ecr_warden_cli.deployment.ports import Entered
    from ecr_warden_cli.deployment.sessions import Ways

__all__ = ["enter", "identify", "open_hub", "read_parts"]


def enter(accounts: Mapping[str, str], ways: "Ways", sleep: Callable[[float], None]) -> "Entered":
    """The accounts of a deployment, by ID with their names, each with the credentials that are its own."""
    from ecr_warden_cli.deployment.aws_accounts import AwsEntered  # noqa: PLC0415 - the deployment's verbs alone need it

    return AwsEntered.of(accounts, ways, sleep)
