"""Documents that AWS would store, made to be as hard to read as its sizes allow."""

import json
import random
import string
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from iam_access.document.kind import DocumentKind
from tests.fuzz.inputs import conditions

MAX_CHARACTERS = {DocumentKind.RESOURCE: 10_240, DocumentKind.TRUST: 4_096, DocumentKind.IDENTITY: 10_240}
"""Characters of a document; a trust policy's quota can be raised to this."""


def _patterns(seed: int, count: int) -> list[str]:
    letters = string.ascii_lowercase
    return [f"*{letters[index * seed % 26]}*{letters[(index // 26 + seed) % 26]}*" for index in range(count)]


def _keys(seed: int, count: int) -> dict[str, list[str]]:
    return {f"aws:RequestTag/k{index}": [f"*{index}*{seed}*", "É", "true"] for index in range(count)}


def _rare(seed: int, count: int) -> str:
    """A text that no packing makes shorter."""
    drawn = random.Random(seed)
    return "".join(chr(drawn.randrange(0x20000, 0x2A6DF)) for _ in range(count))


# Each takes a seed and a length.
_HARD: tuple[Callable[[int, int], dict[str, Any]], ...] = (
    lambda seed, count: {"Action": _patterns(seed, count)},
    lambda seed, count: {"NotAction": _patterns(seed, count)},
    lambda seed, count: {"Action": f"*{'a' * count}b"},
    lambda seed, count: {"Action": [f"*{'a?' * (count // 20)}{index}*" for index in range(10)]},
    lambda seed, count: {"Action": "*", "Condition": {"StringLike": _keys(seed, count // 12)}},
    lambda seed, count: {
        "Action": "*",
        "Condition": {"StringEquals": _keys(seed, count // 24), "Bool": _keys(seed + 1, count // 24)},
    },
    lambda seed, count: {"Action": "*", "Condition": {"StringNotLike": {"aws:PrincipalArn": _patterns(seed, count)}}},
    lambda seed, count: {
        "Action": "*",
        "Condition": {
            "IpAddress": {"aws:SourceIp": [f"10.{index % 256}.{seed % 256}.0/25" for index in range(count // 2)]}
        },
    },
    lambda seed, count: {
        "Action": [f"ecr:Do{index}" for index in range(count // 4)],
        "Condition": {"StringEquals": {"aws:UserAgent": _rare(seed, count * 8)}},
    },
    lambda seed, count: {
        "Action": [f"{_rare(index + seed, 9)}:*" for index in range(count // 12)],
        "Condition": {"StringLike": {f"aws:RequestTag/{index}": _rare(index, count // 3) for index in range(9)}},
    },
)


@st.composite
def documents(draw: st.DrawFn, kind: DocumentKind) -> str:
    """The text of a document of that kind, within its size."""
    statements: list[dict[str, Any]] = []
    hard = draw(st.integers(0, 3)) == 0
    for _ in range(draw(st.integers(1, 4))):
        statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
        if kind is not DocumentKind.IDENTITY:
            statement["Principal"] = draw(st.sampled_from(_PRINCIPALS))
        else:
            statement[draw(st.sampled_from(("Resource", "NotResource")))] = draw(
                st.sampled_from(("*", "arn:aws:ecr:*:*:repository/*"))
            )
        if hard:
            statement |= draw(st.sampled_from(_HARD))(
                draw(st.integers(1, 300)), draw(st.integers(10, MAX_CHARACTERS[kind] // 12))
            )
        else:
            statement["Action"] = draw(st.sampled_from(_ACTIONS[kind]))
            if draw(st.booleans()):
                statement["Condition"] = draw(conditions)
        if len(_text([*statements, statement])) <= MAX_CHARACTERS[kind]:
            statements.append(statement)
    return _text(statements or [_PLAIN[kind]])


def _text(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"), ensure_ascii=False)


_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "111111111111"},
    {"AWS": ["arn:aws:iam::111111111111:user/pull-user-1", "arn:aws:iam::999999999999:root"]},
    {"AWS": "AIDAQHBJ5XEXAMPLE0001"},
    {"Service": "lambda.amazonaws.com"},
    {"AWS": [f"{900000000000 + number}" for number in range(90)]},
    {"Federated": "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},
)
_ACTIONS: Mapping[DocumentKind, tuple[Any, ...]] = {
    DocumentKind.RESOURCE: (_PULL, "ecr:*", "*", "ecr:Batch*Image"),
    DocumentKind.TRUST: ("sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"], "sts:AssumeRoleWithWebIdentity"),
    DocumentKind.IDENTITY: (_PULL, "ecr:*", "*", ["sts:AssumeRole", "iam:*"]),
}
_PLAIN: Mapping[DocumentKind, dict[str, Any]] = {
    DocumentKind.RESOURCE: {"Effect": "Allow", "Principal": "*", "Action": _PULL},
    DocumentKind.TRUST: {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
    DocumentKind.IDENTITY: {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
