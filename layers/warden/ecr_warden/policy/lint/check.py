"""All rules on one document."""

from datetime import datetime

from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.lint.actions import check_actions
from ecr_warden.policy.lint.broad import check_broad
from ecr_warden.policy.lint.conditions import check_conditions
from ecr_warden.policy.lint.elements import check_elements
from ecr_warden.policy.lint.principals import check_principals
from ecr_warden.policy.lint.redundant import check_redundant
from ecr_warden.policy.lint.resources import check_resources
from ecr_warden.policy.lint.rules import Finding
from ecr_warden.policy.lint.subject import Subject, parts_of
from ecr_warden.policy.lint.values import check_values
from ecr_warden.policy.lint.whole import check_whole

_CHECKS = (
    *(check_whole, check_elements, check_principals, check_actions, check_broad, check_resources),
    *(check_conditions, check_values, check_redundant),
)


def lint(document: Document, kind: DocumentKind, *, now: datetime | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong with a document of this kind, in the order of its text as far as rules have one.

    `now` decides which ends are past; without it none is. Never raises. Source: the IAM and ECR user guides, rule by
    rule in docs/policy-lint.md.
    """
    subject = Subject(document, kind, now, parts_of(document))
    for check in _CHECKS:
        check(subject)
    order = {part.place: index for index, part in enumerate(subject.parts)}
    return tuple(sorted(subject.found, key=lambda finding: order.get(finding.place.partition(".")[0], -1)))
