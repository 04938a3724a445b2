"""Rules on what is allowed or denied.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html and
its siblings for IAM and STS, as of the catalogue's date.
"""

import re

from ecr_warden.policy.catalogue import (
    Action,
    date,
    is_catalogued,
    is_service,
    matching_actions,
    nearest_action,
    nearest_service,
)
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Part, Subject, Value, quoted
from ecr_warden.policy.pattern import patterns_meet
from ecr_warden.policy.printable import listed
from ecr_warden.policy.statement_match import completed_arn
from ecr_warden.policy.variables import plain_pattern

EVERYTHING = frozenset({"*", "*:*"})
# "AssumeRole policy may only specify STS AssumeRole actions" (AWS's error).
_TRUST_ACTIONS = (
    *("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"),
    *("sts:setcontext", "sts:setsourceidentity", "sts:tagsession"),
)
_ACTION = re.compile(r"[A-Za-z0-9.-]+:[A-Za-z0-9*?]+")
_MOST_RESOURCES = 50
_LONGEST_RESOURCE = 2048


def check_actions(subject: Subject) -> None:
    """Report actions that do not exist, or do nothing where they stand."""
    for part in subject.parts:
        for value in part.actions.values:
            if value.text in EVERYTHING:
                continue
            if not _ACTION.fullmatch(value.text):
                subject.add(Rule.ACTION_MALFORMED, value.place, f"{quoted(value.text)} is not an action")
            elif _is_of_kind(subject, value):
                _check_action(subject, part, value)


def _is_of_kind(subject: Subject, value: Value) -> bool:
    match subject.kind:
        case DocumentKind.REPOSITORY:
            allowed = value.text.lower().startswith("ecr:")
            wanted = "a repository policy holds actions of ecr only"
        case DocumentKind.TRUST:
            pattern = plain_pattern(value.text.lower())
            allowed = any(map(pattern.matches, _TRUST_ACTIONS))
            wanted = "a trust policy holds the sts actions that assume a role only"
        case DocumentKind.IDENTITY:
            return True
    if not allowed:
        near = subject.hint(nearest_service, value.text.partition(":")[0]) if "ecr:" not in value.text.lower() else ""
        subject.add(Rule.ACTION_OF_KIND, value.place, f"{quoted(value.text)}: {wanted}{near if 'ecr' in near else ''}")
    return allowed


def _check_action(subject: Subject, part: Part, value: Value) -> None:
    service = value.text.partition(":")[0]
    if not is_catalogued(service):
        # New services come every month: one that is like no other is taken for such.
        if not is_service(service) and (near := subject.hint(nearest_service, service)):
            subject.add(Rule.SERVICE_UNKNOWN, value.place, f"no service {quoted(service)}{near} as of {date()}")
        return
    found = matching_actions(value.text)
    if not found:
        near = subject.hint(nearest_action, value.text)
        subject.add(Rule.ACTION_UNKNOWN, value.place, f"no action {quoted(value.text)}{near} as of {date()}")
    elif subject.kind is DocumentKind.REPOSITORY:
        if not any(action.arns for action in found) and not part.actions.negated:
            message = f"{found[0].name} in a repository policy does nothing: it concerns no repository"
            subject.add(Rule.ACTION_WITHOUT_REPOSITORY, value.place, message)
    elif subject.kind is DocumentKind.IDENTITY:
        _check_resources(subject, part, value, found)


def _check_resources(subject: Subject, part: Part, value: Value, found: tuple[Action, ...]) -> None:
    """Is there a resource that one of the actions can concern?"""
    resources = part.resources
    if resources is None or resources.negated or part.actions.negated or len(resources.values) > _MOST_RESOURCES:
        return
    texts = [completed_arn(resource.text) for resource in resources.values]
    if any(not text.strip("*") or len(text) > _LONGEST_RESOURCE for text in texts):
        return
    arns = sorted({arn for action in found for arn in action.arns})
    if not arns:
        # IAM asks for its List actions on paths such as role/ all the same, and AWS's own policies allow them so.
        if found[0].name.startswith("iam:"):
            return
        message = f"{quoted(value.text)} has no resource types and does nothing on named resources"
        subject.add(Rule.ACTION_NEEDS_ANY_RESOURCE, value.place, message)
    elif not any(_meet(arn, text) for text in texts for arn in arns):
        acts = listed(arns, 2, separator=" or ")
        message = f"{quoted(value.text)} acts on {acts}: on none of the statement's resources"
        subject.add(Rule.ACTION_NOT_ON_RESOURCE, value.place, message)


def _meet(arn: str, text: str) -> bool:
    """The services tell most apart, and cost less than the patterns."""
    ours, theirs = arn.split(":"), text.split(":")
    if len(theirs) > 2 and theirs[2] != ours[2] and not set(theirs[2]) & set("*?$"):
        return False
    return patterns_meet(arn, text)
