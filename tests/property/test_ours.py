"""Who is outside, against an oracle that enumerates requesters who are not ours and asks the evaluator about each."""

import json
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, parse_document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.statement_match import Allowed
from iam_access.who_can.ours import Ours, Owner, outsiders
from tests import examples
from tests.unit.iam_access.evaluations import requested

type Json = dict[str, Any]
type Context = dict[str, str | None]

CI, HOME, OTHER = "111111111111", "222222222222", "999999999999"
OURS_ORG, OTHER_ORG = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
GITHUB = "token.actions.githubusercontent.com"
PROVIDER, SAML = f"arn:aws:iam::{HOME}:oidc-provider/{GITHUB}", f"arn:aws:iam::{HOME}:saml-provider/idp"
OURS = Ours(
    frozenset({CI, HOME}),
    frozenset({OURS_ORG}),
    frozenset({Owner(GITHUB, "repo:acme", "1"), Owner(GITHUB, "repo:legacy")}),
)
REPOSITORY, ROLE = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/a", f"arn:aws:iam::{HOME}:role/deploy"
EVERYTHING = parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})

PEOPLE = (
    f"arn:aws:iam::{OTHER}:user/eve",
    # IAM allows colons in a path.
    f"arn:aws:iam::{OTHER}:user/:iam::{CI}:role/x",
    f"arn:aws:sts::{OTHER}:assumed-role/r/{CI}",
    f"arn:aws:sts::{OTHER}:federated-user/{CI}",
    f"arn:aws:iam::{OTHER}:root",
    "*",
)
SOURCES: tuple[Context, ...] = (
    {},
    {"aws:SourceAccount": OTHER},
    {"aws:SourceAccount": OTHER, "aws:SourceArn": f"arn:aws:lambda:eu-central-1:{OTHER}:function:{HOME}:function:x"},
    {"aws:SourceArn": f"arn:aws:lambda:eu-central-1:{OTHER}:function:arn:aws:lambda:eu-central-1:{HOME}:function:x"},
    {"aws:SourceArn": "arn:aws:s3:::bucket"},
    {"aws:SourceAccount": OTHER, "aws:SourceOrgID": OTHER_ORG},
)
TAKEN_OVER = "repo:acme/app:ref:refs/heads/main"
"""Of whoever has our owner's name after it, with a repository that is old enough for a subject without IDs."""
# Of owners that are not ours: by name, by ID, by both forms at once, and with a subject of their own making.
TOKENS: tuple[Context, ...] = tuple(
    {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": subject, f"{GITHUB}:repository_id": repository}
    for repository in ("8", "9")
    for subject in (
        "repo:evil/app:ref:refs/heads/main",
        "repo:evil@9/app@8:ref:refs/heads/main",
        "repo:acme@9/app@8:ref:refs/heads/main",
        TAKEN_OVER,
        "repo:legacyx/app:ref:refs/heads/main",
        *(
            f"repo:evil@9/a@8:job_workflow_ref:evil/a/x@refs/heads/@1/b@{named}:ref:refs/heads/main"
            for named in ("2", "8")
        ),
    )
)
FREE: tuple[Context, ...] = (
    {},
    {"aws:SourceIp": "10.0.0.1", "sts:ExternalId": CI, "aws:PrincipalTag/a": CI},
    {"aws:PrincipalTag/a": OTHER, "aws:PrincipalOrgID": OTHER_ORG, "aws:PrincipalOrgPaths": f"{OTHER_ORG}/r-1/"},
)
"""What else a request may carry, or not."""


def requests_of(kind: str) -> Iterator[tuple[str, str, Context]]:
    """Who is not ours, how they ask, and with which keys.

    Services take roles of their own account alone, so none asks for another one's.
    """
    for who in PEOPLE:
        yield from ((who, "ecr:BatchGetImage" if kind == "repository" else "sts:AssumeRole", free) for free in FREE)
    if kind == "repository":
        for source in SOURCES:
            yield from (("lambda.amazonaws.com", "ecr:BatchGetImage", source | free) for free in FREE[:2])
        return
    for token in TOKENS:
        yield PROVIDER, "sts:AssumeRoleWithWebIdentity", token
        yield "cognito-identity.amazonaws.com", "sts:AssumeRoleWithWebIdentity", token
    yield SAML, "sts:AssumeRoleWithSAML", {"SAML:aud": "x", "SAML:sub": "anna"}


def let_in(document: Document, kind: str) -> list[str]:
    """Everybody of those whom the document lets in, by the evaluator; slow and plain."""
    found = []
    for who, action, context in requests_of(kind):
        resource = REPOSITORY if kind == "repository" else ROLE
        request = requested(who, action, resource, context, HOME)
        attached = Policies(resource=document) if kind == "repository" else Policies(trust=document)
        policies = Policies(identity=(EVERYTHING,), session=EVERYTHING if "federated-user" in who else None)
        asked = Policies(policies.identity, attached.resource, attached.trust, session=policies.session)
        if isinstance(evaluate(request, asked), Allowed):
            found.append(f"{who} {context}")
    return found


def outsiders_in(statement: Json, kind: str) -> list[str]:
    """Everybody whom the statement lets in; not who has our owner's name, where a grant by its ID has the name too."""
    document = parse_document(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    clauses = [clause for block in statement["Condition"].values() for clause in block.items()]
    subjects = {value for key, values in clauses if key == f"{GITHUB}:sub" for value in values}
    is_by_id = any(key == f"{GITHUB}:repository_id" for key, _ in clauses)
    is_ours = is_by_id and any(one.startswith("repo:acme@1/") for one in subjects)
    return [who for who in let_in(document, kind) if not (is_ours and TAKEN_OVER in who)]


PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": CI},
    {"AWS": [f"arn:aws:iam::{CI}:user/anna", f"arn:aws:sts::{CI}:assumed-role/r/s"]},
    {"AWS": OTHER},
    {"AWS": PEOPLE[1]},
    {"AWS": PEOPLE[3]},
    {"AWS": "AROAQHBJ5XEXAMPLE00001"},
    {"Service": "lambda.amazonaws.com"},
    {"Federated": PROVIDER},
    {"Federated": SAML},
    {"Federated": "cognito-identity.amazonaws.com"},
    {"AWS": CI, "Service": "lambda.amazonaws.com"},
)
_BASES = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotLike", "ArnLike")
OPERATORS = (
    *_BASES,
    *("StringEqualsIfExists", "ArnLikeIfExists", "ArnEquals", "ArnNotLike", "Null"),
    *("ForAnyValue:StringEquals", "ForAnyValue:StringLike", "ForAllValues:StringLike", "ForAnyValue:ArnLike"),
)
NAMES: dict[str, tuple[str, ...]] = {
    "aws:PrincipalAccount": (CI, OTHER, "1*", "9*", "?99999999999", "*", "${aws:PrincipalTag/a}"),
    "aws:PrincipalArn": (
        *(f"arn:aws:iam::{CI}:*", f"arn:*:iam::{CI}:*", f"arn:aws:iam::*:role/{CI}", "arn:aws:iam::?99999999999:*"),
        *(f"arn:aws:iam::{CI}:role/x", f"arn:aws:iam::{OTHER}:user/eve", "*", f"*:iam::{CI}:role/x"),
        "arn:aws:iam::${aws:PrincipalTag/a}:*",
    ),
    "aws:PrincipalOrgID": (OURS_ORG, OTHER_ORG, "o-*", "*"),
    "aws:PrincipalOrgPaths": (f"{OURS_ORG}/*", f"{OURS_ORG}*", "o-*/*", "*"),
    "aws:SourceAccount": (HOME, OTHER, "9*", "*"),
    "aws:SourceArn": (
        *(f"arn:aws:lambda:eu-central-1:{HOME}:function:*", f"arn:aws:lambda:*:{HOME}:function:*", "arn:aws:s3:::*"),
        *(f"arn:aws:lambda:eu-central-1:{OTHER}:*", "*", f"*{HOME}*"),
    ),
    "aws:SourceIp": ("10.0.0.0/8", "*"),
    "sts:ExternalId": (CI,),
    f"{GITHUB}:sub": (
        *("repo:legacy/app:*", "repo:legacy@*/app@*:*", "repo:legacy*", "repo:evil/app:*", "repo:*", "*"),
        *("repo:acme/app:*", "repo:acme@1/app@2:*", "repo:acme@*/app@*:*", "repo:acme@?/app@*:*", "repo:*@1/*@2:*"),
        *("repo:*@1/*@*:*", "repo:*@9/*@*:*", "repo:*@9/*@8:*", "repo:acme@9*/*"),
        *("repo:acme@1/*@2:*", "repo:acme@1/*@8:*", "repo:acme@1/*@*:*", "repo:*acme@1/*@8:*", "repo:*@1/*@8:*"),
    ),
    f"{GITHUB}:repository_id": ("2", "8"),
    "SAML:sub": ("anna",),
}
CLAUSES = st.sampled_from(list(NAMES)).flatmap(
    lambda key: st.tuples(
        st.sampled_from(OPERATORS[:3] if key in ("aws:SourceIp", "sts:ExternalId") else OPERATORS),
        st.just(key),
        st.lists(st.sampled_from(NAMES[key]), min_size=1, max_size=2, unique=True),
    )
)


@st.composite
def statements(draw: st.DrawFn, kind: str) -> Json:
    condition: dict[str, Json] = {}
    for operator, key, values in draw(st.lists(CLAUSES, max_size=3)):
        condition.setdefault(operator, {})[key] = "true" if operator == "Null" else values
    element = draw(st.sampled_from(["Principal"] * 9 + ["NotPrincipal"]))
    action = "ecr:BatchGetImage" if kind == "repository" else "sts:*"
    named = {element: draw(st.sampled_from(PRINCIPALS))}
    return {"Effect": "Allow", **named, "Action": action, "Condition": condition}


def outside(document: Document) -> bool:
    given = gained_and_lost(None, document).gained
    return any(outsiders(one, OURS, home=HOME) for one in given)


def test_nobody_outside_is_let_in_where_nobody_is_said_to_be() -> None:
    inside = 0

    @examples.of(400, 800)
    @given(st.sampled_from(["repository", "trust"]).flatmap(lambda kind: st.tuples(st.just(kind), statements(kind))))
    def draw(drawn: tuple[str, Json]) -> None:
        nonlocal inside
        kind, statement = drawn
        document = parse_document(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        if not outside(document):
            inside += 1
            assert outsiders_in(statement, kind) == []

    draw()
    assert inside > examples.number(400, 800) // 8


def single_conditions() -> Iterator[tuple[str, Any, Json]]:
    """Every condition by itself on whom it may keep out, and every pair of subjects, for one repository and for any."""
    for key, values in NAMES.items():
        who: Any = {"Service": "lambda.amazonaws.com"} if key.startswith("aws:Source") else "*"
        if key.startswith("aws:"):
            for operator, value in product(OPERATORS, values):
                yield "repository", who, {operator: {key: "true" if operator == "Null" else value}}
    subject, repository = f"{GITHUB}:sub", f"{GITHUB}:repository_id"
    for operator, pair, ids in product(OPERATORS[:5], combinations(NAMES[subject], 2), ([], ["2"], ["8"], ["2", "8"])):
        condition: Json = {operator: {subject: list(pair)}}
        if ids:
            condition.setdefault("StringEquals", {})[repository] = ids
        yield "trust", {"Federated": PROVIDER}, condition


def test_no_single_condition_shows_more_than_it_keeps_out() -> None:
    inside = tried = 0
    for kind, principal, condition in single_conditions():
        tried += 1
        action = "ecr:BatchGetImage" if kind == "repository" else "sts:*"
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
        document = parse_document({"Version": "2012-10-17", "Statement": statement})
        if not outside(document):
            inside += 1
            assert outsiders_in(statement, kind) == [], statement
    assert inside > tried // 30


def test_the_oracle_lets_everybody_in_somewhere() -> None:
    for kind, principal in (("repository", "*"), ("trust", "*"), ("trust", {"Federated": PROVIDER})):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "*"}
        document = parse_document({"Version": "2012-10-17", "Statement": statement})
        assert len(let_in(document, kind)) > 5
