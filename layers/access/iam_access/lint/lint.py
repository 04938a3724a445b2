"""The entry: all rules on one document, and the rules on the document as a whole and on its elements.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
import re
from collections import Counter

from iam_access.delta.service import Service
from iam_access.document.document import (
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    Document,
    policy_size,
)
from iam_access.document.kind import DocumentKind
from iam_access.lint.actions import check_actions, check_broad
from iam_access.lint.conditions import check_conditions, check_resources, check_values
from iam_access.lint.examination import Examination, PlacedStatement, placed_statements, quoted
from iam_access.lint.principals import check_principals
from iam_access.lint.rules import LintFinding, LintRule


def check_elements(examination: Examination) -> None:
    """Report elements that this kind of document must not have, and missing ones."""
    for statement in examination.statements:
        if misspelt := statement.written.misspelt:
            examination.add(
                LintRule.EFFECT_CASE,
                f"{statement.place}.Effect",
                f"{quoted(misspelt)}: AWS only accepts {statement.written.effect}",
            )
        if examination.kind is DocumentKind.IDENTITY:
            _check_identity(examination, statement)
        else:
            _check_resource_policy(examination, statement)


def _check_identity(examination: Examination, statement: PlacedStatement) -> None:
    principals = statement.written.principals
    if principals is not None:
        _unwanted(examination, statement, "NotPrincipal" if principals.negated else "Principal")
    if statement.resources is None:
        _missing(examination, statement, "Resource")


def _check_resource_policy(examination: Examination, statement: PlacedStatement) -> None:
    if statement.resources is not None:
        if examination.kind is DocumentKind.TRUST:
            _unwanted(examination, statement, statement.resources.name)
        elif examination.service is not None:
            examination.add(
                LintRule.RESOURCE_IN_RESOURCE_POLICY,
                statement.resources.place,
                f"{statement.resources.name} in {examination.article}",
            )
    principals = statement.written.principals
    if principals is None:
        _missing(examination, statement, "Principal")
    elif principals.negated and examination.kind is DocumentKind.TRUST:
        _unwanted(examination, statement, "NotPrincipal")
    elif not principals.values:
        element = "NotPrincipal" if principals.negated else "Principal"
        examination.add(LintRule.ELEMENT_MISSING, f"{statement.place}.{element}", f"{element} names nobody")


def _unwanted(examination: Examination, statement: PlacedStatement, element: str) -> None:
    examination.add(
        LintRule.ELEMENT_OF_KIND, f"{statement.place}.{element}", f"{element} in a statement of {examination.article}"
    )


def _missing(examination: Examination, statement: PlacedStatement, element: str) -> None:
    examination.add(
        LintRule.ELEMENT_MISSING, statement.place, f"a statement of {examination.article} without {element}"
    )


# For an identity policy the largest quota: which user, group or role has it is not known here.
_QUOTAS = {
    DocumentKind.TRUST: TRUST_POLICY_QUOTA,
    DocumentKind.IDENTITY: ROLE_INLINE_QUOTA,
}
_SID = re.compile(r"[A-Za-z0-9]*")
# botocore's IAM model: the pattern of policyDocumentType.
_REFUSED = re.compile("[^\t\n\r\x20-\xff]")


def check_whole(examination: Examination) -> None:
    """Report size, Sids and characters."""
    _check_size(examination)
    if examination.kind is DocumentKind.RESOURCE:
        return  # Services take Sids with spaces; whether they want them unique is not known.
    _check_sids(examination)
    if found := _REFUSED.search(json.dumps(json.loads(examination.document.text), ensure_ascii=False)):
        examination.add(LintRule.CHARACTERS, "", f"the character {quoted(found[0])}, which IAM refuses")


def _check_size(examination: Examination) -> None:
    size, quota = policy_size(examination.document), _quota(examination)
    if quota is not None and size > quota:
        examination.add(LintRule.SIZE_OVER, "", f"{size} characters, the limit is {quota}")


def _quota(examination: Examination) -> int | None:
    if examination.kind is DocumentKind.RESOURCE:
        return None if examination.service is None else examination.service.policy_quota
    return _QUOTAS[examination.kind]


def _check_sids(examination: Examination) -> None:
    seen: Counter[str] = Counter()
    for statement in examination.statements:
        sid = statement.written.sid
        if not sid:
            continue
        seen[sid] += 1
        if seen[sid] > 1:
            examination.add(
                LintRule.SID_REPEATED, f"{statement.place}.Sid", f"another statement has the Sid {quoted(sid)}"
            )
        if not _SID.fullmatch(sid):
            examination.add(
                LintRule.SID_CHARACTERS, f"{statement.place}.Sid", f"{quoted(sid)}: IAM only accepts letters and digits"
            )


_CHECKS = (
    *(check_whole, check_elements, check_principals, check_actions, check_broad, check_resources),
    *(check_conditions, check_values),
)


def lint(document: Document, kind: DocumentKind, service: Service | None = None) -> tuple[LintFinding, ...]:
    """Everything that is wrong with a document of this kind, in the order of its statements.

    `service`: whose resource policy it is, or what it is about. Never raises.
    """
    examination = Examination(document, kind, service, placed_statements(document))
    for check in _CHECKS:
        check(examination)
    order = {statement.place: index for index, statement in enumerate(examination.statements)}
    return tuple(sorted(examination.found, key=lambda finding: order.get(finding.place.partition(".")[0], -1)))
