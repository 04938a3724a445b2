"""Rules on grants that hold more than anybody wrote down."""

from ecr_warden.policy.catalogue import is_catalogued
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.lint.actions import EVERYTHING
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Part, Subject, quoted


def check_broad(subject: Subject) -> None:
    """Report Allow with NotAction, and everything of a service or of all."""
    for part in subject.parts:
        if not part.allows:
            continue
        if part.actions.negated:
            subject.add(Rule.ALLOW_NOT_ACTION, part.actions.place)
        elif subject.kind is not DocumentKind.IDENTITY or _on_everything(part):
            _check_actions(subject, part)


def _on_everything(part: Part) -> bool:
    """Without a condition, on every resource?"""
    resources = part.resources
    if resources is None or part.terms:
        return False
    return resources.negated or any(not value.text.strip("*") for value in resources.values)


def _check_actions(subject: Subject, part: Part) -> None:
    for value in part.actions.values:
        text = value.text.lower()
        service = text.partition(":")[0]
        if text not in EVERYTHING and not (text.endswith(":*") and is_catalogued(service)):
            continue
        match subject.kind:
            case DocumentKind.REPOSITORY:
                message = f"{quoted(value.text)}: they can delete images and rewrite this very policy"
            case DocumentKind.TRUST:
                message = f"{quoted(value.text)}: they can also tag the session and set its source identity"
            case DocumentKind.IDENTITY if text in EVERYTHING:
                message = "every action on everything"
            case DocumentKind.IDENTITY:
                message = f"every action of {service} on everything"
        subject.add(Rule.ALLOW_EVERYTHING, value.place, message)
