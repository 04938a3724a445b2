"""The policies of an estate that were not given, so that no answer takes them into account."""

from collections.abc import Iterator

from ecr_warden.core.estate import Estate
from iam_access.text.printable import listed

_MOST_ACCOUNTS = 5


def not_given(estate: Estate) -> Iterator[str]:
    """The policies that were not given and could deny it all the same."""
    accounts = estate.accounts.values()
    lacking = {
        "service control policies": [account.id for account in accounts if account.service_control is None],
        "resource control policies": [account.id for account in accounts if account.resource_control is None],
    }
    missing = [
        name if len(without) == len(accounts) else f"{name} of {listed(without, _MOST_ACCOUNTS)}"
        for name, without in lacking.items()
        if without
    ]
    missing += [] if estate.endpoints else ["VPC endpoint policies"]
    if missing:
        yield f"{', '.join(missing)}: not given, so not taken into account"
