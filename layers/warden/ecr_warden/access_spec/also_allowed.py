"""`also_allowed:`: access that no grant gives and that is intended all the same."""

import re
from collections.abc import Iterable
from datetime import datetime

from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.grants import repository_name
from ecr_warden.access_spec.limits import parse_until
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.principals import Directory
from ecr_warden.access_spec.problems import Code, ProblemReport, bare, quote
from ecr_warden.core.desired import AlsoAllowed
from iam_access.arn import ACCOUNT_ID, iam_arn, parse_arn
from iam_access.document.principal import SERVICE

_IDENTITY = re.compile(r"(user|role)/[!-~]+")
# What an ARN of IAM or STS names and a request can come from.
_RESOURCE = re.compile(r"(user|role|oidc-provider|saml-provider|assumed-role|federated-user)/[!-~]+|\*")
_ANYBODY = "*"
_FORMS = "write ALIAS:user/NAME, ALIAS:role/NAME, an ARN of IAM (each with * for any text), or an account ID in quotes"


def build_also_allowed(entry: Fields, directory: Directory, now: datetime) -> AlsoAllowed | None:
    """One item of `also_allowed:`; None if it has no reason."""
    report = directory.report
    named = _principal_patterns(entry.texts("principals"), directory)
    principals = tuple(dict.fromkeys((*named, *_accounts(entry, directory))))
    account = directory.accounts.referred(entry.text("account"), report)
    names = (repository_name(item, report, pattern=True) for item in entry.texts("repositories"))
    reason, end = entry.text("reason"), entry.text("until")
    until = None if end is None else parse_until(end, now, report, Code.ALLOWED_BEFORE)
    if reason is not None and not reason.text.strip():
        report.add(Code.EMPTY_VALUE, reason.place, "a reason without words", remedy="say why the access is intended")
    if reason is None:
        return None
    return AlsoAllowed(
        principals,
        reason.text,
        tuple(sorted({item.text for item in entry.texts("access")})),
        "" if account is None else account.id,
        tuple(sorted({name for name in names if name is not None})),
        until,
    )


def _accounts(entry: Fields, directory: Directory) -> list[str]:
    named = (directory.accounts.referred(item.text("account"), directory.report) for item in entry.all("principals"))
    return [account.id for account in named if account is not None]


def _principal_patterns(items: Iterable[Scalar], directory: Directory) -> list[str]:
    """The patterns that a list of teams, principals and patterns stands for."""
    found: dict[str, Scalar] = {}
    for item in items:
        for pattern in _patterns(item, directory):
            if pattern in found and item.text == found[pattern].text:
                directory.report.add(Code.LISTED_TWICE, item.place, f"{quote(item.text)} is listed twice")
            found.setdefault(pattern, item)
    return list(found)


def _patterns(item: Scalar, directory: Directory) -> tuple[str, ...]:
    """The patterns of ARNs that one text stands for; a text that names nobody is reported."""
    text, report = item.text, directory.report
    alias, colon, rest = text.partition(":")
    if text in directory.teams:
        return tuple(principal.arn for principal in directory.teams[text])
    if text.startswith("arn:"):
        return _of_arn(item, report)
    if text == _ANYBODY:
        report.add(Code.ALLOWED_ANYWHERE, item.place, f"{quote(text)} is everybody")
    if text == _ANYBODY or ACCOUNT_ID.fullmatch(text) or SERVICE.fullmatch(text):
        return (text,)
    if not colon:
        directory.unknown_team(item, whole=f"{{account: {bare(text)}}} for the whole account")
        return ()
    if alias not in directory.accounts.aliases:
        directory.accounts.unknown(alias, item.place, report)
        return ()
    if not _IDENTITY.fullmatch(rest):
        report.add(Code.PRINCIPAL, item.place, f"{quote(text)} is not a principal", remedy=_FORMS)
        return ()
    account = directory.accounts.by_alias.get(alias)
    return () if account is None else (iam_arn(account.id, rest),)


def _of_arn(item: Scalar, report: ProblemReport) -> tuple[str, ...]:
    arn = parse_arn(item.text)
    if arn is None or arn.service not in ("iam", "sts") or not arn.account or arn.region or "?" in item.text:
        report.add(Code.PRINCIPAL, item.place, f"{quote(item.text)} is not a principal", remedy=_FORMS)
        return ()
    if not ACCOUNT_ID.fullmatch(arn.account):
        report.add(Code.ALLOWED_ANYWHERE, item.place, f"{quote(item.text)} may be in any account")
    if arn.resource == "root":
        return (arn.account,)
    if not _RESOURCE.fullmatch(arn.resource):
        report.add(Code.PRINCIPAL, item.place, f"{quote(item.text)} is not a principal", remedy=_FORMS)
        return ()
    return (item.text,)
