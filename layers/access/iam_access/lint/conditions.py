"""Rules on Resource elements and conditions: well-formed values, keys that exist, conditions that can hold.

Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: reference-arns.html,
reference_identifiers.html#identifiers-arns (ARNs that lack parts),
reference_policies_condition-single-vs-multi-valued-context-keys.html,
reference_policies_elements_condition_operators.html and, for keys whose values must not be patterns,
reference_policies_condition-keys.html#condition-keys-sensitive
"""

from iam_access.arn import ACCOUNT_ID, ARN_COLONS, PARTITION, account_part
from iam_access.catalogue import date
from iam_access.document.condition import CLOCKS, Quantifier
from iam_access.document.pattern import is_literal
from iam_access.document.values import ends, is_base64, moment, network, number
from iam_access.document.variables import completed_arn
from iam_access.lint.examination import Examination, PlacedClause, PlacedStatement, PlacedText, quoted
from iam_access.lint.names import is_condition_key, nearest_key, owns_key
from iam_access.lint.rules import LintRule

_TAG_KEYS = "aws:tagkeys"
_TAG = "aws:requesttag/"
_STRINGS = frozenset({"StringEquals", "ArnEquals", "NumericEquals", "Bool"})


def check_conditions(examination: Examination) -> None:
    """Report unknown keys, conditions that never hold, and ForAllValues that holds without the key."""
    for statement in examination.statements:
        for clause in statement.clauses:
            _check_key(examination, clause)
            if not clause.values:
                examination.add(
                    LintRule.CONDITION_NEVER, clause.place, f"{quoted(clause.spelled)} has no value to compare with"
                )
            elif _ended(examination, clause):
                examination.add(LintRule.CONDITION_ENDED, clause.place, f"{quoted(clause.values[0].text)} is past")
            elif reason := _contradiction(statement, clause):
                examination.add(LintRule.CONDITION_NEVER, clause.place, reason)
            if statement.allows and clause.parts.quantifier is Quantifier.ALL and not _is_guarded(statement, clause):
                message = (
                    f"{clause.operator} on {quoted(clause.spelled)} also holds if the request does not have the key"
                )
                examination.add(LintRule.FOR_ALL_VALUES, clause.place, message)


def _check_key(examination: Examination, clause: PlacedClause) -> None:
    prefix, colon, _ = clause.key.partition(":")
    if not colon or (owns_key(prefix) and not is_condition_key(clause.key)):
        near = examination.hint(nearest_key, clause.spelled if colon else f"aws:{clause.spelled}")
        examination.add(
            LintRule.KEY_UNKNOWN, clause.place, f"no condition key {quoted(clause.spelled)}{near} as of {date()}"
        )


def _ended(examination: Examination, clause: PlacedClause) -> bool:
    """Values are alternatives, so the latest counts."""
    if examination.now is None or clause.key not in CLOCKS:
        return False
    found = ends(clause.base, (value.text for value in clause.values))
    return bool(found) and max(found) <= examination.now.timestamp()


def _contradiction(statement: PlacedStatement, clause: PlacedClause) -> str:
    """Why this condition can never hold, alone or together with the others on its key; or nothing."""
    if _is_null(clause, "true") and clause.parts.quantifier is Quantifier.ANY:
        return f"no value of {quoted(clause.spelled)} is null"
    for other in statement.clauses:
        if other.key != clause.key or other is clause:
            continue
        if _is_null(clause, "true") and other.certain:
            return f"{quoted(clause.spelled)} must be missing here, and {other.operator} needs it"
        texts = {value.text for value in clause.values}
        if (
            clause.certain
            and not clause.parts.quantifier
            and clause.base in _STRINGS
            and other.parts.negated
            and not other.parts.quantifier
            and other.base == clause.base
            and texts <= {value.text for value in other.values}
        ):
            return f"{other.operator} excludes every value of {quoted(clause.spelled)}"
    return ""


def _is_guarded(statement: PlacedStatement, clause: PlacedClause) -> bool:
    """Does another condition require the key? aws:TagKeys is present if one of the tags is."""
    return any(
        (other.key == clause.key or (clause.key == _TAG_KEYS and other.key.startswith(_TAG)))
        and (other.certain or (_is_null(other, "false") and other.parts.quantifier is not Quantifier.ALL))
        for other in statement.clauses
    )


def _is_null(clause: PlacedClause, value: str) -> bool:
    return clause.base == "Null" and {placed_text.text.lower() for placed_text in clause.values} == {value}


LACKS_PARTS = "has fewer than the six parts of an ARN"


