"""Random requests and policies over a universe small enough to collide."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st

REPOSITORY = "arn:aws:ecr:eu-central-1:222222222222:repository/dev/app"
ROLE = "arn:aws:iam::222222222222:role/team/pusher"
PRINCIPALS = (
    "arn:aws:iam::222222222222:user/dev",
    "arn:aws:iam::111111111111:user/dev",
    "arn:aws:sts::222222222222:assumed-role/pusher/ci",
    "arn:aws:sts::111111111111:assumed-role/pusher/ci",
    "arn:aws:iam::222222222222:root",
    "lambda.amazonaws.com",
    "*",
)
NAMED = (
    *PRINCIPALS[:5],
    "*",
    "111111111111",
    "222222222222",
    ROLE,
    "arn:aws:iam::111111111111:role/pusher",
    "AIDAQHBJ5XEXAMPLE0001",
)
ACTIONS = ("ecr:PutImage", "ecr:BatchGetImage", "sts:AssumeRole")
ACTION_PATTERNS = ("*", "ecr:*", "ECR:putimage", "ecr:?utImage", "*Image", "sts:AssumeRole", "s*:*")
RESOURCE_PATTERNS = ("*", REPOSITORY, ROLE, "arn:aws:ecr:*", "*:repository/${aws:username}/*", "arn:aws:iam::*:role/*")
KEYS = ("k", "aws:username", "aws:PrincipalAccount", "AWS:PrincipalArn")
VALUES = ("a", "b", "a*", "true", "false", "5", "40", "", "dev", "222222222222", "${aws:username}", True, 5)
GIVEN = ("a", "ab", "b", "true", "false", "4", "5", "", "dev")
OPERATORS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "Bool", "NumericLessThan")


def some(values: tuple[Any, ...], most: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most)


def scalars(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | some(values)


def operators() -> st.SearchStrategy[str]:
    return st.sampled_from(("Null", "Null", "ForAllValues:Null", "ForAnyValue:Null")) | st.builds(
        lambda quantifier, name, suffix: quantifier + name + suffix,
        st.sampled_from(("", "", "ForAllValues:", "ForAnyValue:")),
        st.sampled_from(OPERATORS),
        st.sampled_from(("", "", "IfExists")),
    )


def contexts() -> st.SearchStrategy[dict[str, Any]]:
    values = st.sampled_from(GIVEN) | st.lists(st.sampled_from(GIVEN), max_size=3)
    return st.dictionaries(st.sampled_from(("K", "aws:UserName")), values, max_size=2)


@st.composite
def statements(draw: st.DrawFn, *, principals: bool) -> dict[str, Any]:
    """One statement, often wide, so that verdicts other than an implicit deny are common."""
    made: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    if principals:
        named = st.fixed_dictionaries({"AWS": scalars(NAMED)}, optional={"Service": scalars(PRINCIPALS[5:6])})
        made[draw(st.sampled_from(("Principal", "Principal", "Principal", "NotPrincipal")))] = draw(
            st.just("*") | named
        )
    made[draw(st.sampled_from(("Action", "Action", "NotAction")))] = draw(scalars(ACTION_PATTERNS))
    if not principals or draw(st.booleans()):
        made[draw(st.sampled_from(("Resource", "Resource", "NotResource")))] = draw(scalars(RESOURCE_PATTERNS))
    if draw(st.integers(0, 3)) == 3:
        block = st.dictionaries(st.sampled_from(KEYS), scalars(VALUES), min_size=1, max_size=2)
        made["Condition"] = draw(st.dictionaries(operators(), block, min_size=1, max_size=2))
    return made


@st.composite
def documents(draw: st.DrawFn, *, principals: bool) -> dict[str, Any]:
    """A document of one to three statements."""
    given = draw(st.lists(statements(principals=principals), min_size=1, max_size=3))
    return {"Version": draw(st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17"))), "Statement": given}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request on the repository or the role."""
    action = draw(st.sampled_from(ACTIONS))
    resource = ROLE if action.startswith("sts") else REPOSITORY
    return {
        "principal": draw(st.sampled_from(PRINCIPALS)),
        "action": action,
        "resource": resource,
        "context": draw(contexts()),
    }


def all_requests(context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everybody's request for every action, in one context."""
    for principal, action in product(PRINCIPALS, ACTIONS):
        resource = ROLE if action.startswith("sts") else REPOSITORY
        yield {"principal": principal, "action": action, "resource": resource, "context": context}


def policies() -> st.SearchStrategy[dict[str, Any]]:
    """Policies of every kind, each of which may be missing."""
    mine, theirs = documents(principals=False), documents(principals=True)
    full = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    allowing = st.just(full) | mine
    return st.fixed_dictionaries(
        {},
        optional={
            "identity": st.lists(allowing, max_size=2),
            "resource": theirs,
            "trust": theirs,
            "boundary": allowing,
            "session": allowing,
            "scp": st.lists(st.lists(allowing, max_size=2), max_size=2),
            "rcp": st.lists(st.lists(st.just(full), min_size=1, max_size=1).flatmap(_and_more), max_size=2),
        },
    )


def _and_more(level: list[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(documents(principals=True), max_size=1).map(lambda more: level + more)
