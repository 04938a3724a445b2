"""The table of findings: each case is an estate, a spec, and what an audit finds."""

import copy
import json
from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.finding import Certainty, Finding, FindingKind
from ecr_warden.audit.findings import SuccessiveAudits, find
from ecr_warden.audit.repaired import Live, Waits, all_repaired, none_repaired
from ecr_warden.audit.spec_access import SpecAccess
from ecr_warden.audit.unread import lines
from ecr_warden.core.estate import Estate
from ecr_warden_cli.asking.access import question
from local.testing.printed import complete
from tests import tables
from tests.counting import counted
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import short

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TABLE = tables.load(Path("tests/cases/access/findings.yaml").read_text())
HOME, REGION = "222222222222", "eu-central-1"


def estate_of(case: dict[str, Any]) -> Estate:
    return estate_from_text(json.dumps(snapshot_of(case)), at=NOW)


def snapshot_of(case: dict[str, Any]) -> dict[str, Any]:
    """The table's estate with what the case adds to it."""
    accounts: dict[str, Any] = {name: {"iam": copy.deepcopy(iam)} for name, iam in TABLE["iam"].items()}
    for account, lists in case.get("iam", {}).items():
        iam = accounts.setdefault(account, {"iam": {}})["iam"]
        for name, entries in lists.items():
            iam[name] = [*iam.get(name, []), *entries]
    registry = copy.deepcopy(TABLE["ecr"])
    for name, value in case.get("ecr", {}).items():
        registry[name] = [*registry.get(name, []), *value] if isinstance(value, list) else value
    accounts[HOME]["ecr"] = {REGION: registry}
    accounts[HOME]["unread"] = case.get("denied", [])
    if "providers" in case:
        accounts[HOME]["oidcProviders"] = case["providers"]
    for account, more in case.get("more", {}).items():
        accounts[account] |= more
    for account in case.get("without", []):
        del accounts[account]
    return complete({"schema": 1, "takenAt": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "accounts": accounts})


def spec_of(text: str, also_allowed: list[Any]) -> Valid:
    whole = tables.load(text) | {"also_allowed": also_allowed}
    loaded = load_spec(json.dumps(whole, default=datetime.isoformat).encode(), version="v1", now=NOW, accepted=True)
    assert isinstance(loaded, Valid), loaded
    return loaded


def line(finding: Finding) -> str:
    """A finding in one line."""
    place = finding.place.removeprefix(f"repository/{HOME}/{REGION}/")
    words = " ".join(filter(None, (finding.kind, finding.access, place, finding.scope)))
    chain = " > ".join(map(short, finding.chain)) or finding.principal
    marks = [finding.certainty.value] if finding.certainty is not Certainty.YES else []
    marks += ["foreign"] if finding.foreign else []
    marks += [f"half {finding.half}"] if finding.half else []
    marks += ["ends repaired"] if finding.ends_repaired else []
    return words + (f": {chain}" if chain else "") + (f" ({', '.join(marks)})" if marks else "")


@pytest.mark.parametrize("case", TABLE["cases"])
def test_the_audit_finds(case: str) -> None:
    row = TABLE["cases"][case]
    spec = spec_of(row.get("spec", TABLE["spec"]), row.get("also_allowed", []))
    waiting = row.get("live", ())
    live = {key: Waits(waiting[key] if isinstance(waiting, dict) else Waits.NOBODY) for key in waiting}
    known = row.get("administrators"), row.get("upstreams")
    audit = find(estate_of(row), spec.compiled, *known, hub=row.get("hub", ""), live=live.get)
    assert [line(finding) for finding in audit.findings] == row["finds"]
    assert len({finding.key for finding in audit.findings}) == len(audit.findings)
    if "remedies" in row:
        assert [finding.remedy for finding in audit.findings] == row["remedies"]
    if "accepts" in row:
        assert [finding.accept for finding in audit.findings] == row["accepts"]
    if "because" in row:
        assert [reason for finding in audit.findings for reason in finding.because] == row["because"]
    if "conditions" in row:
        assert [text for finding in audit.findings for text in finding.conditions] == row["conditions"]
    if "lacking" in row:
        assert [action for finding in audit.findings for action in finding.lacking] == row["lacking"]
    if "administers" in row:
        assert {name: list(names) for name, names in audit.administrators.items()} == row["administers"]
    if "knows" in row:
        assert {name: list(rules) for name, rules in audit.upstreams.items()} == row["knows"]
    assert list(lines(audit.unread)) == row.get("unread", [])


