"""The table of what AWS reads as the same document."""

import json

import pytest
from ecr_warden.policy.canonical import canonical, digest, has_account_ids
from ecr_warden.policy.document import parse_document
from ecr_warden.policy.equivalence import Equivalent, NotEquivalent, equivalent

from tests.unit.policy.tables import Case, cases, document, kind, name_of


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_equivalence(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    answer = equivalent(a, b, kind=kind(case))
    assert isinstance(answer, Equivalent) is case["equivalent"], answer
    assert isinstance(equivalent(b, a, kind=kind(case)), Equivalent) is case["equivalent"]
    match answer:
        case NotEquivalent(reason):
            assert reason
            assert reason == case.get("reason", reason)
        case Equivalent():
            assert "reason" not in case


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_digests_are_equal_exactly_for_equal_canonical_forms(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    same = canonical(a, kind=kind(case)) == canonical(b, kind=kind(case))
    assert (digest(a, kind=kind(case)) == digest(b, kind=kind(case))) is same
    if not (has_account_ids(a) or has_account_ids(b)):
        assert same is case["equivalent"]


def test_the_digest_of_a_document_never_changes() -> None:
    """The digest is stored: another value for an old document would look like a change of every document."""
    document = parse_document(
        '{"Version":"2012-10-17","Statement":[{"Sid":"AllowPull","Effect":"Allow","Principal":{"AWS":"111111111111"},'
        '"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"],"Condition":{"Bool":{"aws:SecureTransport":true}}}]}'
    )
    assert digest(document) == "b3ca94a83b2be46b3beb32070e7d4f167dcfa026e7a5f9e845138e565d81fae1"


def test_a_digest_reads_account_ids_in_the_partition_of_the_document() -> None:
    user = "arn:aws-cn:iam::111111111111:user/a"
    digests = {
        digest(
            parse_document({"Statement": {"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": [user, account]}}})
        )
        for account in ("222222222222", "arn:aws-cn:iam::222222222222:root")
    }
    assert len(digests) == 1


def test_a_reason_is_harmless_to_print() -> None:
    documents = [
        parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": resource}})
        for resource in ("\u202e" + "x" * 5000, "y")
    ]
    answer = equivalent(*documents)
    assert isinstance(answer, NotEquivalent)
    assert answer.reason.isascii()
    assert len(answer.reason) < 200


def test_a_thousand_statements_are_compared_in_bounded_time() -> None:
    statements = [{"Effect": "Allow", "Action": f"ecr:Do{index}", "Resource": "*"} for index in range(1000)]
    other = json.loads(json.dumps([*statements[:-1], {**statements[-1], "Action": "ecr:Else"}]))
    answer = equivalent(parse_document({"Statement": statements}), parse_document({"Statement": other}))
    assert isinstance(answer, NotEquivalent)
    assert answer.reason == "statement 1000: action ecr:do999 only in the first"
