"""What is wrong with a document, by the table; sizes, kinds, and AWS's own managed policies."""

import json
from collections import Counter

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from ecr_warden.core.ecr import ECR
from iam_access.document.document import Document, parse_document, policy_size
from iam_access.document.kind import DocumentKind
from iam_access.lint import LintFinding, LintRule, lint
from tests.unit.iam_access.tables import Case, cases, document, kind, name_of

CASES = cases("lint")
TESTED_BELOW = {"size-over"}
BY_CODE = {rule.code: rule for rule in LintRule}


def findings(case: Case) -> tuple[LintFinding, ...]:
    wanted = kind(case)
    assert wanted is not None
    return lint(document(case, "document", "statement"), wanted, ECR)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_findings(case: Case) -> None:
    found = findings(case)
    assert sorted(f"{finding.code} {finding.place}" for finding in found) == sorted(case["finds"])
    assert all(finding.message and finding.message.isprintable() and finding.remedy for finding in found)
    if "says" in case:
        assert case["says"] in {finding.message for finding in found}


def test_every_code_has_a_case() -> None:
    covered = {line.partition(" ")[0] for case in CASES for line in case["finds"]}
    assert covered | TESTED_BELOW == set(BY_CODE)


def test_codes_are_unique() -> None:
    assert len(BY_CODE) == len(LintRule.__members__)


def of_size(wanted: int, element: str) -> Document:
    raw = {"Version": "2012-10-17", "Id": "", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", element: "*"}}
    missing = wanted - policy_size(parse_document(raw))
    return parse_document(raw | {"Id": "x" * missing})


@pytest.mark.parametrize(
    ("of", "size", "code"),
    [
        (DocumentKind.TRUST, 2048, None),
        (DocumentKind.TRUST, 2049, "size-over"),
        (DocumentKind.RESOURCE, 10240, None),
        (DocumentKind.RESOURCE, 10241, "size-over"),
        (DocumentKind.IDENTITY, 2049, None),
        (DocumentKind.IDENTITY, 10241, "size-over"),
    ],
)
def test_sizes(of: DocumentKind, size: int, code: str | None) -> None:
    found = lint(of_size(size, "Resource" if of is DocumentKind.IDENTITY else "Principal"), of, ECR)
    sizes = [finding.code for finding in found if finding.code.startswith("size-")]
    assert sizes == ([] if code is None else [code])


# Counted in moto 5.2.5, whose policies are younger than the catalogue: what AWS itself writes is seldom wrong.
# The login on named resources is a mistake of AWS's (SageMakerStudioProjectProvisioningRolePolicy).
MANAGED = {
    LintRule.KEY_UNKNOWN: 3,
    LintRule.ACTION_NEEDS_ANY_RESOURCE: 1,
    LintRule.ALLOW_EVERYTHING: 3,
    LintRule.ALLOW_NOT_ACTION: 2,
    LintRule.FOR_ALL_VALUES: 146,
}


@pytest.mark.thorough
def test_managed_policies_of_aws_are_nearly_without_findings() -> None:
    policies = json.loads(aws_managed_policies_data)
    assert len(policies) > 1500
    counts: Counter[LintRule] = Counter()
    for policy in policies.values():
        found = lint(parse_document(policy["Document"]), DocumentKind.IDENTITY, ECR)
        counts.update(finding.rule for finding in found)
    assert {rule: count for rule, count in counts.items() if rule is not LintRule.SIZE_OVER} == MANAGED
