"""Random small estates that let in who is not ours: windows, halves, and whom a Deny spares.

Two accounts of ours, two of outsiders, and all that hangs on one registry: its policy, a creation template, a
repository that the spec names and one that it does not, and roles of ours whose trust policies are drawn too.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate as ReadEstate
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.document import Document
from local.testing.printed import NOBODY, complete
from local.testing.seed import compiled
from tests.property.outsider_oracle import (
    ACME,
    ASSUME,
    CI,
    DAY,
    HALVES,
    HOME,
    NAMED,
    NOW,
    PUSH,
    REPOSITORY,
    UNNAMED,
    Estate,
    Json,
    Role,
)
from tests.snapshots import estate_from_text

AT = datetime.fromtimestamp(NOW, UTC)
FIRST, SECOND = "999999999999", "888888888888"
"""The accounts of outsiders."""
PUSHER, DEPLOY = f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher", f"arn:aws:iam::{HOME}:role/deploy"
DOOR, BUILD = f"arn:aws:iam::{HOME}:role/door", f"arn:aws:iam::{CI}:role/build"
ANN = f"arn:aws:iam::{CI}:user/ann"
_USER, _ROLE, _OTHER = (f"arn:aws:iam::{FIRST}:{one}" for one in ("user/x", "role/x", "role/y"))
_ROOT, _SESSION = f"arn:aws:iam::{FIRST}:root", f"arn:aws:sts::{FIRST}:assumed-role/x/s1"
_OURS = [f"arn:aws:iam::{CI}:root", f"arn:aws:iam::{HOME}:root"]

_ALLOWED: tuple[Json, ...] = (
    {"Principal": "*"},
    *({"Principal": {"AWS": one}} for one in (_ROOT, FIRST, _USER, _ROLE, _SESSION, [_USER, _OTHER], SECOND, ANN)),
    {"Principal": {"AWS": [*_OURS, _OTHER]}},
    {"NotPrincipal": {"AWS": _OURS}},
)
_DENIED: tuple[Json, ...] = (
    *({"Principal": one} for one in ("*", {"AWS": _ROOT}, {"AWS": _USER}, {"AWS": [_ROLE, SECOND]})),
    *({"NotPrincipal": {"AWS": one}} for one in ([_ROOT, _USER], [FIRST, _USER], [_ROOT], [_USER], [*_OURS])),
    *({"NotPrincipal": {"AWS": one}} for one in ([_ROOT, _ROLE], [_ROOT, _ROLE, _SESSION], [SECOND, _ROOT, _USER])),
)
_ACTIONS: tuple[tuple[str, ...], ...] = (
    *((one,) for one in HALVES),
    *((one,) for one in HALVES),
    HALVES,
    (PUSH,),
    (PUSH,),
    HALVES,
    ("ecr:BatchGet*", "ecr:DescribeImages"),
    ("ecr:GetDownload*", "ecr:GetAuthorizationToken"),
    ("ecr:DescribeImages", "ecr:BatchCheckLayerAvailability"),
)
_SOON = 50 * 60
_TIMES = (-2 * DAY, -DAY // 24, -1, 0, 1, 900, _SOON, 3 * DAY, 1500 * DAY)
_LATE = ("10000-01-01T00:00:00Z", "99999-01-01", "+12345-06-01T00:00:00Z")
"""Dates that no document of AWS's can compare."""

type Clauses = Sequence[tuple[str, str, Any]]


def _written(seconds: int, form: int) -> str:
    """A time, of the forms of a date: in UTC, in another zone, as seconds and as milliseconds since 1970."""
    at = AT + timedelta(seconds=seconds)
    match form:
        case 0 | 1 | 2:
            return at.strftime("%Y-%m-%dT%H:%M:%SZ")
        case 3:
            return at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
        case 4:
            return str(NOW + seconds)
        case _:
            return str((NOW + seconds) * 1000)


