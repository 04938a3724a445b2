"""The row of the accepted version, and the aliases of accounts in it: all that messages need of a spec."""

from collections.abc import Mapping

from ecr_warden.aws.table import Table

ACCEPTED = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}


def accepted_aliases(table: Table) -> Mapping[str, str]:
    """The aliases of the accounts in the accepted version, by their IDs; raises PortError."""
    item = table.get("reading the aliases of the accounts", ACCEPTED) or {}
    return {account: alias["S"] for account, alias in item.get("aliases", {"M": {}})["M"].items()}
