"""Outsiders of an imported estate stay findings, whether the spec is observed or enforced."""

import json
from pathlib import Path

import pytest

from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import none_repaired
from ecr_warden.core.desired import CompiledSpec
from ecr_warden_cli.importing.outside import outside_of
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, parse_document, raw_statements
from iam_access.document.kind import DocumentKind
from iam_access.who_can.ours import Ours
from local.testing.grown import grown
from tests.snapshots import estate_from_text
from tests.tables import load
from tests.unit.importing.imports import EVERYBODY, NOW, Json, imported
from tests.unit.importing.letting_in import in_force, loaded, with_lines

HOME, CI = "222222222222", "111111111111"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
INSIDER = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CI}:root"}, "Action": PULL}


def _found(snapshot: Json, compiled: CompiledSpec) -> set[tuple[str, str, str]]:
    """Outsiders whom an audit of the observed estate finds: where, what, and who."""
    estate = estate_from_text(json.dumps(snapshot), at=NOW)
    audit = find(estate, compiled, None, None, live=none_repaired)
    assert not audit.failure
    return {(one.place, one.access, one.principal) for one in audit.findings if one.foreign}


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def _role(name: str, trust: Json) -> Json:
    push = [*PULL, "ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]
    own = _policy({"Effect": "Allow", "Action": [*push, "ecr:GetAuthorizationToken"], "Resource": "*"})
    return {
        "Arn": f"arn:aws:iam::{HOME}:role/{name}",
        "RoleId": f"AROA{name.upper()}",
        "RolePolicyList": [{"PolicyName": "push", "PolicyDocument": own}],
        "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": _policy(trust),
    }


def _snapshot(*roles: Json, policy: Json | None = None, registry: Json | None = None) -> Json:
    repositories = [{"repositoryName": "shop/app", "policy": policy or _policy(INSIDER)}]
    iam = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [*roles]}
    empty: Json = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": []}
    home = {"iam": iam, "ecr": {"eu-central-1": {"repositories": repositories, "registryPolicy": registry}}}
    return {"schema": 1, "accounts": {CI: {"iam": empty}, HOME: home}}


def _allow(principal: Json, action: str | list[str] = PULL) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": action}


def _trust(principal: Json) -> Json:
    return _allow(principal, "sts:AssumeRole")


DOORS: dict[str, Json] = load((Path(__file__).parents[2] / "cases/back_doors.yaml").read_text())["back doors"]
BACK_DOORS = {
    name: _snapshot(
        *(_role(role, trust) for role, trust in row.get("roles", {}).items()),
        policy=_policy(*row["policy"]) if "policy" in row else None,
        registry=_policy(*row["registry"]) if "registry" in row else None,
    )
    for name, row in DOORS.items()
}


@pytest.mark.parametrize("name", BACK_DOORS)
def test_who_is_no_insider_stays_a_finding_after_an_import(name: str) -> None:
    snapshot = BACK_DOORS[name]
    nothing = loaded(imported(_snapshot()).text)
    before = _found(snapshot, nothing)
    assert before, "the audit finds it where the spec says nothing of it"
    made = imported(snapshot)
    assert _found(snapshot, made.loaded.compiled) == before
    assert _found(in_force(snapshot, made.text), made.loaded.compiled) == before


def test_the_twin_without_outsiders_has_no_finding_and_no_comment() -> None:
    snapshot = _snapshot(_role("deploy", _trust({"AWS": f"arn:aws:iam::{CI}:root"})))
    made = imported(snapshot)
    assert not made.outsiders
    assert "  # - " not in made.text
    assert not _found(snapshot, made.loaded.compiled)


@pytest.mark.parametrize("name", [name for name in BACK_DOORS if name not in ("everybody", *list(BACK_DOORS)[-1:])])
def test_whoever_takes_the_lines_names_them_and_once_that_is_enforced_they_are_no_finding(name: str) -> None:
    snapshot = BACK_DOORS[name]
    text = with_lines(imported(snapshot).text)
    assert _found(snapshot, loaded(text)) == _found(snapshot, loaded(imported(_snapshot()).text))
    assert not _found(snapshot, loaded(text.replace("mode: observe", "mode: enforce")))


