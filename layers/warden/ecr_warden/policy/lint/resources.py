"""Rules on the form of Resource elements.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns (ARNs that lack parts)
"""

import re

from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Subject, Value, quoted
from ecr_warden.policy.statement_match import completed_arn

LACKS_PARTS = "has fewer than the six parts of an ARN"
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_OPEN = re.compile(r"[*?]|\$\{")
_ACCOUNT = 4


def check_resources(subject: Subject) -> None:
    """Report resources that are no ARNs or lack parts, and account ids that are none."""
    for part in subject.parts:
        for value in part.resources.values if part.resources else ():
            fault = arn_fault(value.text)
            completed = completed_arn(value.text)
            if fault == LACKS_PARTS and completed != value.text:
                message = f"{quoted(value.text)} lacks parts: IAM reads it as {quoted(completed)}"
                subject.add(Rule.RESOURCE_INCOMPLETE, value.place, message)
            elif fault:
                subject.add(Rule.RESOURCE_MALFORMED, value.place, f"{quoted(value.text)} {fault}")
            else:
                check_account(subject, value)


def arn_fault(text: str) -> str:
    """Why IAM takes a text for no ARN, or nothing. A pattern may stand for any part, missing parts too."""
    head, *rest = text.split(":", 5)
    if _OPEN.search(head):
        return ""
    if head != "arn":
        return "is no ARN"
    if not rest or (not _OPEN.search(rest[0]) and not _PARTITION.fullmatch(rest[0])):
        return "has no partition such as aws"
    if len(rest) < 5 and not _OPEN.search(rest[-1]):
        return LACKS_PARTS
    return ""


def check_account(subject: Subject, value: Value) -> None:
    """Report an ARN with digits for an account id that are not 12."""
    parts = value.text.split(":", 5)
    if len(parts) > _ACCOUNT and parts[_ACCOUNT].isdigit() and len(parts[_ACCOUNT]) != 12:
        message = f"{quoted(value.text)}: the account id has {len(parts[_ACCOUNT])} digits instead of 12"
        subject.add(Rule.ARN_ACCOUNT, value.place, message)
