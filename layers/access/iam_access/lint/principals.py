"""Rules on who is given access.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import re

from iam_access.arn import ACCOUNT_ID, account_part
from iam_access.document.kind import DocumentKind
from iam_access.document.values import network
from iam_access.lint.examination import Examination, PlacedClause, PlacedPrincipal, PlacedStatement, quoted
from iam_access.lint.rules import LintRule

_UNIQUE_ID = re.compile(r"A(?:IDA|ROA|GPA|KIA|SIA|NPA|NVA|PKA|SCA|BIA|CCA)[A-Z0-9]{12,124}(?::.*)?")
_AWS_ARN = re.compile(
    r"arn:aws(?:-[a-z]+)*:(?:iam::[0-9]{12}:(?:root|user/.+|role/.+)"
    r"|sts::[0-9]{12}:(?:assumed-role/[^/]+/.+|federated-user/.+|self))"
)
# GitHub's subjects begin with repo:OWNER/.
_EVERY_SUBJECT = re.compile(r"(?:repo:)?\*")


def check_principals(examination: Examination) -> None:
    """Report access for anyone, principals that no longer exist, and services that act for any customer."""
    if examination.kind is DocumentKind.IDENTITY:
        return
    for statement in examination.statements:
        for named in statement.principals:
            _check_form(examination, named)
        principals = statement.written.principals
        if not statement.allows or principals is None:
            continue
        if principals.negated:
            examination.add(LintRule.ALLOW_NOT_PRINCIPAL, f"{statement.place}.NotPrincipal")
            continue
        for named in statement.principals:
            _check_allowed(examination, statement, named)


def _check_form(examination: Examination, named: PlacedPrincipal) -> None:
    kind, value = named.principal
    if kind != "AWS" or value == "*" or ACCOUNT_ID.fullmatch(value) or (_AWS_ARN.fullmatch(value) and "*" not in value):
        return
    if "*" in value or "?" in value:
        examination.add(
            LintRule.PRINCIPAL_PATTERN, named.place, f"{quoted(value)}: AWS refuses patterns in a principal"
        )
    elif _UNIQUE_ID.fullmatch(value):
        examination.add(
            LintRule.PRINCIPAL_UNIQUE_ID, named.place, f"{quoted(value)} is the unique ID of a deleted user or role"
        )
    else:
        examination.add(
            LintRule.PRINCIPAL_MALFORMED, named.place, f"{quoted(value)} is not an account, user, role or session"
        )


def _check_allowed(examination: Examination, statement: PlacedStatement, named: PlacedPrincipal) -> None:
    kind, value = named.principal
    if value == "*":
        if not statement.clauses:
            examination.add(LintRule.PRINCIPAL_ANYONE, named.place, "the principal * without a Condition is anyone")
        elif not ties_caller(statement):
            examination.add(LintRule.PRINCIPAL_ANYONE_CONDITIONED, named.place)
        return
    match kind:
        case "Service" if examination.kind is DocumentKind.RESOURCE and not names_source(statement):
            what = "acts for any of its customers: no condition restricts which"
            examination.add(LintRule.SERVICE_WITHOUT_SOURCE, named.place, f"{quoted(value)} {what}")
        case "Federated" if examination.kind is DocumentKind.TRUST:
            _check_federated(examination, statement, named)
        case _:
            pass


def _check_federated(examination: Examination, statement: PlacedStatement, named: PlacedPrincipal) -> None:
    value = named.principal.value
    if ":oidc-provider/" in value and not any(clause.certain and _narrows(clause) for clause in statement.clauses):
        examination.add(
            LintRule.FEDERATED_WITHOUT_SUBJECT, named.place, f"every identity of {quoted(value)} may assume the role"
        )


def _narrows(clause: PlacedClause) -> bool:
    """Does it restrict the identity by a claim of the provider, to values that do not match everyone's?"""
    if clause.key.startswith(("aws:", "sts:")) or clause.key.endswith((":aud", ":iss", ":oaud", ":azp")):
        return False
    return not any(_EVERY_SUBJECT.match(value.text) for value in clause.values)


_PRINCIPAL = frozenset({"aws:principalarn", "aws:userid", "aws:username"})
_SOURCE = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"})
# AWS's own list of what makes a policy not public, less what S3 and KMS alone have:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_CALLER = (
    _PRINCIPAL
    | _SOURCE
    | {
        *("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceip", "aws:sourcevpc"),
        *("aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"),
        "aws:principalservicename",
    }
)


def ties_caller(statement: PlacedStatement) -> bool:
    """Do the conditions name the caller, its account, organization or network?"""
    return any(_ties(clause, _CALLER) for clause in statement.clauses)


def names_source(statement: PlacedStatement) -> bool:
    """Do the conditions say for which customer a service acts?"""
    return any(_ties(clause, _SOURCE) for clause in statement.clauses)


def _ties(clause: PlacedClause, keys: frozenset[str]) -> bool:
    return clause.key in keys and clause.certain and all(_fixed(clause, value.text) for value in clause.values)


def _fixed(clause: PlacedClause, value: str) -> bool:
    """Is the value more than a pattern for everything?"""
    if not value.strip("*?"):
        return False
    if clause.key.endswith("arn"):
        # A pattern for the account does not restrict it; S3's ARNs have no account.
        account = account_part(value)
        return account == "" or bool(account and account.strip("*?"))
    if clause.base == "IpAddress":
        found = network(value)
        return found is not None and found.prefixlen > 0
    return True
