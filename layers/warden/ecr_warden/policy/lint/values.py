"""Rules on the values of conditions: can anything compare with them, and do they say what they seem to?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and, for
keys whose values must not be patterns, reference_policies_condition-keys.html#condition-keys-sensitive
"""

import base64
import binascii

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.policy.lint.resources import LACKS_PARTS, arn_fault, check_account
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Subject, Term, Value, quoted
from ecr_warden.policy.operators import moment, network, number

_ACCOUNTS = frozenset(
    {"aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount", "aws:vpceaccount"},
)
_ORGANIZATIONS = frozenset({"aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid", "aws:vpceorgid"})
_SENSITIVE = _ACCOUNTS | _ORGANIZATIONS | {"aws:sourcevpc", "aws:sourcevpce"}
_ARN_COLONS = 5
_ARNS = frozenset({"aws:principalarn", "aws:sourcearn"})
_LITERAL = frozenset({"StringEquals", "StringEqualsIgnoreCase"})
_WITH_VARIABLES = ("String", "Arn", "Bool")
_TEXTUAL = frozenset({*_LITERAL, "StringLike"})


def check_values(subject: Subject) -> None:
    """Report values that nothing compares with, wildcards taken literally, patterns where only names are safe."""
    for part in subject.parts:
        for term in part.terms:
            for value in term.values:
                if "${" not in value.text:
                    _check(subject, term, value)
                elif not term.base.startswith(_WITH_VARIABLES):
                    message = f"{quoted(value.text)}: {term.operator} takes no policy variable"
                    subject.add(Rule.VALUE_MALFORMED, value.place, message)


def _check(subject: Subject, term: Term, value: Value) -> None:
    wild = "*" in value.text or "?" in value.text
    fault = _form_fault(term, value.text) or _meaning_fault(term, value.text, wild=wild)
    if fault:
        subject.add(Rule.VALUE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")
    elif wild and term.base in _LITERAL:
        message = f"{quoted(value.text)}: {term.operator} takes * and ? literally"
        subject.add(Rule.VALUE_WILDCARD, value.place, message)
    elif wild and term.base == "StringLike" and not term.negative and term.key in _SENSITIVE:
        message = f"{quoted(value.text)} for {quoted(term.spelled)} may match a stranger's"
        subject.add(Rule.VALUE_SENSITIVE_WILDCARD, value.place, message)
    elif term.base in ("ArnLike", "ArnEquals"):
        check_account(subject, value)


def _form_fault(term: Term, text: str) -> str:
    """Why the operator can compare nothing with the text, or nothing."""
    match term.base:
        case "Bool" | "Null" if text.lower() not in ("true", "false"):
            return "is neither true nor false"
        case "IpAddress" if network(text) is None:
            return "is no IP address or range"
        case "ArnLike" | "ArnEquals" if text.strip("*"):
            # A wildcard ends at a colon here, unlike in a Resource.
            return arn_fault(text) or (LACKS_PARTS if text.count(":") < _ARN_COLONS else "")
        case "BinaryEquals" if not _is_base64(text):
            return "is not base64"
        case base if base.startswith("Numeric") and number(text) is None:
            return "is no number"
        case base if base.startswith("Date") and moment(text) is None:
            return "is no date, such as 2027-03-31T18:00:00Z"
        case _:
            return ""


def _meaning_fault(term: Term, text: str, *, wild: bool) -> str:
    """Why the key never has such a value, or nothing."""
    if wild or term.base not in _TEXTUAL:
        return ""
    if term.key in _ACCOUNTS and not ACCOUNT_ID.fullmatch(text) and text != "anonymous":
        return "is no account id of 12 digits"
    if term.key in _ORGANIZATIONS and not text.startswith("o-"):
        return "is no organization id, which begins with o-"
    return arn_fault(text) if term.key in _ARNS else ""


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
