"""Rules on what a kind of document may hold and needs.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Part, Subject, quoted

ARTICLES = {
    DocumentKind.REPOSITORY: "a repository policy",
    DocumentKind.TRUST: "a trust policy",
    DocumentKind.IDENTITY: "an identity policy",
}


def check_elements(subject: Subject) -> None:
    """Report elements that do not belong there, and those that are missing."""
    identity = subject.kind is DocumentKind.IDENTITY
    if identity and subject.document.id is not None:
        subject.add(Rule.ID_IN_IDENTITY_POLICY, "Id")
    for part in subject.parts:
        if misspelt := part.statement.misspelt:
            message = f"{quoted(misspelt)}: AWS takes {part.statement.effect} in this case only"
            subject.add(Rule.EFFECT_CASE, f"{part.place}.Effect", message)
        if identity:
            _check_identity(subject, part)
        else:
            _check_resource_policy(subject, part)


def _check_identity(subject: Subject, part: Part) -> None:
    given = part.statement.principals
    if given is not None:
        _unwanted(subject, part, "NotPrincipal" if given.negated else "Principal")
    if part.resources is None:
        _missing(subject, part, "Resource")


def _check_resource_policy(subject: Subject, part: Part) -> None:
    if part.resources is not None:
        if subject.kind is DocumentKind.REPOSITORY:
            message = f"{part.resources.name} in a repository policy"
            subject.add(Rule.RESOURCE_IN_REPOSITORY_POLICY, part.resources.place, message)
        else:
            _unwanted(subject, part, part.resources.name)
    given = part.statement.principals
    if given is None:
        _missing(subject, part, "Principal")
    elif given.negated and subject.kind is DocumentKind.TRUST:
        _unwanted(subject, part, "NotPrincipal")
    elif not given.values:
        element = "NotPrincipal" if given.negated else "Principal"
        subject.add(Rule.ELEMENT_MISSING, f"{part.place}.{element}", f"{element} names nobody")


def _unwanted(subject: Subject, part: Part, element: str) -> None:
    message = f"{element} in a statement of {ARTICLES[subject.kind]}"
    subject.add(Rule.ELEMENT_OF_KIND, f"{part.place}.{element}", message)


def _missing(subject: Subject, part: Part, element: str) -> None:
    message = f"a statement of {ARTICLES[subject.kind]} without {element}"
    subject.add(Rule.ELEMENT_MISSING, part.place, message)
