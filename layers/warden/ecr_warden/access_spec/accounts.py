"""`accounts:` and `organizations:`, and the aliases that refer to them."""

import re
from collections.abc import Mapping

from msgspec import Struct

from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, quote
from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.core.desired import Mode
from ecr_warden.core.target import REGION
from iam_access.arn import cloud_of
from iam_access.text.nearest import did_you_mean

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_REGIONS = """
af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1
eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1
me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
"""
REGIONS = frozenset(_REGIONS.split())
"""The regions of the partition aws with ECR; a test compares them with botocore."""
_DIRECTIONS = frozenset(
    ("central", "north", "northeast", "northwest", "east", "south", "southeast", "southwest", "west")
)
_OTHER_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso": "aws-iso",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
"""By what the names of their regions begin with."""


class SpecAccounts(Struct, frozen=True):
    """The accounts by alias; an alias with a broken definition is known, but has no account."""

    by_alias: Mapping[str, SpecAccount]
    aliases: Mapping[str, Place]
    unread: bool = False
    """`accounts:` itself could not be read, so no name is reported as unknown."""
    regions_refused: frozenset[str] = frozenset()
    """Aliases whose regions could not be read."""

    def with_id(self, account_id: str) -> SpecAccount | None:
        return next((account for account in self.by_alias.values() if account.id == account_id), None)

    def referred(self, name: Scalar | None, report: ProblemReport) -> SpecAccount | None:
        """The account that an `account:` field names; an unknown alias is reported."""
        if name is None:
            return None
        if name.text not in self.aliases:
            self.unknown(name.text, name.place, report)
        return self.by_alias.get(name.text)

    def unknown(self, alias: str, place: Place, report: ProblemReport) -> None:
        """Report an unknown alias, unless no alias could be read."""
        if self.unread:
            return
        by_id = self.with_id(alias)
        near = did_you_mean(quote(by_id.alias)) if by_id else report.hint(alias, self.aliases)
        report.add(Code.UNKNOWN_ACCOUNT, place, f"unknown account {quote(alias)}{near}", remedy="" if near else None)


def is_name(text: str) -> bool:
    """Whether the text is a valid alias or team name."""
    return _NAME.fullmatch(text) is not None


def build_accounts(root: Fields, report: ProblemReport) -> SpecAccounts:
    """Resolve `accounts:`."""
    entries = root.fields("accounts")
    accounts: dict[str, SpecAccount] = {}
    refused: set[str] = set()
    ids: dict[str, str] = {}
    for alias, place in entries.keys.items():
        if not is_name(alias):
            report.add(Code.ALIAS_NAME, place, f"{quote(alias)} is not a valid name for an account")
        entry = entries.fields(alias)
        account_id = entry.text("id")
        regions = build_regions(entry.texts("regions"), report)
        if not regions and (entry.unread("regions") or entry.texts("regions")):
            refused.add(alias)
        if account_id is None:
            continue
        if account_id.text in ids:
            report.add(
                Code.ACCOUNT_TWICE,
                account_id.place,
                f"the account {account_id.text} is already called {quote(ids[account_id.text])}",
            )
            continue
        ids[account_id.text] = alias
        mode = entry.text("mode")
        accounts[alias] = SpecAccount(alias, account_id.text, regions, None if mode is None else Mode(mode.text))
    return SpecAccounts(accounts, entries.keys, "accounts" not in root.values, frozenset(refused))


def may_be_region(text: str) -> bool:
    """Whether AWS may have a region of this name, perhaps a new one: no word in it is misspelt."""
    return REGION.fullmatch(text) is not None and {*text.split("-")[1:-1]} <= _DIRECTIONS


def build_regions(names: tuple[Scalar, ...], report: ProblemReport, *, strict: bool = False) -> tuple[str, ...]:
    """Regions by name, each once; `strict`: one that cannot be a new one is an error."""
    regions: dict[str, None] = {}
    for name in names:
        if partition := next((_OTHER_PARTITIONS[one] for one in _OTHER_PARTITIONS if name.text.startswith(one)), ""):
            refuse_cloud(name.text, name.place, partition, report)
        elif not REGION.fullmatch(name.text):
            report.add(Code.REGION, name.place, f"{quote(name.text)} is not a region")
        elif name.text in regions:
            report.add(Code.LISTED_TWICE, name.place, f"{name.text} is listed twice")
        else:
            if name.text not in REGIONS:
                hint = report.hint(name.text, sorted(REGIONS))
                code = Code.REGION if strict and not may_be_region(name.text) else Code.UNKNOWN_REGION
                report.add(code, name.place, f"the region {quote(name.text)} is not known{hint}")
            regions[name.text] = None
    return tuple(regions)


def refuse_cloud(text: str, place: Place, partition: str, report: ProblemReport) -> None:
    """Report a region or an ARN of a partition in which ecr-warden does not work."""
    report.add(
        Code.NOT_SUPPORTED, place, f"{quote(text)} is in {cloud_of(partition)}, which is not supported in this version"
    )


def narrowed(account: SpecAccount, accounts: SpecAccounts, entry: Fields, report: ProblemReport) -> tuple[str, ...]:
    """A repository's regions: those it names, or else all of its account's."""
    reported = account.alias in accounts.regions_refused
    if "regions" not in entry.keys:
        if not account.regions and not reported:
            message = f"the account {quote(account.alias)} has a repository but no regions"
            report.add(Code.NO_REGIONS, entry.place_of("account"), message)
        return account.regions
    regions = build_regions(entry.texts("regions"), report)
    for name in entry.texts("regions"):
        if name.text in regions and name.text not in account.regions and not reported:
            message = f"the account {quote(account.alias)} does not have the region {name.text}"
            report.add(Code.REGION_NOT_OF_ACCOUNT, name.place, message)
    return regions


class Organizations(Struct, frozen=True):
    """Organization IDs by alias, as `Accounts`."""

    by_alias: Mapping[str, str]
    aliases: Mapping[str, Place]
    unread: bool = False


def build_organizations(root: Fields, report: ProblemReport) -> Organizations:
    """Resolve `organizations:`."""
    entries = root.fields("organizations")
    found: dict[str, str] = {}
    for alias, place in entries.keys.items():
        if not is_name(alias):
            report.add(Code.ALIAS_NAME, place, f"{quote(alias)} is not a valid name for an organization")
        identifier = entries.fields(alias).text("id")
        if identifier is None:
            continue
        if ORGANIZATION_ID.fullmatch(identifier.text):
            found[alias] = identifier.text
        else:
            report.add(Code.ORGANIZATION_ID, identifier.place, f"{quote(identifier.text)} is not an organization ID")
    return Organizations(found, entries.keys, root.unread("organizations"))