@pytest.mark.parametrize("case", [[], ["lambda-image-retrieval"]])
def test_who_can_says_whether_the_spec_permits_a_foreign_statement(case: list[str]) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{HOME}:function:*"}},
    }
    estate = estate_of({"ecr": {"repositories": [{"repositoryName": "other", "policy": {"Statement": statement}}]}})
    accounts = {"registry": {"id": HOME, "regions": [REGION]}}
    entry = {"name": "other", "account": "registry", "foreign_statements": case}
    compiled = spec_of(json.dumps({"version": 1, "accounts": accounts, "repositories": [entry]}), []).compiled
    graph = RepositoryGraph(estate)
    asked = question(graph, "pull", "other")
    (path,) = graph.who_can(asked.ways[0]).values()
    target = asked.repository.target
    assert SpecAccess(compiled, estate, [target]).gives("pull", target, path) is bool(case)


def test_of_very_many_principals_the_rest_is_one_finding_that_changes_with_them() -> None:
    spec = spec_of(TABLE["spec"], []).compiled
    document = {"Statement": {"Effect": "Allow", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": "*"}}

    def found(names: list[str]) -> tuple[Finding, ...]:
        policies = [{"PolicyName": "pull", "PolicyDocument": document}]
        users = [{"Arn": f"arn:aws:iam::{HOME}:user/{name}", "UserPolicyList": policies} for name in names]
        return find(estate_of({"iam": {HOME: {"UserDetailList": users}}}), spec, None, None).findings

    many = [f"u{number:03}" for number in range(100)]
    *named, rest = found(many)
    assert [one.principal.rpartition("/")[2] for one in named] == many[:20]
    assert rest.principal == "more principals"
    assert rest.because[-1] == "and 76 more"
    assert found(many)[-1].key == rest.key
    assert found([*many[:-1], "zoe"])[-1].key != rest.key
    assert found([*many, "zoe"])[-1].deed == rest.deed, "how many they are ends nothing"


def test_what_the_spec_gives_is_decided_once_for_many_principals_that_nothing_tells_apart() -> None:
    spec = spec_of(TABLE["spec"], [{"principals": [{"account": "registry"}], "reason": "all may pull"}]).compiled
    document = {"Statement": {"Effect": "Allow", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": "*"}}
    policies = [{"PolicyName": "pull", "PolicyDocument": document}]

    def work(number: int) -> int:
        # Names that no other test has read: what is kept of a name would be counted or not, as the tests are chosen.
        arns = (f"arn:aws:iam::{HOME}:user/{number}-alike/u{at}" for at in range(number))
        users = [{"Arn": arn, "UserPolicyList": policies} for arn in arns]
        estate = estate_of({"iam": {HOME: {"UserDetailList": users}}})
        found, done = counted(lambda: find(estate, spec, None, None).findings)
        assert found == ()
        return done

    # Each is asked once directly, for an audit without time for more, and once on all ways.
    assert (work(110) - work(10)) / 100 < 900


def test_an_outsider_is_named_before_the_many_that_hide_it() -> None:
    spec = spec_of(TABLE["spec"], []).compiled
    document = {"Statement": {"Effect": "Allow", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": "*"}}
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}}
    policies = [{"PolicyName": "pull", "PolicyDocument": document}]
    users = [{"Arn": f"arn:aws:iam::{HOME}:user/u{number:03}", "UserPolicyList": policies} for number in range(100)]
    role = {"Arn": f"arn:aws:iam::{HOME}:role/z", "AssumeRolePolicyDocument": trust, "RolePolicyList": policies}
    findings = find(estate_of({"iam": {HOME: {"UserDetailList": users, "RoleDetailList": [role]}}}), spec, None, None)
    foreign = [(one.access, one.principal) for one in findings.findings if one.foreign]
    assert foreign == [(access, "anybody in account 999999999999") for access in ("pull", "ecr:BatchDeleteImage")]


def test_an_outsider_who_comes_by_very_many_roles_is_one_more_principal() -> None:
    spec = spec_of(TABLE["spec"], []).compiled
    document = {"Statement": {"Effect": "Allow", "Action": ["ecr:BatchGet*", "ecr:Get*"], "Resource": "*"}}
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}}
    own = {"AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "pull", "PolicyDocument": document}]}
    roles = [{"Arn": f"arn:aws:iam::{HOME}:role/r{number:03}", **own} for number in range(30)]
    *_, rest = find(estate_of({"iam": {HOME: {"RoleDetailList": roles}}}), spec, None, None).findings
    assert rest.principal == "more principals"
    assert len(rest.because) == 5
    assert rest.because[-1] == "and 27 more"


@pytest.mark.thorough
@pytest.mark.parametrize("parts", [2, 300])
def test_a_registry_policy_is_answered_in_few_questions_however_many_parts_and_principals_it_names(parts: int) -> None:
    repositories = [f"arn:aws:ecr:{REGION}:{HOME}:repository/{number}/*" for number in range(parts)]
    outsiders = [f"{number:012}" for number in range(parts)]
    allow = {"Effect": "Allow", "Principal": {"AWS": outsiders}, "Action": "ecr:*", "Resource": repositories}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": repositories[0]}
    asked = 0

    def count() -> bool:
        nonlocal asked
        asked += 1
        return True

    estate = estate_of({"ecr": {"registryPolicy": {"Version": "2012-10-17", "Statement": [allow, deny]}}})
    found = find(estate, spec_of(TABLE["spec"], []).compiled, None, None, count).findings
    assert any(one.foreign and one.kind is FindingKind.REGISTRY for one in found)
    assert asked < 100 + 28 * parts


class Limit:
    """Time for so many decisions."""

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked <= self.most


def rogues(action: str, *more: object, resource: str = "*") -> dict[str, Any]:
    """Twenty users who may do something with images, by policies of their own."""
    users = [
        {
            "Arn": f"arn:aws:iam::{HOME}:user/rogue-{number}",
            "UserId": f"AIDA{number}",
            "UserPolicyList": [
                {
                    "PolicyName": "own",
                    "PolicyDocument": {
                        "Statement": {"Sid": f"s{number}", "Effect": "Allow", "Action": action, "Resource": resource}
                    },
                }
            ],
        }
        for number in range(20)
    ]
    return {HOME: {"UserDetailList": [*users, *more]}}


def pulling(*more: object) -> dict[str, Any]:
    """Twenty users who may pull from a repository that the spec names."""
    return rogues("ecr:*Image", *more, resource=f"arn:aws:ecr:*:{HOME}:repository/shop/*")


CHANGES: dict[str, tuple[dict[str, Any], timedelta, bool]] = {
    "nothing": ({}, timedelta(minutes=59), True),
    "a user who has nothing to do with images": (
        {"iam": pulling({"Arn": f"arn:aws:iam::{HOME}:user/clerk", "UserId": "AIDACLERK"})},
        timedelta(minutes=1),
        True,
    ),
    "nothing, for an hour": ({}, timedelta(hours=1), False),
    "an account that is not read any more": ({"without": ["111111111111"]}, timedelta(minutes=1), False),
}


@pytest.mark.parametrize(("more", "later", "is_kept"), CHANGES.values(), ids=CHANGES)
def test_an_audit_after_a_change_asks_of_a_repository_only_what_that_can_change(
    more: dict[str, Any], later: timedelta, is_kept: bool
) -> None:
    spec, asked, whole = spec_of(TABLE["spec"], []).compiled, Limit(10**9), Limit(10**9)
    audits = SuccessiveAudits(asked)
    same = {"iam": pulling()}
    audits.find(estate_of(same), spec, None, None)
    asked.asked, changed = 0, replace(estate_of(same | more), taken_at=NOW + later)
    assert audits.find(changed, spec, None, None) == find(changed, spec, None, None, whole)
    assert (asked.asked < whole.asked / 2) is is_kept


def taken_by_outsiders(name: str, *actions: str, by: Any = "arn:aws:iam::999999999999:root") -> dict[str, Any]:
    """A role that an outsider may take, and what it may do."""
    kind = "AWS" if by.endswith(":root") else "Federated"
    action = "sts:AssumeRole" if kind == "AWS" else "sts:AssumeRoleWithWebIdentity"
    trust = {"Effect": "Allow", "Principal": {kind: by}, "Action": action}
    own = {"Statement": {"Effect": "Allow", "Action": [*actions], "Resource": "*"}}
    return {
        "Arn": f"arn:aws:iam::{HOME}:role/{name}",
        "RoleId": f"AROA{name.upper()}",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": own}] if actions else [],
    }


def with_roles(*roles: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"iam": {HOME: {"RoleDetailList": [*roles]}}, **more}


_BOTH, _GITLAB = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), f"arn:aws:iam::{HOME}:oidc-provider/gitlab.com"
LATER_HALVES: dict[str, tuple[dict[str, Any], ...]] = {
    "one half, and later the other": (
        with_roles(taken_by_outsiders("a"), taken_by_outsiders("b")),
        with_roles(taken_by_outsiders("a", _BOTH[0]), taken_by_outsiders("b")),
        with_roles(taken_by_outsiders("a", _BOTH[0]), taken_by_outsiders("b", _BOTH[1])),
    ),
    "a half that goes": (
        with_roles(taken_by_outsiders("a", _BOTH[0]), taken_by_outsiders("b", _BOTH[1])),
        with_roles(taken_by_outsiders("a"), taken_by_outsiders("b", _BOTH[1])),
    ),
    "an identity provider that is made, and goes": (
        with_roles(taken_by_outsiders("a", *_BOTH, by=_GITLAB), providers=[]),
        with_roles(taken_by_outsiders("a", *_BOTH, by=_GITLAB), providers=[_GITLAB]),
        with_roles(taken_by_outsiders("a", *_BOTH, by=_GITLAB), providers=[]),
    ),
}


@pytest.mark.parametrize("case", LATER_HALVES)
def test_an_audit_after_a_change_finds_outsiders_as_a_fresh_one_does(case: str) -> None:
    spec, audits = spec_of(TABLE["spec"], []).compiled, SuccessiveAudits()
    found = []
    for number, entry in enumerate(LATER_HALVES[case]):
        estate = replace(estate_of(entry), taken_at=NOW + timedelta(minutes=5 * number))
        successive = audits.find(estate, spec, None, None).findings
        assert successive == find(replace(estate, taken_at=NOW), spec, None, None).findings
        found.append({line(one) for one in successive if one.foreign})
    assert all(before != after for before, after in pairwise(found))


def test_an_audit_without_time_for_everything_has_what_opens_registries_and_says_so() -> None:
    outsiders = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "ecr:*", "Resource": "*"}
    estate = estate_of({"iam": rogues("ecr:*"), "ecr": {"registryPolicy": {"Statement": outsiders}}})
    spec, enough = spec_of(TABLE["spec"], []).compiled, Limit(10**9)
    whole = find(estate, spec, None, None, enough)
    cut = find(estate, spec, None, None, Limit(enough.asked // 2))
    assert (whole.failure, cut.failure) == ("", "there was not enough time to prove who has access")
    assert any(one.foreign and one.kind is FindingKind.REGISTRY for one in cut.findings)
    assert 0 < len(cut.findings) < len(whole.findings)
    assert set(cut.findings) <= set(whole.findings)


@pytest.mark.parametrize(
    ("hub", "role", "found"),
    [
        ("888888888888", "ecr-warden-reconcile", 0),
        ("888888888888", "ecr-warden-*", 1),
        ("888888888888", "other", 1),
        ("777777777777", "ecr-warden-reconcile", 1),
    ],
)
def test_the_hubs_roles_in_an_account_of_their_own_are_left_out_and_nobody_else_there(
    hub: str, role: str, found: int
) -> None:
    arns = {"aws:PrincipalArn": f"arn:aws:iam::888888888888:role/{role}"}
    condition = {"StringEquals": {"sts:ExternalId": "x"}, "ArnLike": arns}
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "888888888888"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    write = {"Statement": {"Effect": "Allow", "Action": "ecr:SetRepositoryPolicy", "Resource": "*"}}
    own = {
        "Arn": f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-warden-write",
        "AssumeRolePolicyDocument": {"Statement": trust | {"Condition": condition}},
        "RolePolicyList": [{"PolicyName": "write", "PolicyDocument": write}],
    }
    estate = estate_of({"iam": {HOME: {"RoleDetailList": [own]}}})
    audit = find(estate, spec_of(TABLE["spec"], []).compiled, {HOME: ()}, None, hub=hub)
    assert len(audit.administrators[HOME]) == found
    assert [one.kind for one in audit.findings] == [FindingKind.EXTRA] * found


def chained(number: int = 20) -> dict[str, Any]:
    """A condition that takes more combinations than are tried: each tag is another one."""
    tags = {f"aws:PrincipalTag/t{at}": f"${{aws:PrincipalTag/t{at + 1}}}-" for at in range(number)}
    return {"StringLike": tags, "StringEquals": {f"aws:PrincipalTag/t{number}": "x"}}


_HARD = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Condition": chained()}


def _with_role(action: str) -> dict[str, Any]:
    role = {
        "Arn": f"arn:aws:iam::{HOME}:role/shadow",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": _HARD | {"Action": "sts:AssumeRole"}},
        "RolePolicyList": [
            {
                "PolicyName": "own",
                "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}},
            }
        ],
    }
    return {"iam": {HOME: {"RoleDetailList": [role]}}}


HARD: dict[str, dict[str, Any]] = {
    "a registry policy": {
        "ecr": {"registryPolicy": {"Version": "2012-10-17", "Statement": _HARD | {"Action": "ecr:*", "Resource": "*"}}}
    },
    "a role that pushes": _with_role("ecr:*"),
    "a role that administers the account": _with_role("iam:*"),
}


@pytest.mark.parametrize("case", HARD.values(), ids=HARD)
def test_what_was_read_and_is_too_hard_to_decide_lets_an_outsider_in(case: dict[str, Any]) -> None:
    findings = find(estate_of(case), spec_of(TABLE["spec"], []).compiled, None, None).findings
    foreign = [one for one in findings if one.foreign]
    assert foreign
    assert {one.certainty for one in foreign} == {Certainty.CONDITIONAL}
    assert all("to decide it" in " ".join(one.because) or "are tried" in " ".join(one.because) for one in foreign)


def test_what_was_not_read_is_unknown_of_an_outsider_too() -> None:
    unread = [{"PolicyArn": "arn:aws:iam::aws:policy/NotInTheSnapshot"}]
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}}
    role = {
        "Arn": f"arn:aws:iam::{HOME}:role/shadow",
        "AssumeRolePolicyDocument": trust,
        "AttachedManagedPolicies": unread,
    }
    estate = estate_of({"iam": {HOME: {"RoleDetailList": [role]}}})
    findings = find(estate, spec_of(TABLE["spec"], []).compiled, None, None).findings
    assert {one.certainty for one in findings if one.foreign} == {Certainty.UNKNOWN}


def test_what_is_left_of_an_outsider_is_asked_once_for_repositories_that_nothing_tells_apart() -> None:
    accounts = {"registry": {"id": HOME, "regions": [REGION]}}
    spec = {"version": 1, "accounts": accounts, "organizations": {"acme": {"id": "o-a1b2c3d4e5"}}}
    entry = {"account": "registry", "pull": [{"organization": "acme"}]}
    users = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}
    opening = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*", "Condition": users}

    def work(number: int) -> int:
        names = [f"shop/{number}-alike/{at}" for at in range(number)]
        listed = [{"repositoryName": name} for name in names]
        estate = estate_of({"ecr": {"repositories": listed, "registryPolicy": {"Statement": opening}}})
        whole = spec | {"repositories": [entry | {"name": name} for name in names]}
        compiled = spec_of(json.dumps(whole), []).compiled
        found, done = counted(lambda: find(estate, compiled, None, None).findings)
        assert sum(one.foreign and one.access == "pull" and one.kind is FindingKind.EXTRA for one in found) == number
        return done

    assert (work(60) - work(10)) / 50 < 800


