"""Lint never raises, and says the same of a document in another order."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.ecr import ECR
from iam_access.document.document import DocumentError, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.lint import LintFinding, LintRule, lint
from tests import examples
from tests.property.policy_documents import documents
from tests.property.test_policy_documents import JSON

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KINDS = st.sampled_from(DocumentKind)
TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        *("*", "?", "**", "ecr:*", "*:*", "sts:AssumeRole", "ecr:GetAuthorizationToken", "iam:?*", ":", "arn:", "${"),
        *("arn:aws:iam::111111111111:root", "arn:aws:ecr:*:1:repository/x", "111111111111", "AIDAQHBJ5XEXAMPLE0001"),
        *(
            "${aws:username}",
            "${",
            "${*}",
            "2026-01-01",
            "9" * 30,
            "192.0.2.0/24",
            "true",
            "o-1",
            "lambda.amazonaws.com",
        ),
    ]
)
SOME = TEXTS | st.lists(TEXTS, max_size=4)
CONDITION = st.dictionaries(
    st.sampled_from(
        [
            *(
                "StringEquals",
                "StringNotLike",
                "ForAllValues:StringLike",
                "NullIfExists",
                "Null",
                "Bool",
                "DateLessThan",
            ),
            *("ArnLike", "IpAddressIfExists", "BinaryEquals", "NumericLessThanEquals", "ForAnyValue:ArnNotEquals"),
        ]
    ),
    st.dictionaries(
        TEXTS | st.sampled_from(["aws:SourceArn", "aws:PrincipalOrgID", "aws:CurrentTime", "aws:ResourceTag/a"]),
        SOME | st.booleans() | st.integers(),
        max_size=2,
    ),
    max_size=3,
)
PRINCIPAL = st.just("*") | st.dictionaries(
    st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]), SOME, max_size=3
)
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": SOME},
    optional={"Sid": TEXTS, "Resource": SOME, "Principal": PRINCIPAL, "Condition": CONDITION},
)


def places_exist(raw: dict[str, Any], findings: tuple[LintFinding, ...]) -> bool:
    """Does every place begin with one that the document has?"""
    statements: Any = raw["Statement"]
    known = {"", "Id"}
    known |= {"Statement"} if isinstance(statements, dict) else {f"Statement[{n}]" for n in range(len(statements))}
    return all(finding.place.partition(".")[0] in known for finding in findings)


@given(JSON | st.fixed_dictionaries({"Statement": STATEMENT | st.lists(STATEMENT, max_size=4)}), KINDS)
@examples.of(100, 250)
def test_whatever_parses_is_examined(raw: Any, kind: DocumentKind) -> None:
    try:
        document = parse_document(json.dumps(raw))
    except DocumentError:
        return
    findings = lint(document, kind, ECR, now=NOW)
    assert findings == lint(document, kind, ECR, now=NOW)
    assert all(finding.message.isprintable() for finding in findings)
    assert places_exist(raw, findings)


@pytest.mark.thorough
def test_some_of_it_is_linted_and_has_findings() -> None:
    def answer(raw: dict[str, Any], kind: DocumentKind) -> list[str]:
        try:
            document = parse_document(raw)
        except DocumentError:
            return ["no document"]
        return ["found" if lint(document, kind, ECR, now=NOW) else "fine"]

    whole = st.fixed_dictionaries({"Statement": STATEMENT | st.lists(STATEMENT, max_size=4)})
    seen = examples.seen(200, whole | documents(), KINDS, by=answer)
    assert seen["found"] > 40, seen
    assert seen["no document"] > 20, seen


@given(
    documents() | st.fixed_dictionaries({"Statement": st.lists(STATEMENT, min_size=1, max_size=4)}), KINDS, st.data()
)
@examples.of(60, 150)
def test_order_changes_no_finding(raw: dict[str, Any], kind: DocumentKind, data: st.DataObject) -> None:
    try:
        document = parse_document(raw)
    except DocumentError:
        return
    chance = data.draw(st.randoms(use_true_random=False))
    codes = Counter(finding.rule for finding in lint(document, kind, ECR, now=NOW))
    assert codes == Counter(finding.rule for finding in lint(parse_document(shuffled(raw, chance)), kind, ECR, now=NOW))


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with its keys and lists in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], chance) for key in chance.sample(list(value), len(value))}
    if isinstance(value, list):
        return [shuffled(entry, chance) for entry in chance.sample(value, len(value))]
    return value


@given(documents(), KINDS)
def test_a_finding_follows_the_catalogue(raw: dict[str, Any], kind: DocumentKind) -> None:
    assert {finding.rule for finding in lint(parse_document(raw), kind, ECR)} <= set(LintRule)