@st.composite
def _clock(draw: st.DrawFn) -> Clauses:
    """A window, a begin, an end, or nonsense, on the clock."""
    key, if_exists = draw(st.sampled_from(("aws:CurrentTime",) * 3 + ("aws:EpochTime",))), draw(_IF_EXISTS)
    is_number = key == "aws:EpochTime" and draw(st.booleans())
    kind, form = "Numeric" if is_number else "Date", 4 if is_number else draw(st.integers(0, 5))
    first, last = sorted(draw(st.lists(st.sampled_from(_TIMES), min_size=2, max_size=2, unique=True)))
    begin = (
        f"{kind}{draw(st.sampled_from(('GreaterThan', 'GreaterThanEquals')))}{if_exists}",
        key,
        _written(first, form),
    )
    end = (f"{kind}{draw(st.sampled_from(('LessThan', 'LessThanEquals')))}{if_exists}", key, _written(last, form))
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2 | 3:
            return [begin, end]
        case 4 | 5:
            return [begin]
        case 6 | 7:
            return [end]
        case 8:
            return [(f"{kind}{draw(st.sampled_from(('Equals', 'NotEquals')))}{if_exists}", key, begin[2])]
        case _ if is_number:
            return [("NumericLessThan", key, str((NOW + _SOON) * 1000))]
        case _:
            return [(end[0], key, draw(st.sampled_from(_LATE)))]


_IF_EXISTS = st.sampled_from(("", "", "", "IfExists"))


@st.composite
def _issued(draw: st.DrawFn) -> Clauses:
    operator = draw(st.sampled_from(("DateGreaterThan", "DateLessThan", "DateLessThanIfExists")))
    return [(operator, "aws:TokenIssueTime", _written(draw(st.sampled_from(_TIMES)), 0))]


def _one_of(*clauses: tuple[str, str, Any]) -> st.SearchStrategy[Clauses]:
    return st.sampled_from([[one] for one in clauses])


_FAMILIES: dict[str, st.SearchStrategy[Clauses]] = {
    "clock": _clock(),
    "issued": _issued(),
    "mfa": _one_of(
        ("Bool", "aws:MultiFactorAuthPresent", "true"),
        ("Bool", "aws:MultiFactorAuthPresent", "false"),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "false"),
        ("Null", "aws:MultiFactorAuthPresent", "true"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "300"),
        ("NumericGreaterThanIfExists", "aws:MultiFactorAuthAge", "3600"),
    ),
    "address": _one_of(
        ("IpAddress", "aws:SourceIp", "198.51.100.0/24"),
        ("IpAddress", "aws:SourceIp", "203.0.113.7/32"),
        ("NotIpAddress", "aws:SourceIp", "198.51.100.0/24"),
    ),
    "tag": _one_of(
        ("StringEquals", "aws:PrincipalTag/team", "a"),
        ("StringEquals", "aws:PrincipalTag/team", "b"),
        ("StringNotEquals", "aws:PrincipalTag/team", "a"),
        ("StringNotEqualsIfExists", "aws:PrincipalTag/team", "b"),
    ),
    "organization": _one_of(
        ("StringEquals", "aws:PrincipalOrgID", ACME),
        ("StringEquals", "aws:PrincipalOrgID", "o-zzzzzzzzzz"),
        ("StringNotEquals", "aws:PrincipalOrgID", ACME),
    ),
    "who": _one_of(
        ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{SECOND}:role/ci"),
        ("ArnNotEquals", "aws:PrincipalArn", _USER),
        ("StringNotEquals", "aws:PrincipalArn", f"arn:aws:iam::{SECOND}:user/z"),
        ("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{FIRST}:role/*"),
        ("StringNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/z"),
        ("StringEquals", "aws:PrincipalAccount", SECOND),
        ("StringNotEquals", "aws:PrincipalAccount", FIRST),
        ("StringNotEquals", "aws:PrincipalAccount", [CI, HOME]),
        ("StringEquals", "aws:PrincipalType", "User"),
    ),
}


