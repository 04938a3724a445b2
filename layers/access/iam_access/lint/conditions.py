"""Rules on Resource elements and conditions: well-formed values, and keys that exist.

Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: reference-arns.html,
reference_identifiers.html#identifiers-arns (ARNs that lack parts),
reference_policies_condition-single-vs-multi-valued-context-keys.html,
reference_policies_elements_condition_operators.html and, for keys whose values must not be patterns,
reference_policies_condition-keys.html#condition-keys-sensitive
"""

from iam_access.arn import ARN_COLONS, PARTITION
from iam_access.catalogue import date
from iam_access.document.condition import Quantifier
from iam_access.document.pattern import is_literal
from iam_access.document.values import is_base64, moment, network, number
from iam_access.document.variables import completed_arn
from iam_access.lint.examination import Examination, PlacedClause, PlacedStatement, PlacedText, quoted
from iam_access.lint.names import is_condition_key, owns_key
from iam_access.lint.rules import LintRule

_TAG_KEYS = "aws:tagkeys"
_TAG = "aws:requesttag/"


def check_conditions(examination: Examination) -> None:
    """Report unknown keys, conditions without values, and ForAllValues that holds without the key."""
    for statement in examination.statements:
        for clause in statement.clauses:
            _check_key(examination, clause)
            if not clause.values:
                examination.add(
                    LintRule.CONDITION_NEVER, clause.place, f"{quoted(clause.spelled)} has no value to compare with"
                )
            if statement.allows and clause.parts.quantifier is Quantifier.ALL and not _is_guarded(statement, clause):
                examination.add(
                    LintRule.FOR_ALL_VALUES,
                    clause.place,
                    f"{clause.operator} on {quoted(clause.spelled)} also holds if the request does not have the key",
                )


def _check_key(examination: Examination, clause: PlacedClause) -> None:
    prefix, colon, _ = clause.key.partition(":")
    if not colon or (owns_key(prefix) and not is_condition_key(clause.key)):
        examination.add(LintRule.KEY_UNKNOWN, clause.place, f"no condition key {quoted(clause.spelled)} as of {date()}")


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
    """Report resources that are not ARNs."""
    for statement in examination.statements:
        for value in statement.resources.values if statement.resources else ():
            # IAM completes an ARN that lacks parts.
            fault = arn_fault(completed_arn(value.text))
            if fault:
                examination.add(LintRule.RESOURCE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")


def arn_fault(text: str) -> str:
    """Why IAM rejects a text as an ARN, or nothing. A wildcard may stand for any part, missing ones included."""
    head, *rest = text.split(":", ARN_COLONS)
    if not is_literal(head):
        return ""
    if head != "arn":
        return "is not an ARN"
    if not rest or (is_literal(rest[0]) and not PARTITION.fullmatch(rest[0])):
        return "has no partition such as aws"
    return LACKS_PARTS if len(rest) < ARN_COLONS and is_literal(rest[-1]) else ""


_SENSITIVE = frozenset(
    {
        *("aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount", "aws:vpceaccount"),
        *("aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid", "aws:vpceorgid"),
        *("aws:sourcevpc", "aws:sourcevpce"),
    }
)
_LITERAL = frozenset({"StringEquals", "StringEqualsIgnoreCase"})
_WITH_VARIABLES = ("String", "Arn", "Bool")


def check_values(examination: Examination) -> None:
    """Report values that match nothing, wildcards taken literally, and patterns where only names are safe."""
    for statement in examination.statements:
        for clause in statement.clauses:
            for value in clause.values:
                if "${" not in value.text:
                    _check(examination, clause, value)
                elif not clause.base.startswith(_WITH_VARIABLES):
                    examination.add(
                        LintRule.VALUE_MALFORMED,
                        value.place,
                        f"{quoted(value.text)}: {clause.operator} takes no policy variable",
                    )


def _check(examination: Examination, clause: PlacedClause, value: PlacedText) -> None:
    wild = "*" in value.text or "?" in value.text
    fault = _fault(clause, value.text)
    if fault:
        examination.add(LintRule.VALUE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")
    elif wild and clause.base in _LITERAL:
        message = f"{quoted(value.text)}: {clause.operator} takes * and ? literally"
        examination.add(LintRule.VALUE_WILDCARD, value.place, message)
    elif wild and clause.base == "StringLike" and not clause.parts.negated and clause.key in _SENSITIVE:
        message = f"{quoted(value.text)} for {quoted(clause.spelled)} may match an outsider's"
        examination.add(LintRule.VALUE_SENSITIVE_WILDCARD, value.place, message)


def _fault(clause: PlacedClause, text: str) -> str:
    """Why the operator never matches with this value; "" if it may."""
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
