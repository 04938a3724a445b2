"""Random documents of each kind in small closed universes, all requests in them, and changes of documents."""

import random
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from hypothesis import strategies as st

from tests.property import iam_requests
from tests.property.policy_oracle import Request

A, B, OUTSIDER = "111111111111", "222222222222", "333333333333"
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": A},
    {"AWS": f"arn:aws:iam::{A}:root"},
    {"AWS": f"arn:aws:iam::{A}:user/a"},
    {"AWS": [f"arn:aws:iam::{A}:user/a", B]},
    {"AWS": f"arn:aws:iam::{B}:role/r"},
    {"AWS": f"arn:aws:sts::{B}:assumed-role/r/s"},
    {"AWS": [f"arn:aws:iam::{B}:role/r", f"arn:aws:iam::{B}:root"]},
    {"Service": "lambda.amazonaws.com"},
    {"Service": ["lambda.amazonaws.com", "codebuild.amazonaws.com"], "AWS": A},
    {"Federated": f"arn:aws:iam::{A}:saml-provider/p"},
)
TRUSTED: tuple[Any, ...] = (
    *PRINCIPALS,
    {"AWS": f"arn:aws:iam::{B}:role/q"},
    {"AWS": [f"arn:aws:sts::{B}:assumed-role/r/s", f"arn:aws:sts::{B}:assumed-role/r/t"]},
    {"Service": "*"},
    {"Federated": "*"},
    {"Federated": ["accounts.google.com", f"arn:aws:iam::{A}:oidc-provider/o"]},
    {"Federated": f"arn:aws:iam::{A}:oidc-provider/o", "AWS": A},
    {"AWS": f"arn:aws:sts::{B}:assumed-role/p/s"},
    {"AWS": f"arn:aws:sts::{A}:federated-user/f"},
    {"AWS": []},
)
PRINCIPAL_ARNS = (
    f"arn:aws:iam::{A}:user/a",
    f"arn:aws:iam::{B}:role/r",
    f"arn:aws:iam::{B}:role/team/p",
    f"arn:aws:iam::{A}:root",
    f"arn:aws:sts::{A}:federated-user/f",
)
CALLERS = (
    f"arn:aws:iam::{A}:user/a",
    f"arn:aws:iam::{A}:user/b",
    f"arn:aws:iam::{B}:role/q",
    f"arn:aws:sts::{B}:assumed-role/r/s",
    f"arn:aws:sts::{B}:assumed-role/r/t",
    f"arn:aws:iam::{OUTSIDER}:user/x",
    f"arn:aws:iam::{A}:root",
    f"arn:aws:iam::{OUTSIDER}:root",
    f"arn:aws:sts::{A}:federated-user/f",
    f"arn:aws:sts::{B}:federated-user/g",
    f"arn:aws:iam::{A}:user/a arn:aws:sts::{A}:federated-user/g",
    f"arn:aws:sts::{B}:assumed-role/p/s",
    "lambda.amazonaws.com",
    "codebuild.amazonaws.com",
    f"arn:aws:iam::{A}:saml-provider/p",
    f"arn:aws:iam::{A}:oidc-provider/o",
    "accounts.google.com",
    "*",
)
HOLDERS = (
    f"arn:aws:iam::{A}:user/a",
    f"arn:aws:iam::{A}:user/bob",
    f"arn:aws:iam::{A}:user/team/shop",
    f"arn:aws:sts::{B}:assumed-role/r/s",
    f"arn:aws:sts::{A}:federated-user/f",
    f"arn:aws:iam::{A}:root",
)
"""On whom an identity policy may hang."""
ACTIONS = (
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:*",
    "ecr:Put*",
    "ECR:*image",
    "*",
    "ecr:?utImage",
    "sts:AssumeRole",
)
ASKED_ACTIONS = (
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:PutLifecyclePolicy",
    "ecr:x",
    "sts:AssumeRole",
    "s3:GetObject",
)
STS_ACTIONS = (
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "sts:AssumeRole*",
    "sts:*",
    "STS:assumerole",
    "*",
)
ASKED_STS_ACTIONS = (*STS_ACTIONS[:5], "sts:AssumeRoot", "sts:x", "ecr:PutImage")
_REPOSITORY = f"arn:aws:ecr:eu-central-1:{B}:repository"
RESOURCES = (
    "*",
    f"{_REPOSITORY}/shop/checkout",
    f"{_REPOSITORY}/shop/*",
    f"{_REPOSITORY}/${{aws:username}}/*",
    f"{_REPOSITORY}/*out",
    f"arn:aws:ecr:*:{B}:repository/shop/?heckout",
    "arn:aws:iam::*",
)
ASKED_RESOURCES = (
    "*",
    f"{_REPOSITORY}/shop/checkout",
    f"{_REPOSITORY}/shop/x",
    f"{_REPOSITORY}/bob/x",
    f"{_REPOSITORY}/out",
    f"arn:aws:iam::{B}:role/r",
)
CLAUSES: tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...] = (
    (
        ("StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "Null"),
        "aws:PrincipalOrgID",
        ("o-1", "o-*", "O-1", "o-2"),
    ),
    (("StringEqualsIgnoreCase", "StringEquals", "StringNotLike"), "AWS:principalOrgId", ("o-1", "o-?")),
    (("Bool", "BoolIfExists", "Null"), "aws:SecureTransport", ("true", "false", True)),
    (
        ("IpAddress", "NotIpAddress", "IpAddressIfExists"),
        "aws:SourceIp",
        ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "192.168.1.1"),
    ),
    (
        ("NumericLessThan", "NumericLessThanEquals", "NumericEquals", "NumericNotEquals"),
        "aws:MultiFactorAuthAge",
        (5, "10", 7),
    ),
    (
        ("DateLessThan", "DateGreaterThan", "DateLessThanEquals"),
        "aws:CurrentTime",
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ),
    (
        (
            "ForAllValues:StringEquals",
            "ForAnyValue:StringEquals",
            "ForAnyValue:StringNotEquals",
            "ForAllValues:StringLike",
            "ForAllValues:Null",
            "ForAnyValue:Null",
            "Null",
        ),
        "aws:TagKeys",
        ("a", "b", "a*", "true"),
    ),
    (
        ("ArnLike", "ArnNotEquals", "StringLike"),
        "aws:SourceArn",
        ("arn:aws:s3:::b", "arn:aws:s3:::*", "*", "arn:aws:*:1:x"),
    ),
    (("StringEquals", "StringNotEquals"), "aws:ResourceTag/owner", ("${aws:username}", "bob")),
)
OF_CALLERS: tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...] = (
    (
        ("ArnEquals", "ArnNotLike", "StringLike", "StringNotEquals"),
        "aws:PrincipalArn",
        (*PRINCIPAL_ARNS, f"arn:aws:iam::{B}:role/*"),
    ),
    (("StringEquals", "StringNotEqualsIfExists"), "aws:PrincipalAccount", (A, B)),
    (
        ("StringEquals", "StringNotEquals", "StringLike"),
        "aws:PrincipalType",
        ("User", "AssumedRole", "FederatedUser", "Account", "*User"),
    ),
    (("Null", "StringEquals"), "aws:username", ("a", "bob")),
)
STS_CLAUSES: tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...] = (
    (
        ("StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "Null"),
        "sts:ExternalId",
        ("x", 12, "x*"),
    ),
    (("StringLike", "StringEquals", "Null"), "sts:SourceIdentity", ("anna", "${aws:username}", "*")),
    (("StringEquals", "StringLike", "ForAnyValue:StringLike"), "o:sub", ("repo:o/r:main", "repo:o/*", "repo:*")),
    (("StringEquals", "ForAllValues:StringEquals"), "O:aud", ("sts.amazonaws.com", "other")),
    (("Bool", "BoolIfExists", "StringEquals"), "aws:MultiFactorAuthPresent", ("true", "false")),
    *OF_CALLERS,
)
_WHEN = {
    "aws:principalorgid": ((), ("o-1",), ("O-1",), ("o-22",)),
    "aws:securetransport": ((), ("true",), ("false",)),
    "aws:sourceip": ((), ("10.1.1.1",), ("10.200.0.1",), ("192.168.1.1",), ("2001:db8::1",)),
    "aws:multifactorauthage": ((), ("5",), ("6",), ("7",), ("10",)),
    "aws:currenttime": ((), ("2026-01-01T00:00:00Z",), ("2026-06-01T00:00:00Z",), ("2028-01-01T00:00:00Z",)),
    "aws:tagkeys": ((), ("a",), ("b",), ("a", "b"), ("ab", "a"), ("",)),
    "aws:sourcearn": ((), ("arn:aws:s3:::b",), ("arn:aws:s3:::bb",), ("arn:aws:x:y:1:x",)),
    "aws:resourcetag/owner": ((), ("bob",), ("eve",)),
    "sts:externalid": ((), ("x",), ("12",), ("xy",)),
    "sts:sourceidentity": ((), ("anna",), ("bob",), ("${aws:username}",)),
    "o:sub": ((), ("repo:o/r:main",), ("repo:o/x",), ("repo:o/r:main", "x")),
    "o:aud": ((), ("sts.amazonaws.com",), ("other",), ("sts.amazonaws.com", "other")),
    "aws:multifactorauthpresent": ((), ("true",), ("false",)),
}
_FOLLOWING = ("aws:principal", "aws:username")
_SIGNED = ("aws:multifactorauthpresent", "aws:username")
"""Keys that a request without credentials cannot have."""


@st.composite
def conditions(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """At most two keys, so that all their values can be tried."""
    found: dict[str, Any] = {}
    clauses = STS_CLAUSES if kind == "trust" else (*CLAUSES, *OF_CALLERS) if kind == "identity" else CLAUSES
    for operators, key, values in draw(st.lists(st.sampled_from(clauses), max_size=2)):
        operator = draw(st.sampled_from(operators))
        given = (
            [draw(st.sampled_from(("true", "false")))] if operator.endswith("Null") else draw(iam_requests.some(values))
        )
        if not any(name.lower() == key.lower() for name in found.get(operator, {})):
            found.setdefault(operator, {})[key] = given
    return found


@st.composite
def statements(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """One statement of a document of the kind."""
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))}
    if kind == "identity":
        name = draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource")))
        statement[name] = draw(iam_requests.some(RESOURCES))
    else:
        name = draw(st.sampled_from(("Principal",) * 5 + ("NotPrincipal",)))
        statement[name] = draw(st.sampled_from(TRUSTED if kind == "trust" else PRINCIPALS))
    actions = STS_ACTIONS if kind == "trust" else ACTIONS
    statement[draw(st.sampled_from(("Action",) * 4 + ("NotAction",)))] = draw(iam_requests.some(actions))
    if draw(st.integers(0, 2)) == 0:
        statement["Condition"] = draw(conditions(kind))
    return statement


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A kind, a document, and another that shares most statements with it or none."""
    kind = draw(st.sampled_from(("repository", "trust", "trust", "identity", "identity")))
    version = draw(st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17")))
    one = draw(st.lists(statements(kind), min_size=1, max_size=3))
    other = [*one]
    match draw(st.sampled_from(("add", "drop", "swap", "new", "element"))):
        case "add":
            other.append(draw(statements(kind)))
        case "drop" if len(other) > 1:
            other.pop(draw(st.integers(0, len(other) - 1)))
        case "new":
            other = draw(st.lists(statements(kind), min_size=1, max_size=2))
        case _:
            at = draw(st.integers(0, len(other) - 1))
            fresh = draw(statements(kind))
            other[at] = (
                fresh
                if draw(st.booleans())
                else {**other[at], "Effect": fresh["Effect"]}
                | ({"Condition": fresh["Condition"]} if "Condition" in fresh else {})
            )
    return kind, {"Version": version, "Statement": one}, {"Version": version, "Statement": other}


def requests(kind: str, *documents: dict[str, Any]) -> list[Request]:
    """All requests of the universe, over the condition keys that the documents use (a sample beyond 300 contexts)."""
    text = str(documents).lower()
    keys = [key for key in _WHEN if key in text]
    who = CALLERS if kind != "identity" else HOLDERS if any(key in text for key in _FOLLOWING) else CALLERS[:1]
    what = ASKED_STS_ACTIONS if kind == "trust" else ASKED_ACTIONS
    where = ASKED_RESOURCES if kind == "identity" else ("*",)
    contexts = [dict(zip(keys, values, strict=True)) for values in product(*(_WHEN[key] for key in keys))]
    most = 60 if who is HOLDERS else 300
    if len(contexts) > most:
        contexts = random.Random(0).sample(contexts, most)
    return [
        Request(p, a, r, about)
        for p in who
        for context in contexts
        for about in _about(p, context)
        for a in what
        for r in where
    ]


def _about(principal: str, context: Mapping[str, tuple[str, ...]]) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The context with the keys that follow from who asks; more than one where the name leaves something open."""
    own = principal.rpartition(" ")[2]
    found = re.fullmatch(
        r"arn:aws:(?:iam|sts)::([0-9]{12}):(user|role|assumed-role|federated-user|root)(?:/(.+))?", own
    )
    if not found:
        yield {key: values for key, values in context.items() if key not in _SIGNED} if principal == "*" else context
        return
    account, what, name = found.groups()
    arns: list[str] = [own]
    user: tuple[str, ...] = ()
    match what:
        case "user":
            kind, user = "User", (name.rpartition("/")[2],)
        case "role" | "assumed-role":
            kind, role = "AssumedRole", name.partition("/")[0]
            # The role of a session may have a path, unless its name is taken by one that the documents name.
            paths = ("", "team/") if role == "p" else ("",)
            arns = [f"arn:aws:iam::{account}:role/{path}{role}" for path in paths]
        case "federated-user":
            kind = "FederatedUser"
        case _:
            kind = "Account"
    for arn in arns:
        yield {
            **context,
            "aws:principalarn": (arn,),
            "aws:principalaccount": (account,),
            "aws:principaltype": (kind,),
            "aws:username": user,
        }
