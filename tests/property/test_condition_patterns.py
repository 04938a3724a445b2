"""A condition that is said to cover another holds whenever that does, for every value tried one by one."""

import json
from itertools import product
from random import Random

from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import parse_document
from tests import examples
from tests.property.policy_oracle import Request, allowed

type Json = dict[str, object]

PATTERNS = (
    *("*", "a*", "*a", "a*b", "a?", "a?*", "?b", "ab", "*b*", "a**b", "a", ""),
    *("a${*}", "${*}", "${?}b", "${$}", "${u}", "a${u}", "${u}*", "${u, 'a'}", "${v}", "?{u}", "${u}${v}"),
)
OPERATORS = (
    *("StringLike", "StringLikeIfExists", "ForAnyValue:StringLike", "ForAllValues:StringLike"),
    *("StringNotLike", "ForAnyValue:StringNotLike", "ForAllValues:StringNotLike", "StringEquals"),
)
VALUES = ("a", "b", "ab", "aab", "acb", "a*", "*", "?b", "$", "x", "${u}", "ax", "")
GIVEN = ((), *((value,) for value in VALUES), ("ab", "b"), ("a", "aab"), ("x", "a*"))
"""The values of the key in a request, one, none or several."""
VARIABLES = tuple(product(((), ("a",), ("*",), ("b", "c")), ((), ("b",))))
"""Those of the keys of the variables u and v."""


def statement(operator: str, values: list[str]) -> Json:
    condition = {operator: {"k": values}}
    return {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"} | {"Condition": condition},
    }


def holds(document: Json, given: tuple[str, ...], u: tuple[str, ...], v: tuple[str, ...]) -> bool:
    context = {key: values for key, values in (("k", given), ("u", u), ("v", v)) if values}
    return allowed(document, Request("*", "ecr:PutImage", "*", context))


def test_a_condition_that_covers_another_holds_whenever_it_does() -> None:
    covered = 0
    for seed in range(examples.number(2_000, 20_000)):
        rng = Random(seed)
        operator = rng.choice(OPERATORS)
        wide, narrow = (rng.sample(PATTERNS, rng.randint(1, 3)) for _ in range(2))
        one, other = statement(operator, wide), statement(operator, narrow)
        if gained_and_lost(*(parse_document(json.dumps(document)) for document in (one, other))).gained:
            continue
        covered += "Not" not in operator and not {*narrow} <= {*wide}
        for given, (u, v) in product(GIVEN, VARIABLES):
            if holds(other, given, u, v):
                assert holds(one, given, u, v), (operator, wide, narrow, given, u, v)
    assert covered > 20
