"""Random policy documents, small enough to collide, and the rewrites that AWS does not see."""

import json
import random
from typing import Any

from hypothesis import strategies as st

from iam_access.document.document import Document, parse_document

ROOTS = {account: f"arn:aws:iam::{account}:root" for account in ("111111111111", "999999999999")}
AWS_PRINCIPALS = (*ROOTS, *ROOTS.values(), "*", "arn:aws:iam::111111111111:user/push-user", "AIDAQHBJ5XEXAMPLE0001")
ACTIONS = (
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:*",
    "ecr:Put*",
    "ecr:*Image",
    "sts:AssumeRole",
    "*",
    "ecr:?utImage",
)
RESOURCES = ("*", "repository/shop/checkout", "repository/shop/*", "repository/${aws:username}", "repository/*out")
CONDITION_KEYS = ("aws:SourceAccount", "aws:PrincipalOrgID", "aws:SecureTransport")
OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLikeIfExists",
    "ForAnyValue:StringEquals",
    "Bool",
    "NumericLessThan",
)
VALUES = ("true", "5", "o-1", "o-2", True, False, 5, "${aws:username}")


def parsed(raw: dict[str, Any]) -> Document:
    """A document from its text."""
    return parse_document(json.dumps(raw))


def _some(values: tuple[Any, ...], least: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3)


def _conditions() -> st.SearchStrategy[dict[str, Any]]:
    block = st.dictionaries(st.sampled_from(CONDITION_KEYS), _some(VALUES, 0), max_size=2)
    return st.dictionaries(st.sampled_from(OPERATORS), block, max_size=2)


def _principals() -> st.SearchStrategy[Any]:
    kinds = st.fixed_dictionaries(
        {},
        optional={"AWS": _some(AWS_PRINCIPALS, 0), "Service": _some(("lambda.amazonaws.com", "ecr.amazonaws.com"), 0)},
    )
    return st.just("*") | kinds


def _element(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda negated, value: {f"Not{name}" if negated else name: value},
        st.integers(0, 4).map(lambda n: not n),
        values,
    )


@st.composite
def statements(draw: st.DrawFn, *, principals: bool, plain: bool = False) -> dict[str, Any]:
    """One statement, with principals and without resources or the other way round.

    A plain one has no condition, no variable and no NotPrincipal, whose meaning AWS does not spell out.
    """
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    if principals:
        statement |= {"Principal": draw(_principals())} if plain else draw(_element("Principal", _principals()))
    else:
        resources = tuple(text for text in RESOURCES if "$" not in text) if plain else RESOURCES
        statement |= draw(_element("Resource", _some(resources)))
    statement |= draw(_element("Action", _some(ACTIONS)))
    if not plain and draw(st.booleans()):
        statement["Condition"] = draw(_conditions())
    return statement


@st.composite
def documents(draw: st.DrawFn, *, plain: bool = False) -> dict[str, Any]:
    """A document as an object: all its statements with principals, or all without."""
    given = draw(st.lists(statements(principals=draw(st.booleans()), plain=plain), min_size=1, max_size=3))
    version = draw(st.sampled_from(("2008-10-17", "2012-10-17", "2012-10-17")))
    return {"Version": version, "Statement": given}