@pytest.mark.parametrize("name", BACK_DOORS)
def test_an_outsider_who_was_shut_out_is_not_given_back(name: str) -> None:
    """Somebody removes the back door, and the spec is enforced."""
    made = imported(BACK_DOORS[name])
    assert not _found(in_force(_snapshot(), made.text), made.loaded.compiled)


def test_every_text_with_lines_of_a_grown_estate_is_valid_and_says_all() -> None:
    snapshot = grown(60, 11).snapshot()
    made = imported(snapshot)
    assert made.outsiders
    compiled = loaded(with_lines(made.text))
    named = imported(snapshot, ours=EVERYBODY)
    assert compiled.targets.keys() >= named.loaded.compiled.targets.keys() - {
        key for key in named.loaded.compiled.targets if key.startswith("user/")
    }


def test_a_document_of_a_megabyte_is_left_out_and_not_repeated() -> None:
    names = [f"arn:aws:iam::999999999999:user/{number:05}" for number in range(20_000)]
    snapshot = _snapshot(_role("deploy", _trust({"AWS": names})), policy=_policy(INSIDER, _allow({"AWS": names})))
    made = imported(snapshot)
    assert len(made.text) < 20_000
    assert "  # - " not in made.text
    assert f"repository/{HOME}/eu-central-1/shop/app" in made.left_out
    assert "cannot be parsed" in made.text


def test_of_hundreds_of_outsiders_some_are_named_and_the_others_counted() -> None:
    names = [f"arn:aws:iam::{900_000_000_000 + number}:root" for number in range(150)]
    made = imported(_snapshot(policy=_policy(INSIDER, _allow({"AWS": names}))))
    assert len(made.outsiders) == 150
    assert "and 143 more" in made.text or "and 142 more" in made.text
    [entry] = made.loaded.spec.repositories
    assert (entry.beside, [str(one.puller) for one in entry.pull]) == (None, [f"the account {CI}"])


TO_OURS = _allow("*") | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}  # type: ignore[arg-type]