def check_resources(examination: Examination) -> None:
    """Report resources that are not ARNs or lack parts, and malformed account IDs."""
    for statement in examination.statements:
        for value in statement.resources.values if statement.resources else ():
            fault = arn_fault(value.text)
            completed = completed_arn(value.text)
            if fault == LACKS_PARTS and completed != value.text:
                message = f"{quoted(value.text)} lacks parts: IAM reads it as {quoted(completed)}"
                examination.add(LintRule.RESOURCE_INCOMPLETE, value.place, message)
            elif fault:
                examination.add(LintRule.RESOURCE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")
            else:
                check_account(examination, value)


def arn_fault(text: str) -> str:
    """Why IAM rejects a text as an ARN, or nothing. A wildcard may stand for any part, missing ones included."""
    head, *rest = text.split(":", ARN_COLONS)
    if not is_literal(head):
        return ""
    if head != "arn":
        return "is not an ARN"
    if not rest or (is_literal(rest[0]) and not PARTITION.fullmatch(rest[0])):
        return "has no partition such as aws"
    if len(rest) < ARN_COLONS and is_literal(rest[-1]):
        return LACKS_PARTS
    return ""


def check_account(examination: Examination, value: PlacedText) -> None:
    """Report an ARN whose account ID is not 12 digits."""
    account = account_part(value.text)
    if account and account.isdigit() and len(account) != 12:
        message = f"{quoted(value.text)}: the account ID has {len(account)} digits instead of 12"
        examination.add(LintRule.ARN_ACCOUNT, value.place, message)


_ACCOUNTS = frozenset(
    {"aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount", "aws:vpceaccount"},
)
_ORGANIZATIONS = frozenset({"aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid", "aws:vpceorgid"})
_SENSITIVE = _ACCOUNTS | _ORGANIZATIONS | {"aws:sourcevpc", "aws:sourcevpce"}
_ARNS = frozenset({"aws:principalarn", "aws:sourcearn"})
_LITERAL = frozenset({"StringEquals", "StringEqualsIgnoreCase"})
_WITH_VARIABLES = ("String", "Arn", "Bool")
_TEXTUAL = frozenset({*_LITERAL, "StringLike"})


def check_values(examination: Examination) -> None:
    """Report values that match nothing, wildcards taken literally, and patterns where only names are safe."""
    for statement in examination.statements:
        for clause in statement.clauses:
            for value in clause.values:
                if "${" not in value.text:
                    _check(examination, clause, value)
                elif not clause.base.startswith(_WITH_VARIABLES):
                    message = f"{quoted(value.text)}: {clause.operator} takes no policy variable"
                    examination.add(LintRule.VALUE_MALFORMED, value.place, message)


def _check(examination: Examination, clause: PlacedClause, value: PlacedText) -> None:
    wild = "*" in value.text or "?" in value.text
    fault = _form_fault(clause, value.text) or _meaning_fault(clause, value.text, wild=wild)
    if fault:
        examination.add(LintRule.VALUE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")
    elif wild and clause.base in _LITERAL:
        message = f"{quoted(value.text)}: {clause.operator} takes * and ? literally"
        examination.add(LintRule.VALUE_WILDCARD, value.place, message)
    elif wild and clause.base == "StringLike" and not clause.parts.negated and clause.key in _SENSITIVE:
        message = f"{quoted(value.text)} for {quoted(clause.spelled)} may match an outsider's"
        examination.add(LintRule.VALUE_SENSITIVE_WILDCARD, value.place, message)
    elif clause.base in ("ArnLike", "ArnEquals"):
        check_account(examination, value)


def _form_fault(clause: PlacedClause, text: str) -> str:
    """Why the operator matches nothing with this value, or nothing."""
    match clause.base:
        case "Bool" | "Null" if text.lower() not in ("true", "false"):
            return "is neither true nor false"
        case "IpAddress" if network(text) is None:
            return "is not an IP address or range"
        case "ArnLike" | "ArnEquals" if text.strip("*"):
            # A wildcard ends at a colon here, unlike in a Resource.
            return arn_fault(text) or (LACKS_PARTS if text.count(":") < ARN_COLONS else "")
        case "BinaryEquals" if not is_base64(text):
            return "is not base64"
        case base if base.startswith("Numeric") and number(text) is None:
            return "is not a number"
        case base if base.startswith("Date") and moment(text) is None:
            return "is not a date such as 2027-03-31T18:00:00Z"
        case _:
            return ""


def _meaning_fault(clause: PlacedClause, text: str, *, wild: bool) -> str:
    """Why the key never has this value, or nothing."""
    if wild or clause.base not in _TEXTUAL:
        return ""
    if clause.key in _ACCOUNTS and not ACCOUNT_ID.fullmatch(text) and text != "anonymous":
        return "is not an account ID of 12 digits"
    if clause.key in _ORGANIZATIONS and not text.startswith("o-"):
        return "is not an organization ID, which begins with o-"
    return arn_fault(text) if clause.key in _ARNS else ""
