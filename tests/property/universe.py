"""Pairs of documents with any operator on any key, and requests that may tell them apart.

Made from a number, so that many can be searched through. A request is one that can exist: keys that AWS sets hold what
AWS sets them to, and keys of who asks follow from who asks.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from iam_access.document.condition import OPERATORS
from tests.property.policy_oracle import Request

A, B, C = "111111111111", "222222222222", "333333333333"
NAMED = (
    f"arn:aws:iam::{A}:user/alice",
    f"arn:aws:iam::{A}:user/bob",
    f"arn:aws:iam::{B}:role/r",
    f"arn:aws:iam::{B}:role/team/p",
    f"arn:aws:sts::{B}:assumed-role/r/s",
    f"arn:aws:sts::{A}:federated-user/f",
    f"arn:aws:sts::{A}:federated-user/alice",
    f"arn:aws:iam::{A}:root",
    A,
    B,
)
_SERVICES = ("lambda.amazonaws.com", "codebuild.amazonaws.com")
_PROVIDERS = (f"arn:aws:iam::{A}:saml-provider/p", "accounts.google.com")
CALLERS = (
    *NAMED[:8],
    f"arn:aws:iam::{A}:user/eve",
    f"arn:aws:iam::{A}:user/x/alice",
    f"arn:aws:iam::{B}:role/q",
    f"arn:aws:sts::{B}:assumed-role/r/t",
    f"arn:aws:sts::{B}:assumed-role/p/s",
    f"arn:aws:sts::{A}:federated-user/g",
    *(f"{NAMED[at]} arn:aws:sts::{A}:federated-user/{name}" for at in (0, 1) for name in ("f", "alice", "g")),
    f"arn:aws:iam::{C}:user/alice",
    f"arn:aws:iam::{C}:root",
    f"arn:aws:sts::{C}:federated-user/f",
    f"arn:aws:iam::{C}:role/r",
    *_SERVICES,
    "ecs.amazonaws.com",
    *_PROVIDERS,
    "graph.facebook.com",
    "*",
)
_HOLDERS = tuple(who for who in CALLERS if who.startswith("arn:") and "-provider" not in who and " " not in who)

_TEXTS = ("a", "A", "b", "ab", "*", "?", "a*", "?*", "*b", "", "x")
_NUMBERS = ("5", "5.0", "05", "-1", "10", "7.5", "2026", "1767225600", "9e9")
_DATES = ("2026-01-01T00:00:00Z", "2026-01-01", "2026", "1767225600", "2027-06-01T12:00:00+02:00", "1767225600000")
_ADDRESSES = ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.2.3", "0.0.0.0/0", "::/0", "2001:db8::/32", "10/8")
_BOOLEANS = ("true", "false", True, False, "TRUE", "yes")
_ARNS = ("arn:aws:s3:::b", "arn:aws:s3:::*", "arn:aws:*:*:*:b", "*", "**", "arn:*", "arn:aws:s3:::b:c", "*:*:*:*:*:*")
_BYTES = ("YQ==", "YR==", "YWI=", "\u00c9")
_PEOPLE = (
    *NAMED[:8],
    f"arn:aws:iam::{A}:*",
    "arn:aws:iam::*:user/alice",
    f"arn:aws:iam::{B}:role/*",
    f"arn:aws:sts::{A}:*",
)
_KEYS: dict[str, tuple[Any, ...]] = {
    "k": (*_TEXTS, *_NUMBERS[:3]),
    "s3:prefix": _TEXTS,
    "aws:UserAgent": _TEXTS,
    "aws:RequestTag/t": _TEXTS,
    "aws:PrincipalTag/t": _TEXTS,
    "aws:ResourceTag/o": ("${aws:username}", "a", "${aws:PrincipalTag/t}", "${aws:PrincipalTag/t, 'a'}", "*"),
    "aws:PrincipalOrgID": ("o-1", "o-2", "o-*", "O-1"),
    "aws:TagKeys": ("a", "b", "a*", ""),
    "aws:SourceArn": _ARNS,
    "aws:SourceAccount": (A, B, "*"),
    "aws:SourceIp": _ADDRESSES,
    "aws:CurrentTime": _DATES,
    "aws:EpochTime": (*_DATES[:4], "5", "10"),
    "aws:TokenIssueTime": _DATES,
    "aws:MultiFactorAuthAge": _NUMBERS,
    "aws:MultiFactorAuthPresent": _BOOLEANS,
    "aws:SecureTransport": _BOOLEANS,
    "aws:PrincipalArn": _PEOPLE,
    "aws:PrincipalAccount": (A, B, C, "1*", "*"),
    "aws:PrincipalType": ("User", "AssumedRole", "FederatedUser", "Account", "Anonymous", "*", "user"),
    "aws:username": ("alice", "bob", "carol", "*", "a*", ""),
    "aws:userid": (A, f"{A}:f", f"{A}:*", "*:*", "AIDA*", "anonymous"),
    "aws:PrincipalIsAWSService": _BOOLEANS,
    "aws:PrincipalServiceName": (*_SERVICES, "*"),
}
_SUITED = {
    "aws:SourceArn": "Arn",
    "aws:SourceIp": "IpAddress",
    "aws:CurrentTime": "Date",
    "aws:EpochTime": "Date",
    "aws:TokenIssueTime": "Date",
    "aws:MultiFactorAuthAge": "Numeric",
    "aws:MultiFactorAuthPresent": "Bool",
    "aws:SecureTransport": "Bool",
    "aws:PrincipalIsAWSService": "Bool",
    "aws:PrincipalArn": "Arn",
}
_ANY_VALUE = (*_TEXTS, *_NUMBERS, *_DATES, *_ADDRESSES, *_BOOLEANS, *_ARNS, *_BYTES, A)
_BY_FAMILY = {
    "Numeric": _NUMBERS,
    "Date": _DATES,
    "IpAddress": _ADDRESSES,
    "Bool": _BOOLEANS,
    "Arn": (*_ARNS, *_PEOPLE),
    "Binary": _BYTES,
}
_COMPLEMENTS = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "NumericEquals": "NumericNotEquals",
    "NumericLessThan": "NumericGreaterThanEquals",
    "NumericGreaterThan": "NumericLessThanEquals",
    "DateEquals": "DateNotEquals",
    "DateLessThan": "DateGreaterThanEquals",
    "DateGreaterThan": "DateLessThanEquals",
    "IpAddress": "NotIpAddress",
    "ArnLike": "ArnNotLike",
    "ArnEquals": "ArnNotEquals",
    "ForAllValues:StringLike": "ForAnyValue:StringNotLike",
    "ForAnyValue:StringEquals": "ForAllValues:StringNotEquals",
}
_ACTIONS = ("ecr:PutImage", "ecr:BatchGetImage", "ecr:*", "ecr:Put*", "ECR:*image", "*", "ecr:?utImage")
_STS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:*", "sts:AssumeRole*", "*")
_REPOSITORY = f"arn:aws:ecr:eu-central-1:{B}:repository"
_RESOURCES = (
    *("*", f"{_REPOSITORY}/shop/checkout", f"{_REPOSITORY}/shop/*", f"{_REPOSITORY}/*", f"{_REPOSITORY}/*out"),
    *(f"{_REPOSITORY}/${{aws:username}}/*", f"{_REPOSITORY}/${{aws:PrincipalTag/t}}/*", f"arn:aws:ecr:*:{B}:*"),
    f"{_REPOSITORY}/${{aws:username, 'shop'}}/x",
)


def pair(seed: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A kind and two documents, alike more often than not."""
    chance = random.Random(seed)
    kind = chance.choice(("repository", "repository", "trust", "identity", "identity"))
    keys = chance.sample(sorted(_KEYS), chance.choice((1, 1, 2, 3)))
    version = chance.choice(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"))

    def one() -> dict[str, Any]:
        return _statement(chance, kind, keys)

    mine = [one() for _ in range(chance.randint(1, 3))]
    other = [*mine]
    at = chance.randrange(len(mine))
    match chance.choice(("add", "add", "drop", "change", "change", "cover", "cover", "guard", "new")):
        case "add":
            other.append(one())
        case "drop" if len(mine) > 1:
            other.pop(at)
        case "cover":
            other[at : at + 1] = _covered(chance, mine[at], keys)
        case "guard":
            other.append({**one(), "Effect": "Deny"})
        case "new":
            other = [one() for _ in range(chance.randint(1, 2))]
        case _:
            fresh = one()
            name = chance.choice([name for name in fresh if name != "Effect"])
            kept = {
                key: value for key, value in mine[at].items() if key.removeprefix("Not") != name.removeprefix("Not")
            }
            other[at] = kept | {name: fresh[name]}
    both = [mine, other]
    chance.shuffle(both)
    return kind, {"Version": version, "Statement": both[0]}, {"Version": version, "Statement": both[1]}


def _statement(chance: random.Random, kind: str, keys: list[str]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": chance.choice(("Allow", "Allow", "Allow", "Deny"))}
    if kind == "identity":
        statement[chance.choice(("Resource",) * 5 + ("NotResource",))] = chance.sample(_RESOURCES, chance.randint(1, 2))
    else:
        statement[chance.choice(("Principal",) * 6 + ("NotPrincipal",))] = _principal(chance)
    actions = chance.sample(_STS if kind == "trust" else _ACTIONS, chance.choice((1, 1, 2)))
    statement[chance.choice(("Action",) * 6 + ("NotAction",))] = actions
    if chance.random() < 0.7:
        condition: dict[str, dict[str, Any]] = {}
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            operator, key, values = _clause(chance, keys)
            condition.setdefault(operator, {})[key] = values
        statement["Condition"] = condition
    return statement


def _principal(chance: random.Random) -> Any:
    return chance.choice(
        (
            lambda: "*",
            lambda: {"AWS": chance.sample(NAMED, chance.randint(1, 3))},
            lambda: {"AWS": chance.sample(NAMED, chance.randint(1, 3))},
            lambda: {"AWS": [*chance.sample(NAMED, chance.randint(1, 2)), "*"]},
            lambda: {"Service": chance.choice((*_SERVICES, "*")), "AWS": chance.choice(NAMED)},
            lambda: {"Federated": chance.choice((*_PROVIDERS, "*"))},
        )
    )()


def _clause(chance: random.Random, keys: list[str]) -> tuple[str, str, list[Any]]:
    key = chance.choice(keys)
    family = _SUITED.get(key, "String")
    suited = [name for name in OPERATORS if family in name]
    operator = chance.choice(chance.choice((suited, suited, OPERATORS)))
    if operator.endswith("Null"):
        return operator, key, [chance.choice(("true", "false"))]
    fits = next((values for name, values in _BY_FAMILY.items() if name in operator), _KEYS[key])
    pool = chance.choice((_KEYS[key], _KEYS[key], fits, fits, _ANY_VALUE)) if chance.random() < 0.95 else _ANY_VALUE
    return operator, key, [chance.choice(pool) for _ in range(chance.choice((1, 1, 1, 2, 3, 0)))]


def _covered(chance: random.Random, statement: dict[str, Any], keys: list[str]) -> list[dict[str, Any]]:
    """The statement under a clause, and under its complement: together nearly the statement."""
    operator = chance.choice([*_COMPLEMENTS])
    key = chance.choice(keys)
    fits = next((values for name, values in _BY_FAMILY.items() if name in operator), _KEYS[key])
    values = [chance.choice(chance.choice((_KEYS[key], fits))) for _ in range(chance.choice((1, 1, 2)))]
    names = [operator + chance.choice(("", "IfExists")), _COMPLEMENTS[operator] + chance.choice(("", "IfExists"))]
    if chance.random() < 0.2:
        names.append("Null")
    made: list[dict[str, Any]] = []
    for name in names:
        condition = json.loads(json.dumps(statement.get("Condition", {})))
        condition.setdefault(name, {})[key] = [chance.choice(("true", "true", "false"))] if name == "Null" else values
        made.append({**statement, "Condition": condition})
    return made


_IDENTIFIERS = ("AIDAABCDEFGHIJKLMNOPQ", "AROAABCDEFGHIJKLMNOPQ:s")
_OPEN_TEXTS = (
    "a",
    "b",
    "A",
    "ab",
    "ax",
    "xb",
    "x",
    "",
    "5",
    "5.0",
    "4",
    "6",
    "11",
    "7.5",
    "-2",
    "true",
    "false",
    "10.1.2.3",
)
_SAMPLES: dict[str, tuple[str, ...]] = {
    "aws:principalorgid": ("o-1", "o-2", "o-x", "O-1"),
    "aws:sourcearn": ("arn:aws:s3:::b", "arn:aws:s3:::x", "arn:aws:x:y:1:b", "arn:aws:s3:::b:c"),
    "aws:sourceaccount": (A, B, C),
    "aws:sourceip": ("10.1.2.3", "10.200.0.1", "192.168.0.1", "2001:db8::1", "fe80::1"),
    "aws:currenttime": ("2026-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    "aws:tokenissuetime": (
        "2026-01-01T00:00:00Z",
        "2025-06-01T00:00:00Z",
        "2026-06-01T00:00:00Z",
        "2028-01-01T00:00:00Z",
    ),
    "aws:epochtime": ("1767225600", "1767225599", "1767225601", "1850000000"),
    "aws:multifactorauthage": ("4", "5", "6", "7.5", "8", "10", "11", "2026", "2027", "1767225600"),
    "aws:multifactorauthpresent": ("true", "false"),
    "aws:securetransport": ("true", "false"),
}
_SIGNED = (
    "aws:principaltag/t",
    "aws:principalorgid",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:tokenissuetime",
)


def requests(
    seed: int, kind: str, live: dict[str, Any], desired: dict[str, Any], count: int = 150
) -> Iterator[Request]:
    """Requests of which some may tell the documents apart."""
    chance = random.Random(seed)
    text = json.dumps([live, desired], ensure_ascii=False)
    lowered = text.lower()
    used = [key.lower() for key in _KEYS if key.lower() in lowered]
    literal = {key: sorted(_values_of(key, live, desired)) for key in used}
    several = {key for key in used if _is_read_as_a_set(key, live, desired)}
    callers = _HOLDERS if kind == "identity" else CALLERS
    likely = [who for who in callers if who.split(" ")[0] in text] or list(callers)
    actions = (
        ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:x")
        if kind == "trust"
        else ("ecr:PutImage", "ecr:BatchGetImage", "ecr:PutLifecyclePolicy", "ecr:x")
    )
    resources = (
        ("*", *(f"{_REPOSITORY}/{name}" for name in ("shop/checkout", "shop/x", "out", "alice/x", "a/x", "bob/x")))
        if kind == "identity"
        else ("*",)
    )
    for _ in range(count):
        who = chance.choice(chance.choice((likely, callers)))
        own = own_keys(chance, who)
        context: dict[str, tuple[str, ...]] = {}
        for key in used:
            if key in own:
                context[key] = own[key]
            elif (who == "*" and key in _SIGNED) or chance.random() < 0.2:
                context[key] = ()
            else:
                values = _some_values(chance, key, literal[key], several=key in several)
                context[key] = values
        yield Request(who, chance.choice(actions), chance.choice(resources), context)


def _some_values(chance: random.Random, key: str, literal: list[str], *, several: bool) -> tuple[str, ...]:
    known = _SAMPLES.get(key)
    pool = known if known is not None else (*literal, *literal, *_OPEN_TEXTS)
    if not several:
        return (chance.choice(pool),)
    return tuple(chance.choice(pool) for _ in range(chance.choice((1, 1, 2, 3))))


def _values_of(key: str, *documents: dict[str, Any]) -> set[str]:
    """Texts that may match what the documents say of a key."""
    found: set[str] = set()
    for document in documents:
        for statement in document["Statement"]:
            for block in statement.get("Condition", {}).values():
                for name, values in block.items():
                    if name.lower() == key:
                        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
                        for one in texts:
                            found.update(
                                (one, one.replace("*", "").replace("?", "q"), one.replace("*", "zz"), one.swapcase())
                            )
                            if re.fullmatch("-?[0-9]+", one):
                                found.update((str(int(one) + 1), str(int(one) - 1)))
    return found


def _is_read_as_a_set(key: str, *documents: dict[str, Any]) -> bool:
    return any(
        ":" in operator and name.lower() == key
        for document in documents
        for statement in document["Statement"]
        for operator, block in statement.get("Condition", {}).items()
        for name in block
    )


def own_keys(chance: random.Random, who: str) -> dict[str, tuple[str, ...]]:
    """The keys that follow from who asks."""
    found: dict[str, tuple[str, ...]] = {"aws:username": (), "aws:principalservicename": ()}
    owner: tuple[str, ...]
    own = who.rpartition(" ")[2]
    if own == "*":
        return found | {
            "aws:principaltype": ("Anonymous",),
            "aws:principalaccount": ("anonymous",),
            "aws:userid": ("anonymous",),
            "aws:principalarn": (),
            "aws:principalisawsservice": (),
        }
    if "-provider/" in own or not own.startswith("arn:"):
        service = own.endswith(".amazonaws.com")
        owner = chance.choice(((), ("444444444444",)))
        return found | {
            "aws:principaltype": (),
            "aws:principalarn": (),
            "aws:principalisawsservice": ("true",) if service else (),
            "aws:principalservicename": (own,) if service else (),
            "aws:principalaccount": owner,
        }
    account, resource = own.split(":")[4], own.split(":", 5)[5]
    what, _, name = resource.partition("/")
    found |= {"aws:principalaccount": (account,), "aws:principalisawsservice": ("false",), "aws:principalarn": (own,)}
    match what:
        case "user":
            found |= {"aws:principaltype": ("User",), "aws:username": (name.rpartition("/")[2],)}
            found["aws:userid"] = (_IDENTIFIERS[0],)
        case "root":
            found |= {"aws:principaltype": ("Account",), "aws:userid": (account,)}
        case "federated-user":
            found |= {"aws:principaltype": ("FederatedUser",), "aws:userid": (f"{account}:{name}",)}
        case _:
            role = name.partition("/")[0] if what == "assumed-role" else name
            path = "team/" if what == "assumed-role" and role == "p" else ""
            found |= {"aws:principaltype": ("AssumedRole",), "aws:userid": (_IDENTIFIERS[1],)}
            found["aws:principalarn"] = (f"arn:aws:iam::{account}:role/{path}{role}",)
    return found