def _spares(operator: str, key: str, *values: str) -> Json:
    return {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Condition": {operator: {key: list(values)}}}


SPARING: dict[str, tuple[Json, bool]] = {
    "another account than ours": (_spares("StringNotEquals", "aws:PrincipalAccount", CI), True),
    "another than ours, if anybody": (_spares("StringNotEqualsIfExists", "aws:PrincipalAccount", CI, HOME), True),
    "who is not called as ours are": (_spares("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{CI}:*"), True),
    "all but a user of ours": (
        {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{CI}:user/x"}, "Action": "*"},
        True,
    ),
    "another than ours and than an outsider": (
        _spares("StringNotEquals", "aws:PrincipalAccount", CI, "999999999999"),
        False,
    ),
    "ours": (_spares("StringEquals", "aws:PrincipalAccount", CI), False),
    "who has another path, if any": (
        _spares("ForAnyValue:StringNotLike", "aws:PrincipalArn", f"arn:aws:iam::{CI}:*"),
        False,
    ),
    "another than ours without TLS": (
        _spares("StringNotEquals", "aws:PrincipalAccount", CI)
        | {
            "Condition": {
                "StringNotEquals": {"aws:PrincipalAccount": CI},
                "Bool": {"aws:SecureTransport": "false"},
            }
        },
        False,
    ),
    "a part of the call": (_spares("StringNotEquals", "aws:PrincipalAccount", CI) | {"Action": "ecr:PutImage"}, False),
    "all but an outsider": (
        {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::999999999999:user/x"}, "Action": "*"},
        False,
    ),
}


@pytest.mark.parametrize("name", SPARING)
def test_everybody_and_a_deny_for_all_but_ours_lets_in_nobody(name: str) -> None:
    deny, is_shut = SPARING[name]
    made = imported(_snapshot(policy=_policy(TO_OURS, deny)))
    assert (not made.outsiders) is is_shut


LISTED: dict[str, tuple[Json, str]] = {
    "accounts": ({"StringEquals": {"aws:PrincipalAccount": [CI, "999999999999"]}}, CI),
    "ARNs": (
        {"ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{CI}:role/*", "arn:aws:iam::999999999999:role/*"]}},
        f"arn:aws:iam::{CI}:role/*",
    ),
    "organizations": ({"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "o-zzzzzzzzzz"]}}, "o-a1b2c3d4e5"),
    "paths of organizations": (
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/*", "o-zzzzzzzzzz/*"]}},
        "o-a1b2c3d4e5/*",
    ),
    "accounts and networks": (
        {
            "StringEquals": {"aws:PrincipalAccount": [CI, "999999999999"]},
            "IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]},
        },
        CI,
    ),
}
_OURS = Ours(organizations=frozenset({"o-a1b2c3d4e5"}))


@pytest.mark.parametrize("name", LISTED)
def test_of_those_whom_a_condition_lists_ours_stay(name: str) -> None:
    conditions, ours = LISTED[name]
    statement = _allow("*") | {"Condition": conditions}  # type: ignore[arg-type]
    document = parse_document(_policy(statement))
    part = outside_of(document, DocumentKind.RESOURCE, HOME, ours=Ours(frozenset({CI, HOME}), _OURS.organizations))
    assert part is not None
    assert part.rest is not None
    assert not gained_and_lost(document, part.beside(part.rest), kind=DocumentKind.RESOURCE).gained
    [kept], [others] = raw_statements(part.rest), raw_statements(part.said)
    values = [str(value) for by_key in conditions.values() for some in by_key.values() for value in some]
    assert {value for value in values if value in str(kept)} | {v for v in values if v in str(others)} == {*values}
    assert ours in str(kept)
    assert ours not in str(others["Condition"])
    assert not any(outsider in str(kept) for outsider in ("999999999999", "o-zzzzzzzzzz"))
    made = imported(_snapshot(policy=_policy(statement)), ours=_OURS)
    assert made.outsiders
    assert ours in made.text


_TEAM, _OURS_ALONE = {"aws:PrincipalTag/team": "shop"}, {"aws:PrincipalAccount": ["100000000001", CI]}
CONDITIONS: dict[str, tuple[Json, Json]] = {
    "another operator": ({"StringLike": _TEAM}, {"StringEquals": _OURS_ALONE, "StringLike": _TEAM}),
    "the same operator": ({"StringEquals": _TEAM}, {"StringEquals": _TEAM | _OURS_ALONE}),
    "the same operator in other letters": ({"stringequals": _TEAM}, {"stringequals": _TEAM | _OURS_ALONE}),
    "the same operator and key": (
        {"StringEquals": {"AWS:principalAccount": "${aws:PrincipalTag/team}"}},
        {"StringEquals": {"AWS:principalAccount": "${aws:PrincipalTag/team}"}, "StringLike": _OURS_ALONE},
    ),
    "every operator": (
        {"StringEquals": _TEAM, "StringLike": _TEAM, "StringEqualsIgnoreCase": _TEAM},
        {"StringEquals": _TEAM | _OURS_ALONE, "StringLike": _TEAM, "StringEqualsIgnoreCase": _TEAM},
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_is_said_for_anybody_is_said_for_ours_whatever_conditions_it_has(name: str) -> None:
    conditions, expected = CONDITIONS[name]
    [kept] = raw_statements(_rest(_allow("*") | {"Sid": "Pull", "Condition": conditions}, accounts=2))  # type: ignore[arg-type]
    assert kept["Condition"] == expected
    assert "Sid" not in kept


def test_the_accounts_of_an_estate_for_which_a_policy_has_no_room_are_left_out() -> None:
    assert len(raw_statements(_rest(INSIDER, TO_OURS, accounts=500))) == 2
    assert raw_statements(_rest(INSIDER, TO_OURS, accounts=700)) == [INSIDER]


def _rest(*statements: Json, accounts: int) -> Document:
    ours = Ours(frozenset({CI, *(str(100_000_000_000 + number) for number in range(1, accounts))}))
    part = outside_of(parse_document(_policy(*statements)), DocumentKind.RESOURCE, HOME, ours=ours)
    assert part is not None
    assert part.rest is not None
    return part.rest