def test_a_remedy_is_tried_on_whoever_the_spec_may_let_in_and_once_where_the_same_decides_it() -> None:
    pull = {"Effect": "Allow", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": "*"}
    push = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}

    def work(users: int, repositories: int) -> int:
        # Of whomever the spec names, another statement allows what it gives.
        own = [{"PolicyName": "own", "PolicyDocument": {"Statement": [push, pull]}}]
        named = [f"u{users}-{repositories}-{at}" for at in range(users)]
        held = [{"Arn": f"arn:aws:iam::{HOME}:user/{name}", "UserPolicyList": own} for name in named]
        listed = [f"shop/{users}-{repositories}/{at}" for at in range(repositories)]
        pulling = {"account": "registry", "pull": [f"registry:user/{named[0]}"]}
        accounts = {"registry": {"id": HOME, "regions": [REGION]}}
        spec = {"version": 1, "accounts": accounts, "repositories": [pulling | {"name": name} for name in listed]}
        ecr = {"repositories": [{"repositoryName": name} for name in listed]}
        estate = estate_of({"iam": {HOME: {"UserDetailList": held}}, "ecr": ecr})
        compiled = spec_of(json.dumps(spec), []).compiled
        found, done = counted(lambda: find(estate, compiled, None, None).findings)
        assert "remove statement" in found[0].remedy
        return done

    assert (work(18, 20) - work(8, 20)) / 10 < 4_800
    assert (work(8, 20) - work(8, 5)) / 15 < 1_500


