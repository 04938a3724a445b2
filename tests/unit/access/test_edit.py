"""The statement that would give what is missing, and what would give it already if its condition held."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.missing import Edit, Side, unmet, with_edits
from ecr_warden_cli.asking.snapshot import estate_of
from local.testing.printed import complete
from tests.unit.access.snapshots import AWAY, HOME, allow, document, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANN, DEPLOY = f"arn:aws:iam::{HOME}:user/ann", f"arn:aws:iam::{HOME}:role/deploy"
APP = f"arn:aws:ecr:eu-central-1:{HOME}:repository/app"
GET = "ecr:BatchGetImage"
OF_SHOP: dict[str, Any] = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "shop"}}}
MINE = Edit(Side.IDENTITY, ANN, actions=(GET,), resource=APP)
OPENED = Edit(Side.REPOSITORY, APP, actions=(GET,), principal=ANN)


@pytest.mark.parametrize(
    ("principal", "kind"),
    [
        ("arn:aws:iam::111111111111:user/ann", "AWS"),
        ("111111111111", "AWS"),
        ("lambda.amazonaws.com", "Service"),
    ],
)
def test_a_statement_names_its_principal_as_aws_wants_it(principal: str, kind: str) -> None:
    edit = Edit(Side.REPOSITORY, "arn:aws:ecr:eu-central-1:222222222222:repository/shop", principal=principal)
    assert edit.statement["Principal"] == {kind: principal}


def opened(principal: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": GET, **more}


# What is to be added, the statement that is there, and whether it would do if its condition held.
UNMET: dict[str, tuple[Edit, dict[str, Any], bool]] = {
    "a statement for the action and the resource": (MINE, allow(GET, **OF_SHOP), True),
    "one for one action of several": (
        Edit(Side.IDENTITY, ANN, actions=("ecr:PutImage", GET), resource=APP),
        allow(GET, **OF_SHOP),
        True,
    ),
    "one whose resource is the value of a key": (MINE, allow(GET, "${aws:PrincipalTag/home}", **OF_SHOP), False),
    "one whose resource is a key's value or else the repository's name": (
        MINE,
        allow(GET, APP.removesuffix("app") + "${aws:PrincipalTag/home, 'app'}", **OF_SHOP),
        True,
    ),
    "one whose resource is short for every repository": (MINE, allow(GET, "arn:aws:ecr", **OF_SHOP), True),
    "one for another action": (MINE, allow("ecr:PutImage", **OF_SHOP), False),
    "one for another resource": (MINE, allow(GET, f"{APP}-too", **OF_SHOP), False),
    "one that denies": (MINE, allow(GET, **OF_SHOP) | {"Effect": "Deny"}, False),
    "one without a condition": (MINE, allow(GET), False),
    "a statement of the repository for the principal": (OPENED, opened(ANN, **OF_SHOP), True),
    "one of the repository for another principal": (OPENED, opened(DEPLOY, **OF_SHOP), False),
    "one to remove is nothing to add": (
        Edit(Side.IDENTITY, ANN, actions=(GET,), resource=APP, index=0),
        allow(GET, **OF_SHOP),
        False,
    ),
}


@pytest.mark.parametrize("case", UNMET)
def test_a_statement_whose_condition_does_not_hold_is_named(case: str) -> None:
    edit, statement, named = UNMET[case]
    given = snapshot(user("ann", *(() if "Principal" in statement else (statement,))), role("deploy", {"AWS": ANN}))
    if "Principal" in statement:
        given["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"][0]["policy"] = document(statement)
    found = [(one.holder, one.index, text) for one, text in unmet(edit, estate_of(given, at=NOW))]
    assert found == ([(edit.holder, 0, 'aws:PrincipalTag/team is "shop"')] if named else [])


def test_an_addition_to_control_policies_is_made_at_its_level_only() -> None:
    given = snapshot()
    everything = {"name": "all", "document": document(allow("s3:*"))}
    given["accounts"][HOME]["serviceControlPolicies"] = [[everything], [everything]]
    edit = Edit(Side.SERVICE_CONTROL, HOME, 1, (GET,), APP)
    levels = with_edits(estate_of(given, at=NOW), [edit]).accounts[HOME].service_control
    assert levels is not None
    assert [len(level) for level in levels] == [1, 2]


def test_a_statement_of_a_group_is_removed_for_all_its_users_and_for_no_namesake() -> None:
    denied = {"Effect": "Deny", "Action": GET, "Resource": "*"}
    given = snapshot()
    for account in (HOME, AWAY):
        group = {"Arn": f"arn:aws:iam::{account}:group/dev", "GroupPolicyList": user("", denied)["UserPolicyList"]}
        users = [user(name, account=account, GroupList=["dev"]) for name in ("ann", "ben")]
        entry = given["accounts"].setdefault(account, {"ecr": {}})
        entry["iam"] = {"UserDetailList": users, "GroupDetailList": [group]}
    estate = estate_of(complete(given), at=NOW)
    (policy,) = estate.accounts[HOME].identities[ANN].policies
    edit = Edit(Side.IDENTITY, ANN, policy=policy.name, place=policy.place, index=0)
    kept = [
        identity.arn
        for identity in with_edits(estate, [edit]).identities()
        if any(policy.statements for policy in identity.policies)
    ]
    assert kept == [f"arn:aws:iam::{AWAY}:user/ann", f"arn:aws:iam::{AWAY}:user/ben"]