@st.composite
def _statements(draw: st.DrawFn, families: list[str], *, trust: str = "") -> Json:
    """A statement of a policy that hangs on something; `trust`: a role of ours that a trust policy may name too."""
    allows = draw(st.sampled_from((True, True, True, False)))
    named = (*_ALLOWED, {"Principal": {"AWS": trust}}) if trust else _ALLOWED
    who = draw(st.sampled_from(named if allows else _DENIED))
    made: Json = {"Effect": "Allow" if allows else "Deny", **who}
    if trust:
        made["Action"] = ASSUME
    else:
        made["Action"] = [*draw(st.sampled_from(_ACTIONS))] if allows else draw(st.sampled_from(("ecr:*", *HALVES)))
    for family in draw(st.lists(st.sampled_from(families), max_size=2)) if draw(st.booleans()) else ():
        for operator, key, values in draw(_FAMILIES[family]):
            made.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    return made


def _documents(families: list[str], *, trust: str = "", most: int = 3) -> st.SearchStrategy[list[Json]]:
    return st.lists(_statements(families, trust=trust), max_size=most)


def _maybe(drawn: st.SearchStrategy[list[Json]], one_in: int) -> st.SearchStrategy[list[Json]]:
    return st.integers(1, one_in).flatmap(lambda number: drawn if number == 1 else st.just([]))


def _trusting(principal: str) -> Json:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ASSUME}


@st.composite
def _roles(draw: st.DrawFn, families: list[str]) -> dict[str, Role]:
    """Two roles in a chain, the push role, and a role of our other account that the spec lets pull."""
    longest = st.sampled_from((None, 3600, 43_200))
    own_actions = draw(st.sampled_from((*[[one] for one in HALVES], [*HALVES], [PUSH])))
    own: Json = {"Effect": "Allow", "Action": own_actions, "Resource": "*"}
    for operator, key, values in draw(_FAMILIES[draw(st.sampled_from(families))]) if draw(st.booleans()) else ():
        own.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    take = {"Effect": "Allow", "Action": ASSUME, "Resource": "*"}
    trusts = draw(_maybe(_documents(families, trust=DOOR, most=2), 2))
    chained = [_trusting(DOOR)] if draw(st.booleans()) else []
    push = {"Effect": "Allow", "Action": [PUSH, HALVES[0]], "Resource": f"{REPOSITORY}{NAMED}"}
    pull = {"Effect": "Allow", "Action": [*HALVES], "Resource": "*"}
    return {
        DEPLOY: Role([*trusts, *chained], [own], draw(longest)),
        DOOR: Role(draw(_maybe(_documents(families, trust=BUILD, most=2), 2)), [take], draw(longest)),
        PUSHER: Role(
            [_trusting(ANN), *draw(_maybe(_documents(families, trust=BUILD, most=1), 3))], [push], draw(longest)
        ),
        BUILD: Role(draw(_maybe(_documents(families, trust=DOOR, most=1), 3)), [pull, take], draw(longest)),
    }


class Case(NamedTuple):
    """An estate with the spec that it is compared with."""

    estate: Estate
    spec: Json

    @property
    def compiled(self) -> CompiledSpec:
        return _compiled(json.dumps(self.spec, sort_keys=True))

    @property
    def read(self) -> ReadEstate:
        return estate_from_text(json.dumps(snapshot_of(self.estate)), at=AT)


@lru_cache
def _compiled(text: str) -> CompiledSpec:
    return compiled(text, now=AT)