@st.composite
def changes(draw: st.DrawFn, *, plain: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document and one that somebody made of it by one or two small changes, in other words."""
    before = draw(documents(plain=plain))
    principals = not {"Principal", "NotPrincipal"}.isdisjoint(before["Statement"][0])
    given = list(before["Statement"])
    for _ in range(draw(st.integers(1, 2))):
        index = draw(st.integers(0, len(given) - 1))
        fresh = draw(statements(principals=principals, plain=plain))
        match draw(st.sampled_from(("add", "drop", "element", "element", "effect", "merge"))):
            case "add":
                given.append(fresh)
            case "drop" if len(given) > 1:
                given.pop(index)
            case "effect":
                given[index] = {**given[index], "Effect": fresh["Effect"]}
            case "merge" if isinstance(given[index].get("Action"), list) and "Action" in fresh:
                given[index] = {**given[index], "Action": [*given[index]["Action"], *fresh["Action"]]}
            case _:
                given[index] = _with_element(
                    given[index], fresh, draw(st.sampled_from(("Action", "Principal", "Resource")))
                )
    return before, rewritten({**before, "Statement": given}, draw(st.randoms(use_true_random=False)))


def _with_element(statement: dict[str, Any], fresh: dict[str, Any], element: str) -> dict[str, Any]:
    """The statement with one element of another."""
    names = (element, f"Not{element}")
    kept = {name: value for name, value in statement.items() if name not in names}
    return kept | {name: value for name, value in fresh.items() if name in names}


def rewritten(raw: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same document in other words: order, brackets, case, repetition, account ids, names."""
    given = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
    parts = [_statement(statement, chance) for statement in _repeated(given, chance)]
    document: dict[str, Any] = {"Statement": parts[0] if len(parts) == 1 and chance.random() < 0.5 else parts}
    if raw.get("Version") != "2008-10-17" or chance.random() < 0.5:
        document["Version"] = raw["Version"]
    if chance.random() < 0.3:
        document["Id"] = "another"
    return (
        _shuffled(document, chance) | {"Version": raw["Version"]} if "Version" in raw else _shuffled(document, chance)
    )


def _statement(statement: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    other: dict[str, Any] = {"Sid": f"S{chance.randrange(100)}"} if chance.random() < 0.5 else {}
    for name, value in statement.items():
        match name:
            case "Sid":
                pass
            case "Effect":
                other[name] = chance.choice((value, value.upper(), value.lower()))
            case "Action" | "NotAction":
                other[name] = _bracketed(
                    [_recased(action, chance) for action in _repeated(_list(value), chance)], chance
                )
            case "Resource" | "NotResource":
                other[name] = _bracketed(_repeated(_list(value), chance), chance)
            case "Principal" | "NotPrincipal":
                other[name] = _principal(value, chance)
            case _:
                other[name] = _condition(value, chance)
    if "Condition" not in other and chance.random() < 0.3:
        other["Condition"] = chance.choice(({}, {"Bool": {}}))
    return _shuffled(other, chance)


def _principal(value: Any, chance: random.Random) -> Any:
    if value == "*":
        return chance.choice(("*", {"AWS": "*"}, {"AWS": ["*"], "Service": []}))
    return _shuffled(
        {
            kind: _bracketed([_account(entry, chance) for entry in _repeated(_list(entries), chance)], chance)
            for kind, entries in value.items()
        },
        chance,
    )


def _account(value: str, chance: random.Random) -> str:
    for account, root in ROOTS.items():
        if value in (account, root):
            return chance.choice((account, root))
    return value


def _condition(value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return _shuffled(
        {
            _recased(operator, chance): _shuffled(
                {
                    _recased(key, chance): _bracketed(
                        [_scalar(v, chance) for v in _repeated(_list(values), chance)], chance
                    )
                    for key, values in block.items()
                },
                chance,
            )
            for operator, block in value.items()
        },
        chance,
    )


def _scalar(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return chance.choice((value, "true" if value else "false"))
    return chance.choice((value, str(value)))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _repeated(values: list[Any], chance: random.Random) -> list[Any]:
    """In another order, some of them twice."""
    longer = [*values, *(value for value in values if chance.random() < 0.2)]
    chance.shuffle(longer)
    return longer


def _bracketed(values: list[Any], chance: random.Random) -> Any:
    return values[0] if len(values) == 1 and chance.random() < 0.5 else values


def _recased(text: str, chance: random.Random) -> str:
    return chance.choice((text, text.upper(), text.lower()))


def _shuffled(value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    items = list(value.items())
    chance.shuffle(items)
    return dict(items)
