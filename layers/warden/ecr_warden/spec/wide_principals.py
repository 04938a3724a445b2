"""Principals that are no single user or role: a whole account, an AWS service, an organization."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ecr_warden.spec.accounts import Accounts, is_name
from ecr_warden.spec.check_shape import Fields
from ecr_warden.spec.nodes import Scalar
from ecr_warden.spec.problems import Code, Place, quote
from ecr_warden.spec.report import Report
from ecr_warden.spec.spec import Organization, Puller, Service, WholeAccount

# Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
_SOURCE = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9*-]*:([0-9]{12}):[!-~]+")


@dataclass(frozen=True, slots=True)
class Organizations:
    """Organization ids by alias; an alias whose definition is broken is known and has none.

    `unread`: organizations: itself could not be read, so that no name is called unknown.
    """

    by_alias: Mapping[str, str]
    aliases: Mapping[str, Place]
    unread: bool = False


def build_organizations(root: Fields, report: Report) -> Organizations:
    """Resolve `organizations:`."""
    entries = root.fields("organizations")
    found: dict[str, str] = {}
    for alias, place in entries.keys.items():
        if not is_name(alias):
            report.add(Code.ALIAS_NAME, place, f"{quote(alias)} is not a name for an organization")
        identifier = entries.fields(alias).text("id")
        if identifier is None:
            continue
        if _ORGANIZATION.fullmatch(identifier.text):
            found[alias] = identifier.text
        else:
            report.add(Code.ORGANIZATION_ID, identifier.place, f"{quote(identifier.text)} is not an organization's id")
    return Organizations(found, entries.keys, root.unread("organizations"))


def build_wide_principals(
    entries: tuple[Fields, ...], accounts: Accounts, organizations: Organizations, report: Report
) -> Mapping[Puller, bool]:
    """The entries of a `pull:` list that name no users and roles, each once, and whether they may import too."""
    found: dict[Puller, bool] = {}
    for entry in entries:
        puller = _puller(entry, accounts, organizations, report)
        if puller in found:
            report.add(Code.LISTED_TWICE, entry.place, f"{puller} is listed twice")
        elif puller is not None:
            found[puller] = entry.flag("upstream")
    return found


def _puller(entry: Fields, accounts: Accounts, organizations: Organizations, report: Report) -> Puller | None:
    if "service" in entry.keys:
        return _service(entry.text("service"), entry.text("source"), accounts, report)
    if "organization" in entry.keys:
        return _organization(entry.text("organization"), organizations, report)
    account = accounts.referred(entry.text("account"), report)
    return None if account is None else WholeAccount(account.id)


def _organization(name: Scalar | None, organizations: Organizations, report: Report) -> Organization | None:
    if name is None:
        return None
    if name.text not in organizations.aliases and not organizations.unread:
        hint = report.hint(name.text, organizations.aliases)
        message = f"unknown organization {quote(name.text)}{hint}"
        report.add(Code.UNKNOWN_ORGANIZATION, name.place, message, remedy="" if hint else None)
    identifier = organizations.by_alias.get(name.text)
    return None if identifier is None else Organization(identifier)


def _service(name: Scalar | None, source: Scalar | None, accounts: Accounts, report: Report) -> Service | None:
    if name is not None and not _SERVICE.fullmatch(name.text):
        report.add(Code.SERVICE, name.place, f"{quote(name.text)} is not a service")
        name = None
    if source is None:
        return None
    account, arn = _source(source, accounts, report)
    return None if name is None or account is None else Service(name.text, account, arn)


def _source(source: Scalar, accounts: Accounts, report: Report) -> tuple[str | None, str | None]:
    """The account that a service must act for, and the ARN of its resource if one is given."""
    if not source.text.startswith("arn:"):
        account = accounts.referred(source, report)
        return (None if account is None else account.id), None
    match = _SOURCE.fullmatch(source.text)
    if match is None:
        report.add(Code.SOURCE, source.place, f"{quote(source.text)} does not name an account's resources")
        return None, None
    if accounts.with_id(match[1]) is None:
        message = f"{quote(source.text)} is of an account that is not under accounts"
        report.add(Code.FOREIGN_PRINCIPAL, source.place, message)
        return None, None
    return match[1], source.text