_UNTIL = (AT + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@st.composite
def _specs(draw: st.DrawFn) -> Json:
    """What the spec gives: a pull to a role of ours, sometimes to an organization too, and a push."""
    organization: list[Json] = draw(
        st.sampled_from(([], [], [{"organization": "acme"}], [{"organization": "acme", "until": _UNTIL}]))
    )
    who = draw(st.sampled_from(("", "", "", FIRST, _USER)))
    entry = {"principals": [who], "reason": "meant", "access": [draw(st.sampled_from(("pull", "push")))]}
    return {
        "version": 1,
        "accounts": {"ci": {"id": CI}, "registry": {"id": HOME, "regions": ["eu-central-1"]}},
        "organizations": {"acme": {"id": ACME}},
        "settings": {"mode": "enforce"},
        "repositories": [
            {
                "name": NAMED,
                "account": "registry",
                "pull": ["ci:role/build", *organization],
                "push": [{"role": "ecr-pusher", "by": ["ci:user/ann"]}],
            }
        ],
        "also_allowed": [entry] if who else [],
    }


def _given(spec: Json) -> list[Json]:
    """The statements that the spec gives on the repository that it names, as plain JSON."""
    key = RepositoryTarget(HOME, "eu-central-1", NAMED).key
    (document,) = (one for one in _compiled(json.dumps(spec, sort_keys=True)).targets[key].documents.values())
    assert isinstance(document, Document)
    statements: list[Json] = json.loads(document.text)["Statement"]
    return statements


_RESOURCES = tuple(f"{REPOSITORY}{name}" for name in ("*", "*", "shop/*", NAMED, "team/*"))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    families = draw(st.lists(st.sampled_from(["clock", *sorted(_FAMILIES)]), min_size=1, max_size=2))
    spec = draw(_specs())
    given = _given(spec)
    registry = draw(_maybe(_documents(families), 2))
    for one in registry:
        one["Resource"] = draw(st.sampled_from(_RESOURCES))
    estate = Estate(
        registry,
        [*given, *draw(_maybe(_documents(families), 2))],
        draw(_maybe(_documents(families), 2)),
        draw(_maybe(_documents(families, most=2), 4)),
        draw(_roles(families)),
        given,
        tuple((entry["principals"][0], entry["access"][0]) for entry in spec["also_allowed"]),
    )
    return Case(estate, spec)


def _policy(statements: list[Json]) -> Json | None:
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def snapshot_of(estate: Estate) -> Json:
    """The estate as AWS prints it."""
    accounts: Json = {name: {"iam": {"RoleDetailList": [], "UserDetailList": []}} for name in (CI, HOME)}
    for number, (arn, role) in enumerate(estate.roles.items()):
        entry: Json = {"Arn": arn, "RoleId": f"AROA{number}", "AssumeRolePolicyDocument": _policy(role.trust) or NOBODY}
        entry["RolePolicyList"] = [{"PolicyName": "own", "PolicyDocument": _policy(role.own)}]
        entry |= {"MaxSessionDuration": role.longest} if role.longest else {}
        accounts[arn.split(":")[4]]["iam"]["RoleDetailList"].append(entry)
    accounts[CI]["iam"]["UserDetailList"].append({"Arn": ANN, "UserId": "AIDAANN"})
    repositories: list[Json] = [
        {"repositoryName": name, "policy": _policy(policy), "tags": []}
        for name, policy in ((NAMED, estate.named), (UNNAMED, estate.unnamed))
    ]
    template: Json = {"prefix": "new", "repositoryPolicy": _policy(estate.template)}
    registry = {"repositories": repositories, "registryPolicy": _policy(estate.registry)}
    registry |= {"creationTemplates": [template] if estate.template else [], "replicationConfiguration": {"rules": []}}
    accounts[HOME]["ecr"] = {"eu-central-1": registry | {"pullThroughCacheRules": []}}
    in_acme = {"id": ACME, "path": f"{ACME}/r-ab12/", "management": False}
    accounts = {name: one | {"organization": in_acme} for name, one in accounts.items()}
    return complete({"schema": 1, "takenAt": AT.isoformat(), "accounts": accounts})
