"""How people write repositories and accounts: an image, an ARN, an alias of the spec."""

import re
from collections.abc import Iterable, Mapping

IMAGE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/"
    r"(?P<name>[a-z0-9._/-]+)"
)
"""Where docker pulls an image from; a tag or a digest may follow.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""
_ARN = re.compile(r"arn:aws[a-z-]*:ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):repository/(?P<name>.+)")
_PLACE = re.compile(r"(?P<account>[^/]+)/(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})/(?P<name>.+)")


def in_full(text: str, accounts: Mapping[str, str]) -> str:
    """`ACCOUNT/REGION/NAME` of an image, of the ARN of a repository or of `ALIAS/REGION/NAME`; other text unchanged.

    `accounts`: their IDs by alias.
    """
    found = IMAGE.match(text.removeprefix("https://")) or _ARN.fullmatch(text) or _PLACE.fullmatch(text)
    if found is None:
        return text
    return f"{accounts.get(found['account'], found['account'])}/{found['region']}/{found['name']}"


def aliases_of(accounts: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """An alias for each account: as given, else `account-1234` by its last digits, as many as tell it from others."""
    every = sorted(accounts)
    found: dict[str, str] = {}
    for account in every:
        taken = {given.get(one, "") for one in every} | set(found.values())
        endings = (f"account-{account[-digits:]}" for digits in range(4, len(account) + 1))
        alone = (
            name
            for name in endings
            if name not in taken and sum(other.endswith(name.removeprefix("account-")) for other in every) == 1
        )
        found[account] = given.get(account) or next(alone, account)
    return found
