"""What one account's people write can use up the audit of that account, and of no other."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.dense import roles as by_tags
from ecr_warden.audit.finding import AuditResult, FindingKind
from ecr_warden.audit.findings import SuccessiveAudits, find
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from iam_access.who_can.graph import AccountBudgets
from local.testing.printed import complete
from local.testing.seed import compiled
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CI, REGISTRY, OUTSIDER, REGION = "111111111111", "222222222222", "999999999999", "eu-central-1"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ACCOUNTS = {CI: "ci", REGISTRY: "registry"}


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def role(account: str, number: int, takes: str, condition: Json) -> Json:
    """One that may be taken by whom `takes` names, under a condition, and may do anything."""
    trust = {"Effect": "Allow", "Principal": {"AWS": takes}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    own = {"Effect": "Allow", "Action": ["sts:*", "ecr:*"], "Resource": "*"}
    unlike = {"StringNotLike": {f"aws:PrincipalTag/u{number}": "c*"}}
    return {
        "Arn": f"arn:aws:iam::{account}:role/r{number}",
        "RoleId": f"AROA{number:08}",
        "AssumeRolePolicyDocument": policy(trust | ({"Condition": condition} if condition else {})),
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy(own | {"Condition": unlike})}],
    }


def ring(account: str, number: int) -> Iterator[Json]:
    """Roles each of which may take the next one."""
    for one in range(number):
        yield role(account, one, f"arn:aws:iam::{account}:role/r{(one + 1) % number}", {})


def estate(roles: Mapping[str, Iterator[Json]], **of_registry: Any) -> Estate:
    accounts: Json = {name: {"iam": {"RoleDetailList": [*roles.get(name, ())]}, "ecr": {}} for name in ACCOUNTS}
    named = {"repositoryName": "shop/x", "policy": policy(_open_to(f"arn:aws:iam::{CI}:root"))}
    accounts[REGISTRY]["ecr"] = {REGION: {"repositories": [named], **of_registry}}
    return estate_from_text(json.dumps(complete({"schema": 1, "accounts": accounts})), at=NOW)


def _open_to(who: str) -> Json:
    return {"Effect": "Allow", "Principal": {"AWS": who}, "Action": PULL}


def spec(**grants: Any) -> CompiledSpec:
    accounts = {"ci": {"id": CI}, "registry": {"id": REGISTRY, "regions": [REGION]}}
    repository = {"name": "shop/x", "account": "registry", **grants}
    return compiled(json.dumps({"version": 1, "accounts": accounts, "repositories": [repository]}), now=NOW)


def within(steps: int, asked: Estate, given: CompiledSpec) -> AuditResult:
    audits = SuccessiveAudits(budgets_of=lambda _: AccountBudgets(steps, steps))
    return audits.find(asked, given, None, None)


OPENED = {"registryPolicy": policy({**_open_to(OUTSIDER), "Resource": "*"})}
MUCH = 10**9


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("steps", [600, 2_000])
def test_outsiders_are_found_whatever_the_people_of_an_account_write(account: str, steps: int) -> None:
    asked, given = estate({account: by_tags(account, 12)}, **OPENED), spec(pull=[{"account": "ci"}])
    audit, whole = within(steps, asked, given), within(MUCH, asked, given)
    outside = {one.key for one in whole.findings if one.foreign}
    assert outside and {one.key for one in audit.findings if one.foreign} == outside
    assert (audit.failure, whole.unread) == ("", ())
    assert {one.place for one in audit.unread} == {account}


def test_of_the_account_that_is_over_nobody_is_missing_and_of_others_all_is_known() -> None:
    """Whoever the spec lets in is neither found to lack it nor to have it where that was not decided."""
    given = spec(push=[{"role": "pusher", "by": ["ci:role/r1", "registry:user/bob"]}])
    audit = within(2_000, estate({CI: by_tags(CI, 20)}), given)
    missing = {one.principal for one in audit.findings if one.kind is FindingKind.MISSING}
    assert missing == {f"arn:aws:iam::{REGISTRY}:user/bob"}


def test_what_an_account_lets_in_from_outside_is_over_by_itself() -> None:
    """A budget that ends in the middle of an account: what came before is found, and the rest is said."""
    outsiders = [f"{number:012}" for number in range(1, 40)]
    unnamed = [
        {"repositoryName": f"other/{name}", "policy": policy(_open_to(f"arn:aws:iam::{name}:root"))}
        for name in outsiders
    ]
    asked = estate({}, repositories=unnamed)
    audit, whole = within(20, asked, spec()), within(MUCH, asked, spec())
    assert 0 < len(audit.findings) < len(whole.findings)
    assert [one.place for one in audit.unread] == [REGISTRY]


def test_two_audits_at_once_have_budgets_of_their_own() -> None:
    asked, given = estate({CI: by_tags(CI, 12)}, **OPENED), spec()
    audits = [SuccessiveAudits(budgets_of=lambda _: AccountBudgets(500, 500)) for _ in range(2)]
    first, second = (one.find(asked, given, None, None) for one in audits)
    assert first == second == audits[0].find(asked, given, None, None)


def test_where_no_account_was_read_an_audit_ends_all_the_same() -> None:
    nothing = estate_from_text(json.dumps({"schema": 1, "accounts": {}}), at=NOW)
    audit = find(nothing, spec(), None, None)
    assert (audit.findings, audit.failure, len(audit.unread) > 0) == ((), "", True)


@pytest.mark.parametrize("accounts", [0, 1, 2, 60, 500])
def test_honest_accounts_have_enough_and_all_together_minutes(accounts: int) -> None:
    made = AccountBudgets.of(accounts)
    assert made.own >= 300 * 6_400
    assert made.between >= 7 * 6_400
    # What one account's people write: about its own, what they let in, and their ways into others and others' into it.
    assert 2 * made.own + 2 * accounts * made.between < 70_000_000


@pytest.mark.thorough
@pytest.mark.parametrize("roles", [by_tags, ring])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_thousand_roles_end_within_their_budget(account: str, roles: Any) -> None:
    audit = find(estate({account: roles(account, 1000)}, **OPENED), spec(), None, None)
    assert audit.failure == ""
    assert any(one.foreign and one.kind is FindingKind.REGISTRY for one in audit.findings)