_ALL_OF_ECR = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}


def test_a_statement_is_tried_once_as_a_remedy_for_repositories_with_policies_of_their_own() -> None:
    ecr = [{"PolicyName": "own", "PolicyDocument": {"Statement": _ALL_OF_ECR}}]

    def work(number: int) -> int:
        names = [f"tried/{number}/{at}" for at in range(number)]
        named = [f"arn:aws:iam::{HOME}:user/tried-{number}-{at}" for at in range(number)]
        held = [{"Arn": one, "UserPolicyList": ecr} for one in (named[0], f"arn:aws:iam::{HOME}:user/other-{number}")]
        # Each repository has a policy of its own, which the spec only observes.
        policies = [{"Statement": {"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": one}}} for one in named]
        listed = [{"repositoryName": name, "policy": one} for name, one in zip(names, policies, strict=True)]
        estate = estate_of({"iam": {HOME: {"UserDetailList": held}}, "ecr": {"repositories": listed}})
        accounts = {"registry": {"id": HOME, "regions": [REGION]}}
        pull = [f"registry:user/{named[0].rpartition('/')[2]}"]
        entries = [{"name": name, "account": "registry", "pull": pull} for name in names]
        compiled = spec_of(json.dumps({"version": 1, "accounts": accounts, "repositories": entries}), []).compiled
        found, done = counted(lambda: find(estate, compiled, None, None, live=none_repaired).findings)
        assert len(found) == 3 * number
        return done

    few, many = work(5), work(20)
    assert (many - few) / 15 < 9_000


