"""Documents made to be hard, at the size that AWS takes."""

import json
import random
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from typing import Any

from iam_access.document.condition import OPERATORS

SIZES = {"repository": 10_240, "trust": 2_048, "identity": 6_144, "role": 10_240}
"""Characters that AWS takes: a repository policy, a trust policy, a managed policy, the inline ones of a role."""

_LETTERS = "ab"
_TYPES = ("User", "AssumedRole", "FederatedUser", "Account", "Anonymous", "*")
_READ_OTHERWISE = (
    "9e99",
    "0x1",
    "1_000",
    "\u0661",
    "01/02/2026",
    "10.0.0.0/255.0.0.0",
    "yes",
    "arn:*",
    "**",
    "\u00c9",
    "",
)


def _wild(chance: random.Random, length: int) -> str:
    """A pattern that many others meet in many ways."""
    return "".join(chance.choice(("*", "?", "?", *_LETTERS, *_LETTERS)) for _ in range(chance.randint(2, length)))


def _distance(chance: random.Random) -> str:
    """A pattern that asks for a letter so many places before another: automata remember each place."""
    return f"*{chance.choice(_LETTERS)}{'?' * chance.randint(1, 40)}{chance.choice(_LETTERS)}*"


def _variable(chance: random.Random) -> str:
    key = chance.choice(("aws:username", "aws:userid", "aws:PrincipalTag/t", f"k{chance.randint(0, 9)}"))
    return chance.choice((f"${{{key}}}", f"${{{key}, '{_wild(chance, 6)}'}}", "${", "${*}", "${$}{"))


def _value(chance: random.Random) -> Any:
    """A value that any operator may be asked to read."""
    return chance.choice(
        (
            lambda: _wild(chance, 30),
            lambda: _distance(chance),
            lambda: f"{_variable(chance)}{_wild(chance, 8)}{_variable(chance)}",
            lambda: str(chance.randint(-50, 50)),
            lambda: f"{chance.randint(0, 9)}.{chance.randint(0, 10**30)}",
            lambda: f"20{chance.randint(10, 30)}-0{chance.randint(1, 9)}-11T00:00:00+14:00",
            lambda: chance.randint(10**12, 10**13 - 1),
            lambda: f"10.{chance.randint(0, 255)}.0.0/{chance.randint(8, 32)}",
            lambda: f"2001:db8:{chance.randint(0, 9999)}::/{chance.randint(32, 128)}",
            lambda: f"arn:aws:*:{_wild(chance, 6)}:{chance.randint(1, 3):012}:{_wild(chance, 9)}",
            lambda: chance.choice((True, False, "true", "TRUE", 5, 1.5)),
            lambda: chance.choice(("YQ==", "YR==", "YWI=", "====")),
            lambda: chance.choice(_READ_OTHERWISE),
            lambda: chance.choice(_TYPES),
        )
    )()


def _clause_key(chance: random.Random, keys: int) -> str:
    return chance.choice(
        (
            *(["aws:PrincipalArn", "aws:username", "aws:PrincipalType", "aws:userid", "aws:UserAgent", "aws:SourceIp"]),
            *(f"k{chance.randint(0, keys)}" for _ in range(12)),
        )
    )


def _person(chance: random.Random) -> str:
    account, name = f"{chance.randint(1, 4):012}", f"n{chance.randint(0, 60)}"
    return chance.choice(
        (
            f"arn:aws:iam::{account}:user/{name}",
            f"arn:aws:iam::{account}:role/{name}",
            f"arn:aws:sts::{account}:assumed-role/{name}/s{chance.randint(0, 9)}",
            f"arn:aws:sts::{account}:federated-user/{name}",
            f"{chance.randint(1, 999):012}",
            f"AIDA{chance.randint(0, 10**9)}",
        )
    )


@dataclass(frozen=True)
class _Taste:
    """What one document is full of."""

    statements: int
    values: int
    clauses: int
    keys: int
    negated: float
    denied: float


def _statement(chance: random.Random, kind: str, taste: _Taste) -> dict[str, Any]:
    def several(one: Callable[[], Any]) -> list[Any]:
        return [one() for _ in range(chance.randint(1, taste.values))]

    def element(name: str, values: Any) -> dict[str, Any]:
        return {f"Not{name}" if chance.random() < taste.negated else name: values}

    statement: dict[str, Any] = {"Effect": "Deny" if chance.random() < taste.denied else "Allow"}
    service = "sts" if kind == "trust" else "ecr"
    pattern = chance.choice((lambda: f"{service}:{_wild(chance, 20)}", lambda: f"{service}:{_distance(chance)}"))
    statement |= element("Action", chance.choice((lambda: ["*"], lambda: several(pattern)))())
    if kind in ("identity", "role"):
        resource = chance.choice(
            (lambda: f"arn:aws:*:{_wild(chance, 30)}", lambda: f"*{_variable(chance)}{_wild(chance, 9)}")
        )
        statement |= element("Resource", chance.choice((lambda: ["*"], lambda: several(resource)))())
    else:
        statement |= element(
            "Principal", chance.choice((lambda: "*", lambda: {"AWS": several(lambda: _person(chance))}))()
        )
    condition: dict[str, dict[str, Any]] = {}
    for _ in range(chance.randint(0, taste.clauses)):
        block = condition.setdefault(chance.choice(OPERATORS), {})
        block[_clause_key(chance, taste.keys)] = several(lambda: _value(chance))
    return statement | ({"Condition": condition} if condition else {})


def nasty_pair(seed: int, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two documents of a kind of SIZES, each as large as AWS takes, alike or not; the same for the same seed."""
    chance = random.Random(f"{seed} {kind}")
    taste = _Taste(
        statements=chance.choice((1, 2, 8, 200)),
        values=chance.choice((1, 3, 40, 400)),
        clauses=chance.choice((0, 1, 4, 30)),
        keys=chance.choice((0, 1, 9, 99)),
        negated=chance.choice((0.0, 0.2, 0.5)),
        denied=chance.choice((0.1, 0.3, 0.6)),
    )
    one = _full([], chance, kind, taste)
    kept = one["Statement"][: chance.choice((0, len(one["Statement"]) // 2, len(one["Statement"]) - 1))]
    return one, _full(list(kept), chance, kind, taste)


def _full(statements: list[dict[str, Any]], chance: random.Random, kind: str, taste: _Taste) -> dict[str, Any]:
    """Statements until the next would be too many."""
    document = {"Version": "2012-10-17", "Statement": statements}
    room, smaller = SIZES[kind], taste
    while len(statements) < taste.statements:
        statement = _statement(chance, kind, smaller)
        size = len(json.dumps([*statements, statement], separators=(",", ":"))) + 40
        if size <= room:
            statements.append(statement)
        elif smaller.values > 1 or smaller.clauses > 1:
            smaller = replace(smaller, values=max(1, smaller.values // 2), clauses=smaller.clauses // 2)
        else:
            break
    if not statements:
        statements.append(
            {"Effect": "Allow", "Action": "*"}
            | ({"Resource": "*"} if kind in ("identity", "role") else {"Principal": "*"})
        )
    return document
