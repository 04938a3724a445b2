"""The verdict on two documents: tables of the same, of interchangeable ones, and of those that only look like it."""

import json
from typing import Any

import pytest

from iam_access.delta.relate import Differs, Interchangeable, Same, relate
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical, digest, equivalent, has_account_ids
from tests.unit.iam_access.tables import Case, cases, document, kind, name_of, tables


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_equivalence(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    assert equivalent(a, b, kind=kind(case)) is equivalent(b, a, kind=kind(case)) is case["equivalent"]
    match relate(a, b, kind=kind(case)):
        case Same():
            assert case["equivalent"] and "reason" not in case
        case Interchangeable(reason) | Differs(reason):
            assert not case["equivalent"] and reason
            assert reason == case.get("reason", reason)


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_digests_are_equal_exactly_for_equal_canonical_forms(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    same = canonical(a, kind=kind(case)) == canonical(b, kind=kind(case))
    assert (digest(a, kind=kind(case)) == digest(b, kind=kind(case))) is same
    if not (has_account_ids(a) or has_account_ids(b)):
        assert same is case["equivalent"]


def test_the_digest_of_a_document_never_changes() -> None:
    """Digests are stored: another value would look like a change of every document."""
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


def test_a_reason_is_escaped_and_bounded() -> None:
    documents = [
        parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": resource}})
        for resource in ("\u202e" + "x" * 5000, "y")
    ]
    verdict = relate(documents[0], documents[1])
    assert isinstance(verdict, Differs)
    assert verdict.reason.isascii()
    assert len(verdict.reason) < 200


def test_a_thousand_statements_are_compared_in_bounded_time() -> None:
    statements = [{"Effect": "Allow", "Action": f"ecr:Do{index}", "Resource": "*"} for index in range(1000)]
    other = json.loads(json.dumps([*statements[:-1], {**statements[-1], "Action": "ecr:Else"}]))
    verdict = relate(parse_document({"Statement": statements}), parse_document({"Statement": other}))
    assert isinstance(verdict, Differs)
    assert verdict.reason == "statement 1000: action ecr:do999 only in the live document"


TABLES = tables("interchangeable")


def related(case: Case) -> set[bool]:
    """Whether the documents differ, asked both ways."""
    one, other = (parse_document({"Version": "2012-10-17", "Statement": case[side]}) for side in ("one", "other"))
    of = kind(case) or DocumentKind.RESOURCE
    return {isinstance(relate(*pair, kind=of), Differs) for pair in ((one, other), (other, one))}


@pytest.mark.parametrize("case", TABLES["interchangeable"], ids=name_of)
def test_either_document_may_replace_the_other(case: Case) -> None:
    assert related(case) == {False}


@pytest.mark.parametrize("case", [*TABLES["equal access"], *TABLES["may hold"]], ids=name_of)
def test_neither_document_may_replace_the_other(case: Case) -> None:
    assert related(case) == {True}


def allow(actions: str | list[str], who: str = "arn:aws:iam::111111111111:user/anna") -> Any:
    return {"Effect": "Allow", "Principal": {"AWS": who}, "Action": actions}


def test_statements_on_many_principals_may_be_split() -> None:
    users = [f"arn:aws:iam::111111111111:user/{n}" for n in range(100)]
    one = [allow(["ecr:A", "ecr:B"], user) for user in users]
    other = [allow(f"ecr:{letter}", user) for user in users for letter in "AB"]
    assert related({"one": one, "other": other}) == {False}
    assert related({"one": one, "other": other[1:]}) == {True}


def until(*times: str, who: str = "*") -> Any:
    return allow("ecr:A", who) | {"Condition": {"DateLessThan": {"aws:CurrentTime": list(times)}}}


EARLY, LATE, LATER = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("desired", "live", "outlasts"),
    [
        (until(EARLY), allow("ecr:A", "*"), True),
        (until(EARLY), until(LATE), True),
        (until(LATE), until(EARLY), False),
        (until(LATE), until(EARLY, who="222222222222"), False),
        (until(LATE), until(EARLY, LATER), True),
        (allow("ecr:A", "*"), until(EARLY), False),
    ],
    ids=["no end", "a later end", "an earlier end", "an earlier one of another", "two ends", "nothing to outlast"],
)
def test_access_outlasts_its_end(desired: Any, live: Any, outlasts: bool) -> None:
    documents = (parse_document({"Version": "2012-10-17", "Statement": one}) for one in (live, desired))
    verdict = relate(*documents, kind=DocumentKind.RESOURCE)
    assert isinstance(verdict, Differs)
    assert verdict.outlasts is outlasts