@pytest.mark.parametrize("live", [all_repaired, none_repaired])
def test_an_audit_takes_as_much_work_for_an_account_however_many_accounts_there_are(live: Live) -> None:
    all_of_ecr = [{"PolicyName": "own", "PolicyDocument": {"Statement": _ALL_OF_ECR}}]
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}}

    def work(number: int) -> int:
        accounts = [f"{100_000_000_000 + 1_000 * number + at}" for at in range(number)]
        iam, ecr = {}, {}
        for account in accounts:
            names = "named", "other"
            users = [{"Arn": f"arn:aws:iam::{account}:user/{one}", "UserPolicyList": all_of_ecr} for one in names]
            role = {"Arn": f"arn:aws:iam::{account}:role/entered", "AssumeRolePolicyDocument": trust}
            iam[account] = {"UserDetailList": users, "RoleDetailList": [role]}
            ecr[account] = {"ecr": {REGION: {"repositories": [{"repositoryName": f"app-{account}"}]}}}
        estate = estate_of({"iam": iam, "more": ecr})
        named = {f"a{one}": {"id": one, "regions": [REGION]} for one in accounts}
        entries = [{"name": f"app-{one}", "account": f"a{one}", "pull": [f"a{one}:user/named"]} for one in accounts]
        compiled = spec_of(json.dumps({"version": 1, "accounts": named, "repositories": entries}), []).compiled
        found, done = counted(lambda: find(estate, compiled, None, None, live=live).findings)
        assert sum(bool(one.remedy) for one in found) == 3 * number
        return done

    few, more, many = work(10), work(20), work(60)
    assert (many - more) / 40 < 1.1 * (more - few) / 10
