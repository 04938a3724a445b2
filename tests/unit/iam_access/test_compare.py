"""The table of comparisons, each way round."""

import re
from typing import Any

import pytest

from ecr_warden.core.ecr import ECR
from iam_access.compare import Relation, Witness, compare
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.evaluate.request import parse_request
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.statement_match import Allowed, document_decision
from tests.unit.iam_access.comparisons import COMPARISONS, MIRRORED, comparison, document
from tests.unit.iam_access.tables import Case, cases, name_of


@pytest.mark.parametrize("case", COMPARISONS, ids=name_of)
def test_a_comparison_and_its_witnesses_each_allowed_by_one_document_alone(case: Case) -> None:
    found = comparison(case)
    assert found.relation == case["relation"], found
    assert found.undecided == ()
    for name, witnesses in (("gained", found.gained), ("lost", found.lost)):
        if name in case:
            assert [witness.group for witness in witnesses] == case[name]
    live, desired = document(case, "live"), document(case, "desired")

    def tried(witness: Witness) -> tuple[bool, bool]:
        kind = DocumentKind(case["kind"])
        verdicts = [document_decision(one, witness.request, kind=kind) for one in (live, desired)]
        return isinstance(verdicts[0], Allowed), isinstance(verdicts[1], Allowed)

    assert all(tried(witness) == (True, False) for witness in found.gained)
    assert all(tried(witness) == (False, True) for witness in found.lost)
    assert bool(found.gained) == (found.relation in (Relation.MORE, Relation.DIFFERENT))
    assert bool(found.lost) == (found.relation in (Relation.LESS, Relation.DIFFERENT))
    for witness in () if case["name"] in _OF_NO_ARN else (*found.gained, *found.lost):
        asked = witness.request
        parse_request("*", asked.action, asked.resource, asked.context, asked.resource_account)


@pytest.mark.parametrize("case", COMPARISONS, ids=name_of)
def test_the_other_way_round(case: Case) -> None:
    relation = Relation(case["relation"])
    assert comparison(case, mirrored=True).relation is MIRRORED.get(relation, relation)


def _beside(case: Case, condition: Any) -> tuple[Document, Document]:
    """What allows one action and, under the condition, allows another or denies it; and what it is compared with."""
    allow = {"Action": "ecr:A"} | ({"Principal": case["principal"]} if "principal" in case else {})
    more = allow | {"Action": "ecr:A" if case["effect"] == "Deny" else "ecr:B", "Effect": case["effect"]}
    desired = [allow, more | {"Condition": case["against"]}] if "against" in case else [allow]
    made = {"kind": case["kind"], "live": [allow, more | {"Condition": condition}], "desired": desired}
    return document(made, "live"), document(made, "desired")


@pytest.mark.parametrize("case", cases("comparison_doubt"), ids=name_of)
def test_what_aws_may_read_differently_is_undecided(case: Case) -> None:
    live, desired = _beside(case, case["condition"])
    kind = DocumentKind(case["kind"])
    assert compare(live, live, service=ECR, kind=kind).relation is Relation.EQUAL
    for found in (compare(live, desired, service=ECR, kind=kind), compare(desired, live, service=ECR, kind=kind)):
        assert found.relation is Relation.UNDECIDED
        assert found.undecided != ()


@pytest.mark.parametrize("case", cases("comparison_doubt"), ids=name_of)
def test_the_same_in_a_form_that_aws_documents_is_decided(case: Case) -> None:
    live, desired = _beside(case, case["readable"])
    assert compare(live, desired, service=ECR, kind=DocumentKind(case["kind"])).relation == case["documented"]


OWN = {"Effect": "Allow", "Resource": "*"}
NAMED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "everything instead of ECR": (
        OWN | {"Action": "*"},
        OWN | {"Action": "ecr:*"},
        "iam:CreateUser",
        "arn:aws:iam::222222222222:user/any",
    ),
    "a service of which no names are known": (
        OWN | {"Action": "dynamodb:*"},
        OWN | {"Action": "dynamodb:GetItem"},
        "dynamodb:x",
        "arn:aws:dynamodb:eu-central-1:222222222222:any/any",
    ),
    "an action as the document writes it": (
        OWN | {"Action": ["s3:GetObject", "s3:PutObject"]},
        OWN | {"Action": "s3:GetObject"},
        "s3:PutObject",
        "arn:aws:s3:::any/any",
    ),
    "everything but what is elsewhere": (
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::c/*"},
        "s3:GetObject",
        "arn:aws:s3:::any/any",
    ),
    "a name in which braces stand": (
        OWN | {"Action": ["a{:x", "ecr:PutImage"]},
        OWN | {"Action": "ecr:PutImage"},
        "a{:x",
        "arn:aws:a{:eu-central-1:222222222222:any/any",
    ),
    "what has no repository": (
        OWN | {"Action": "ecr:Describe?egistry"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:*"},
        "ecr:DescribeRegistry",
        "*",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_an_example_has_names_that_say_something(name: str) -> None:
    live, desired, action, resource = NAMED[name]
    documents = [parse_document({"Version": "2012-10-17", "Statement": one}) for one in (live, desired)]
    gained = compare(*documents, service=ECR, kind=DocumentKind.IDENTITY, account="222222222222").gained
    assert (action, resource) in [(one.request.action, one.request.resource) for one in gained]


_OF_NO_ARN = {
    "an ARN that lacks parts is no more than that in a repository policy",
    "a service may be asked about a resource that is not an ARN",
}


REPOSITORY = "arn:aws:ecr:eu-central-1:222222222222:repository"
EXISTING: dict[str, tuple[DocumentKind, list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "a repository has no colon in its name": (
        DocumentKind.IDENTITY,
        [{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": f"{REPOSITORY}/*"}],
        [{"Effect": "Allow", "Action": "ecr:PutImage", "NotResource": [f"{REPOSITORY}/?", "arn:aws:ecr:*/x*"]}],
        r"arn:aws:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+",
    ),
    "a role is assumed by a user and not by the root user": (
        DocumentKind.TRUST,
        [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
        [{"Effect": "Deny", "Principal": "*", "Action": "*"}],
        r"\*",
    ),
}


@pytest.mark.parametrize("name", EXISTING)
def test_an_example_is_a_request_that_can_exist(name: str) -> None:
    kind, live, desired, resource = EXISTING[name]
    documents = [parse_document({"Version": "2012-10-17", "Statement": one}) for one in (live, desired)]
    gained = compare(*documents, service=ECR, kind=kind, account="222222222222").gained
    assert gained != ()
    for witness in gained:
        assert re.fullmatch(resource, witness.request.resource), witness
        assert witness.request.principal.kind not in (CallerKind.ROOT, CallerKind.ANONYMOUS), witness


def test_a_request_that_nobody_can_make_is_not_an_example() -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
    roots = trusted | {"Condition": {"StringEquals": {"aws:PrincipalType": "Account"}}}
    none = {"Effect": "Deny", "Principal": "*", "Action": "*"}
    found = compare(*(parse_document({"Statement": one}) for one in (roots, none)), kind=DocumentKind.TRUST)
    assert found.undecided == ("the documents differ only in requests that no one can make",)
