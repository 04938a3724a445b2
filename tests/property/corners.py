"""Pairs of documents in shapes that universe.py has not, of which one gives a little more: made to be taken for equal.

Several keys in one condition, variables (with defaults, in ARNs, bound by another clause), Version 2008, NotPrincipal
beside NotAction, one statement against its pieces, sessions beside roles, accounts in both spellings, what services
send, Null beside IfExists, set operators on nothing. Made from a number, as there.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from tests.property import universe
from tests.property.policy_oracle import Request
from tests.property.universe import A, B, C

type Raw = dict[str, Any]

_SERVICES = ("lambda.amazonaws.com", "events.amazonaws.com")
_AWS = (
    A,
    f"arn:aws:iam::{A}:root",
    f"arn:aws:iam::{A}:user/alice",
    f"arn:aws:iam::{A}:user/x/alice",
    f"arn:aws:iam::{B}:role/r",
    f"arn:aws:iam::{B}:role/team/p",
    f"arn:aws:sts::{B}:assumed-role/r/s",
    f"arn:aws:sts::{B}:assumed-role/p/s",
    f"arn:aws:sts::{A}:federated-user/f",
    B,
    "AIDAABCDEFGHIJKLMNOPQ",
    "*",
)
_PRINCIPALS: tuple[Any, ...] = (
    "*",
    *({"AWS": [one]} for one in _AWS),
    {"AWS": [_AWS[1], "*"]},
    {"AWS": [_AWS[4], _AWS[6]]},
    {"AWS": [_AWS[4], B]},
    {"AWS": [_AWS[2], _AWS[8]]},
    {"Service": [_SERVICES[0]]},
    {"Service": [_SERVICES[0]], "AWS": [A]},
    {"Service": ["*"]},
    {"Federated": ["*"], "AWS": [_AWS[2]]},
    {"Federated": ["accounts.google.com"]},
)
_TAG = "${aws:PrincipalTag/t}"
_NAME = "${aws:username}"
_TEXTS = ("a", "b", "A", "*", "?", "a*", "*b", "", _TAG, f"{_TAG}*", f"a{_TAG}", "${aws:PrincipalTag/t, 'a'}", _NAME)
_TEXTS_2 = ("${*}", "${?}b", "${$}{aws:username}", f"{_NAME}{_TAG}", f"{_TAG}x*y", f"*{_NAME}", "${k2}", "${k2, ''}")
_ARNS = (
    "arn:aws:s3:::b",
    "arn:aws:s3:::*",
    "arn:aws:s3:*:*:*",
    f"arn:aws:s3:::{_TAG}",
    f"arn:aws:s3:*:*:{_TAG}*",
    f"arn:aws:s3:a:b:c:{_TAG}",
    f"arn:{_TAG}",
    _TAG,
    f"{_TAG}:*:c",
    "${aws:PrincipalArn}",
    f"arn:aws:*:*:{A}:*",
    f"arn:aws:lambda:*:{A}:function:*",
    "arn:aws:s3:::b:*",
    "*",
    "arn:aws:s3::?:b",
    "arn:*:*:*:*:*:*",
)
_CLAUSES: tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...] = (
    (("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"), "k", _TEXTS),
    (("StringLike", "StringNotLike", "StringEquals"), "k", _TEXTS_2),
    (("StringEquals", "StringLike", "StringNotLike", "StringNotEquals"), "k2", (*_TEXTS[:8], _TAG, "${k}")),
    (("StringEquals", "StringLike", "StringNotEquals"), "aws:PrincipalTag/t", ("a", "b", "a:b:c:d:e:", "a*", "*", "")),
    (("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "StringLike"), "aws:SourceArn", _ARNS),
    (("ArnLike", "ArnNotLike"), "k", _ARNS),
    (("StringEquals", "StringNotEquals", "StringLike"), "aws:SourceAccount", (A, B, "1*", "${aws:PrincipalAccount}")),
    (("StringEquals", "StringNotEquals"), "aws:PrincipalAccount", (A, B, "${aws:SourceAccount}")),
    (("ArnLike", "ArnNotLike", "StringLike", "StringNotEquals"), "aws:PrincipalArn", (*_AWS[1:9], f"arn:aws:*::{A}:*")),
    (("StringEquals", "StringNotEquals"), "aws:PrincipalType", ("User", "AssumedRole", "Account", "Anonymous")),
    (("StringEquals", "StringNotLike", "StringLike"), "aws:username", ("alice", "a*", "x/alice", _TAG)),
    (("StringEquals", "StringLike", "StringNotLike"), "aws:TagKeys", ("a", "b", "a*", "", _TAG)),
    (("Bool", "StringEquals", "StringNotEquals"), "aws:PrincipalIsAWSService", ("true", "false")),
    (("Bool", "StringNotEquals"), "aws:SecureTransport", ("true", "false")),
    (("NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals", "StringLike"), "k", ("5", "5.0", "1?", "-*")),
    (("IpAddress", "NotIpAddress", "StringLike"), "aws:SourceIp", ("10.0.0.0/8", "10.0.0.0/9", "10.1.2.3", "10.*")),
    (("DateLessThan", "DateGreaterThan", "NumericLessThan"), "aws:EpochTime", ("1767225600", "2026-01-01")),
    (("StringEquals", "StringNotEquals"), "aws:ResourceTag/o", (_NAME, _TAG, "a")),
)
_QUANTIFIERS = ("", "", "", "", "ForAllValues:", "ForAnyValue:")
_ACTIONS = ("ecr:PutImage", "ecr:Put*", "ecr:*Image", "ecr:?utImage", "ecr:BatchGetImage", "ecr:*", "*:PutImage", "*")
_STS = ("sts:AssumeRole", "sts:AssumeRole*", "sts:*Role", "sts:TagSession", "sts:*", "*")
_REPOSITORY = f"arn:aws:ecr:eu-central-1:{B}:repository"
_RESOURCES = (
    f"{_REPOSITORY}/{_NAME}/*",
    f"{_REPOSITORY}/*/{_NAME}",
    f"{_REPOSITORY}/{_TAG}*",
    f"{_REPOSITORY}/a/*",
    f"{_REPOSITORY}/${{aws:PrincipalTag/t, 'a'}}/*",
    f"{_REPOSITORY}/*",
    f"arn:aws:ecr:*:{_TAG}:repository/a/x",
    "arn:aws:ecr:*:*:*",
    f"arn:aws:ecr:${{aws:PrincipalTag/t}}:{B}:repository/a/{_NAME}",
    "*",
)
_OPPOSITE = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "ArnLike": "ArnNotLike",
    "NumericLessThan": "NumericGreaterThanEquals",
    "IpAddress": "NotIpAddress",
}


def pair(seed: int) -> tuple[str, Raw, Raw]:
    """A kind and two documents; mostly one of them gives more by something small, or nothing more at all."""
    chance = random.Random(seed)
    kind = chance.choice(("repository", "repository", "trust", "identity"))
    clauses = chance.sample(_CLAUSES, chance.choice((1, 2, 2, 3)))
    version = chance.choice(("2012-10-17",) * 5 + ("2008-10-17",))
    one = [_statement(chance, kind, clauses) for _ in range(chance.choice((1, 2, 2, 3)))]
    other = json.loads(json.dumps(one))
    for _ in range(chance.choice((1, 1, 2))):
        _change(chance, kind, clauses, other)
    both = [one, other]
    chance.shuffle(both)
    made = [{"Version": version, "Statement": statements} for statements in both]
    if chance.random() < 0.05:
        made[0]["Version"] = "2008-10-17"
    return kind, made[0], made[1]


def _change(chance: random.Random, kind: str, clauses: Any, statements: list[Raw]) -> None:
    at = chance.randrange(len(statements))
    mine = statements[at]
    fresh = _statement(chance, kind, clauses)
    match chance.choice(("deny", "guard", "pieces", "cover", "element", "clause", "value", "flip", "unnot", "add")):
        case "deny":
            statements.append(fresh | {"Effect": "Deny"})
        case "guard":
            # The same with one clause more, beside it or in its place.
            narrow = mine | {"Condition": _joined(mine.get("Condition", {}), fresh.get("Condition", {}))}
            statements[at : at + chance.randint(0, 1)] = [narrow]
        case "pieces":
            statements[at : at + 1] = [*_pieces(chance, mine)]
        case "cover":
            operator = chance.choice([*_OPPOSITE])
            _, key, values = chance.choice(clauses)
            given = chance.sample(values, 1)
            statements[at : at + 1] = [
                mine | {"Condition": _joined(mine.get("Condition", {}), {name + tail: {key: given}})}
                for name in (operator, _OPPOSITE[operator])
                for tail in [chance.choice(("", "IfExists"))]
            ]
        case "element":
            name = chance.choice([name for name in fresh if name != "Effect"])
            other = name.removeprefix("Not")
            statements[at] = {k: v for k, v in mine.items() if k.removeprefix("Not") != other} | {name: fresh[name]}
        case "clause" if mine.get("Condition"):
            mine["Condition"].pop(chance.choice([*mine["Condition"]]))
        case "value" if mine.get("Condition"):
            block = mine["Condition"][chance.choice([*mine["Condition"]])]
            values = block[chance.choice([*block])]
            if len(values) > 1 and chance.random() < 0.5:
                values.pop()
            else:
                values.append(chance.choice(chance.choice(clauses)[2]))
        case "flip" if mine.get("Condition"):
            name = chance.choice([*mine["Condition"]])
            base = name.removesuffix("IfExists")
            fits = base if base != name or base.endswith("Null") else f"{name}IfExists"
            mine["Condition"] = _joined(
                {k: v for k, v in mine["Condition"].items() if k != name}, {fits: mine["Condition"][name]}
            )
        case "unnot":
            for name in ("Action", "Principal", "Resource"):
                if f"Not{name}" in mine and chance.random() < 0.5:
                    mine[name] = mine.pop(f"Not{name}")
        case _:
            statements.append(fresh)


def _pieces(chance: random.Random, statement: Raw) -> Iterator[Raw]:
    """One statement for each value of an element."""
    name = chance.choice(("Principal", "Action", "Resource"))
    value = statement.get(name)
    if isinstance(value, dict):
        yield from (statement | {name: {kind: [one]}} for kind, values in value.items() for one in values)
    elif isinstance(value, list):
        yield from (statement | {name: [one]} for one in value)
    else:
        yield statement


def _statement(chance: random.Random, kind: str, clauses: Any) -> Raw:
    statement: Raw = {"Effect": chance.choice(("Allow", "Allow", "Allow", "Deny"))}
    if kind == "identity":
        statement[chance.choice(("Resource",) * 4 + ("NotResource",))] = chance.sample(_RESOURCES, chance.randint(1, 2))
    else:
        principal = chance.choice(_PRINCIPALS)
        statement[chance.choice(("Principal",) * 4 + ("NotPrincipal",))] = json.loads(json.dumps(principal))
    actions = chance.sample(_STS if kind == "trust" else _ACTIONS, chance.choice((1, 1, 2)))
    statement[chance.choice(("Action",) * 4 + ("NotAction",))] = actions
    condition: dict[str, dict[str, Any]] = {}
    for _ in range(chance.choice((0, 1, 2, 2, 3))):
        operators, key, values = chance.choice(clauses)
        if chance.random() < 0.15:
            name, given = chance.choice(_QUANTIFIERS) + "Null", [chance.choice(("true", "false"))]
        else:
            name = chance.choice(_QUANTIFIERS) + chance.choice(operators) + chance.choice(("", "", "IfExists"))
            given = chance.sample(values, min(len(values), chance.choice((1, 1, 1, 2, 3))))
        condition.setdefault(name, {})[key] = given
    if condition:
        statement["Condition"] = condition
    return statement


def _joined(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys([*one, *other])
    return json.loads(json.dumps({name: one.get(name, {}) | other.get(name, {}) for name in names}))  # type: ignore[no-any-return]


_CALLERS = (
    *(who for who in universe.CALLERS if "codebuild" not in who and "saml" not in who),
    "events.amazonaws.com",
    f"arn:aws:iam::{A}:user/x/alice arn:aws:sts::{A}:federated-user/f",
)
_HOLDERS = tuple(who for who in _CALLERS if who.startswith("arn:") and " " not in who)
_KNOWN: dict[str, tuple[str, ...]] = {
    "aws:sourceaccount": (A, B, C),
    "aws:securetransport": ("true", "false"),
    "aws:sourceip": ("10.1.2.3", "10.200.0.1", "10.0.0.1", "192.168.0.1", "2001:db8::1"),
    "aws:epochtime": ("1767225600", "1767225599", "1767225601"),
}
_TAGS = (
    "a",
    "b",
    "x",
    "*",
    "a:b:c:d:e:",
    "aws:ecr:eu-central-1:222222222222",
    B,
    "shop",
    "alice",
    "",
    "arn:aws:s3:::b",
)
_SIGNED = ("aws:principaltag/t",)


def requests(seed: int, kind: str, live: Raw, desired: Raw, count: int = 150) -> Iterator[Request]:
    """Requests of which some may tell the documents apart; a key takes after the others, as variables ask for."""
    chance = random.Random(seed)
    text = json.dumps([live, desired])
    lowered = text.lower()
    used = [key for key in dict.fromkeys(clause[1].lower() for clause in _CLAUSES) if f'"{key}"' in lowered]
    used += [key for key in ("aws:principaltag/t", "aws:username", "k", "k2") if f"${{{key}" in lowered]
    used = [*dict.fromkeys(used)]
    several = {key for key in used if re.search(rf'"for(?:all|any)[^"]*": {{[^}}]*"{re.escape(key)}"', lowered)}
    texts = {key: _texts(key, live, desired) for key in used}
    callers = _HOLDERS if kind == "identity" else _CALLERS
    named = [who for who in callers if who.rpartition(" ")[2] in text] or list(callers)
    actions = (
        ("sts:AssumeRole", "sts:TagSession", "sts:x")
        if kind == "trust"
        else ("ecr:PutImage", "ecr:BatchGetImage", "ecr:x")
    )
    for _ in range(count):
        who = chance.choice(chance.choice((named, callers)))
        own = universe.own_keys(chance, who)
        context: dict[str, tuple[str, ...]] = {"aws:username": own["aws:username"]}
        for key in used:
            if key in own:
                context[key] = own[key]
            elif (who == "*" and key in _SIGNED) or chance.random() < 0.15:
                context[key] = ()
            else:
                size = chance.choice((1, 1, 1, 2)) if key in several else 1
                context[key] = tuple(_value(chance, key, texts[key], context, own) for _ in range(size))
        tag = next(iter(context.get("aws:principaltag/t", ())), "a")
        name = next(iter(context["aws:username"]), "bob")
        resource = "*"
        if kind == "identity":
            where = chance.choice((f"{name}/x", f"{tag}/x", "a/x", "shop/a", f"a/{name}", f"{tag}x"))
            resource = f"arn:aws:ecr:eu-central-1:{B}:repository/{where}"
        yield Request(who, chance.choice(actions), resource, context)


def _value(
    chance: random.Random,
    key: str,
    texts: list[str],
    context: dict[str, tuple[str, ...]],
    own: dict[str, tuple[str, ...]],
) -> str:
    if key in _KNOWN:
        return chance.choice(_KNOWN[key])
    pool = _TAGS if key == "aws:principaltag/t" and chance.random() < 0.7 else texts
    made = chance.choice(pool)

    def stands(found: re.Match[str]) -> str:
        inside = found[1]
        if inside in "*?$":
            return inside
        name, _, default = inside.partition(", ")
        values = context.get(name.lower(), own.get(name.lower(), ()))
        return values[0] if len(values) == 1 else default.strip("'")

    made = re.sub(r"\$\{([^}]*)\}", stands, made)
    if chance.random() < 0.8:
        made = made.replace("?", chance.choice("aq:")).replace("*", chance.choice(("", "q", "c:d", "a", "b")))
    if key == "aws:sourcearn" and (not made.startswith("arn:") or made.count(":") < 5):
        return chance.choice(("arn:aws:s3:::b", "arn:aws:s3:a:b:c:a", "arn:aws:s3:::a", "arn:aws:s3:x:y:z"))
    return made


def _texts(key: str, *documents: Raw) -> list[str]:
    """What the documents say of a key, and something that none says."""
    found = {
        str(value)
        for document in documents
        for statement in document["Statement"]
        for block in statement.get("Condition", {}).values()
        for name, values in block.items()
        if name.lower() == key
        for value in values
    }
    return [*sorted(found), *sorted(found), "a", "x", "4", "11", "x:a:b:c:d:e", "foo:a:b:c:d:e:f"]
