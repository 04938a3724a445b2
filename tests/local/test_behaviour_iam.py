"""What IAM makes of trust and identity policies: the rules alone, without an emulator."""

import json
from typing import Any

import pytest

from local.aws.behaviour.deletion import forget_in_repository_policy, forget_in_trust_policy
from local.aws.behaviour.documents import size
from local.aws.behaviour.ecr_policy import set_repository_policy
from local.aws.behaviour.identity_policy import LIMITS, MANAGED_LIMIT, put_inline_policy, put_managed_policy
from local.aws.behaviour.outcome import Refused, Stored
from local.aws.behaviour.rules import Request, applied
from local.aws.behaviour.trust_policy import (
    INVALID_JSON,
    LIMIT,
    TOO_LONG,
    set_trust_policy,
)
from local.aws.behaviour.world import Owner
from tests.local.support import AUSER, BUSER, StubWorld, allow, policy, trust

WORLD = StubWorld({AUSER: "AIDAAAAAAAAAAAAAAAAAA", BUSER: "AIDABBBBBBBBBBBBBBBBB"}, roles={("222222222222", "there")})


def trusted(*statements: dict[str, Any]) -> Any:
    return set_trust_policy(policy(*statements), WORLD)


def test_a_trust_policy_loses_white_space_and_order_but_no_scalar() -> None:
    one, other = (
        trusted(trust({"AWS": principals}, Condition={"StringLike": {"b": "1", "a": "2"}}))
        for principals in ([AUSER, BUSER, "333333333333"], ["333333333333", BUSER, AUSER])
    )
    assert one == other
    assert isinstance(one, Stored)
    assert " " not in one.text
    found = json.loads(one.text)["Statement"][0]
    assert found["Action"] == "sts:AssumeRole"
    assert list(found["Condition"]["StringLike"]) == ["a", "b"]
    assert "333333333333" in found["Principal"]["AWS"]
    assert set_trust_policy(one.text, WORLD) == one


def test_a_single_statement_stays_an_object() -> None:
    outcome = set_trust_policy(json.dumps({"Version": "2012-10-17", "Statement": trust({"AWS": AUSER})}), WORLD)
    assert isinstance(outcome, Stored)
    assert isinstance(json.loads(outcome.text)["Statement"], dict)


def test_anybody_may_be_trusted() -> None:
    assert isinstance(trusted(trust("*")), Stored)
    assert isinstance(trusted(trust({"Service": "lambda.amazonaws.com"})), Stored)


def test_a_trust_policy_has_2048_characters_without_white_space() -> None:
    def of(length: int) -> str:
        text = policy(trust({"AWS": AUSER}, Sid=""))
        return text.replace('"Sid": ""', f'"Sid":    "{"x" * (length - size(text))}"')

    assert isinstance(set_trust_policy(of(LIMIT), WORLD), Stored)
    assert set_trust_policy(of(LIMIT + 1), WORLD) == TOO_LONG


@pytest.mark.parametrize("owner", ["user", "role", "group"])
def test_inline_policies_share_one_quota(owner: Owner) -> None:
    def of(length: int) -> str:
        text = policy(allow("ecr:*", ""))
        return text.replace('"Resource": ""', f'"Resource": "{"x" * (length - size(text))}"')

    limit = LIMITS[owner]
    present = {"first": of(1000), "second": of(500)}
    assert put_inline_policy(owner, "o", "new", of(limit - 1500), present) == Stored(of(limit - 1500))
    over = put_inline_policy(owner, "o", "new", of(limit - 1499), present)
    assert over == Refused("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {owner} o", 409)
    # A policy that is replaced does not count with its old text.
    assert isinstance(put_inline_policy(owner, "o", "first", of(limit - 500), present), Stored)


def test_an_identity_policy_keeps_its_text_and_has_no_principal() -> None:
    text = ' { "Statement" : {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"} } '
    assert put_inline_policy("user", "u", "p", text, {}) == Stored(text)
    assert isinstance(put_inline_policy("user", "u", "p", policy(trust("*")), {}), Refused)
    assert isinstance(put_inline_policy("user", "u", "p", "{", {}), Refused)


def test_a_managed_policy_has_6144_characters() -> None:
    text = policy(allow("ecr:*", ""))
    fits = text.replace('"Resource": ""', f'"Resource": "{"x" * (MANAGED_LIMIT - size(text))}"')
    assert put_managed_policy(fits) == Stored(fits)
    assert isinstance(put_managed_policy(fits.replace('"x', '"xx')), Refused)


def test_a_deleted_principal_is_shown_by_its_unique_id() -> None:
    right = trusted(trust({"AWS": [AUSER, BUSER]}))
    gone = forget_in_trust_policy(right.text, AUSER, "AIDAAAAAAAAAAAAAAAAAA")
    assert sorted(json.loads(gone)["Statement"][0]["Principal"]["AWS"]) == sorted(["AIDAAAAAAAAAAAAAAAAAA", BUSER])
    assert forget_in_trust_policy(gone, AUSER, "AIDACCCCCCCCCCCCCCCCC") == gone
    mentioned = trusted(trust("*", Condition={"ArnEquals": {"aws:PrincipalArn": AUSER}}))
    assert forget_in_trust_policy(mentioned.text, AUSER, "AIDAAAAAAAAAAAAAAAAAA") == mentioned.text


def test_a_deleted_principal_leaves_a_repository_policy_in_ecrs_spelling() -> None:
    right = set_repository_policy(policy({"Effect": "Allow", "Principal": {"AWS": AUSER}, "Action": "ecr:*"}), WORLD)
    assert isinstance(right, Stored)
    gone = forget_in_repository_policy(right.text, AUSER, "AIDAAAAAAAAAAAAAAAAAA")
    assert gone == right.text.replace(AUSER, "AIDAAAAAAAAAAAAAAAAAA")


def test_a_rule_waits_for_what_the_handler_finds_missing() -> None:
    def request(action: str, role: str, parameter: str) -> Request:
        return Request("iam", action, "222222222222", "us-east-1", {"RoleName": role, parameter: "{"})

    update, create = "UpdateAssumeRolePolicy", "CreateRole"
    assert applied(request(update, "there", "PolicyDocument"), WORLD) == INVALID_JSON
    missing = request(update, "nowhere", "PolicyDocument")
    assert applied(missing, WORLD) == missing
    assert applied(request(create, "nowhere", "AssumeRolePolicyDocument"), WORLD) == INVALID_JSON
    double = request(create, "there", "AssumeRolePolicyDocument")
    assert applied(double, WORLD) == double
