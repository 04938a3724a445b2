"""Rules on actions: whether they exist, fit the document and the resources, and allow more than is written.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/, as of the catalogue's date.
"""

import re

from iam_access.catalogue import Action, date, is_catalogued, matching_actions
from iam_access.document.kind import DocumentKind
from iam_access.document.variables import literal_glob
from iam_access.lint.examination import Examination, PlacedStatement, PlacedText, quoted
from iam_access.lint.rules import LintRule
from iam_access.text.ascii_case import ascii_lower

EVERYTHING = frozenset({"*", "*:*"})
# "AssumeRole policy may only specify STS AssumeRole actions" (AWS's error).
_TRUST_ACTIONS = (
    *("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"),
    *("sts:setcontext", "sts:setsourceidentity", "sts:tagsession"),
)
_ACTION = re.compile(r"[A-Za-z0-9.-]+:[A-Za-z0-9*?]+")


def check_actions(examination: Examination) -> None:
    """Report actions that do not exist, or have no effect in this document."""
    for statement in examination.statements:
        for value in statement.actions.values:
            if value.text in EVERYTHING:
                continue
            if not _ACTION.fullmatch(value.text):
                examination.add(LintRule.ACTION_MALFORMED, value.place, f"{quoted(value.text)} is not an action")
            elif _is_of_kind(examination, value):
                _check_action(examination, statement, value)


def _is_of_kind(examination: Examination, value: PlacedText) -> bool:
    match examination.kind:
        case DocumentKind.RESOURCE:
            if examination.service is None:
                return True
            prefix = examination.service.prefix
            allowed = ascii_lower(value.text).startswith(f"{prefix}:")
            wanted = f"{examination.article} only holds {prefix} actions"
        case DocumentKind.TRUST:
            allowed = any(map(literal_glob(value.text.lower()).matches, _TRUST_ACTIONS))
            wanted = "a trust policy only holds the sts actions that assume a role"
        case DocumentKind.IDENTITY:
            return True
    if not allowed:
        examination.add(LintRule.ACTION_OF_KIND, value.place, f"{quoted(value.text)}: {wanted}")
    return allowed


def _check_action(examination: Examination, statement: PlacedStatement, value: PlacedText) -> None:
    if not is_catalogued(value.text.partition(":")[0]):
        return
    found = matching_actions(value.text)
    if not found:
        examination.add(LintRule.ACTION_UNKNOWN, value.place, f"no action {quoted(value.text)} as of {date()}")
    elif examination.kind is DocumentKind.RESOURCE:
        if not any(action.arns for action in found) and not statement.actions.negated:
            examination.add(
                LintRule.ACTION_WITHOUT_RESOURCE,
                value.place,
                f"{found[0].name} in {examination.article} has no effect: it acts on no {examination.noun}",
            )
    elif examination.kind is DocumentKind.IDENTITY:
        _check_resources(examination, statement, value, found)


def _check_resources(
    examination: Examination, statement: PlacedStatement, value: PlacedText, found: tuple[Action, ...]
) -> None:
    """Report actions without resource types on named resources."""
    resources = statement.resources
    if resources is None or resources.negated or statement.actions.negated:
        return
    if any(not resource.text.strip("*") for resource in resources.values):
        return
    # IAM still checks its List actions on paths such as role/, and AWS's own policies allow them that way.
    if not any(action.arns for action in found) and not found[0].name.startswith("iam:"):
        examination.add(
            LintRule.ACTION_NEEDS_ANY_RESOURCE,
            value.place,
            f"{quoted(value.text)} has no resource types and no effect on named resources",
        )


def check_broad(examination: Examination) -> None:
    """Report Allow with NotAction, and every action of a service or of all."""
    for statement in examination.statements:
        if not statement.allows:
            continue
        if statement.actions.negated:
            examination.add(LintRule.ALLOW_NOT_ACTION, statement.actions.place)
        elif examination.kind is not DocumentKind.IDENTITY or _on_everything(statement):
            _check_actions(examination, statement)


def _on_everything(statement: PlacedStatement) -> bool:
    """Does it apply to every resource, without a condition?"""
    resources = statement.resources
    if resources is None or statement.clauses:
        return False
    return resources.negated or any(not value.text.strip("*") for value in resources.values)


def _check_actions(examination: Examination, statement: PlacedStatement) -> None:
    for value in statement.actions.values:
        text = value.text.lower()
        if text in EVERYTHING or (text.endswith(":*") and is_catalogued(text.partition(":")[0])):
            examination.add(LintRule.ALLOW_EVERYTHING, value.place, f"{quoted(value.text)} allows every action")
