"""Pages, rates, lags, sessions, the lock-out guard and what has changed over the years: the rules alone."""

import json
from copy import replace
from typing import Any

import pytest

from local.aws.behaviour import sessions
from local.aws.behaviour.attachments import LIMIT as ATTACHED
from local.aws.behaviour.attachments import attach
from local.aws.behaviour.deletion import unsettled_trust_policy
from local.aws.behaviour.front import Front
from local.aws.behaviour.lockout import LOCKED_OUT
from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.paging import PAGES, Paging, asked, cut
from local.aws.behaviour.rules import Request, applied
from local.aws.behaviour.switches import Rate, Switches, switches_from_json, switches_to_json
from tests.local.support import AUSER, BUSER, StubWorld, policy, trust

OWNER = "222222222222"
ADMIN = f"arn:aws:iam::{OWNER}:user/admin"
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/ecr-warden-write/ecrw-1"
WORLD = StubWorld({AUSER: "AIDAAAAAAAAAAAAAAAAAA", BUSER: "AIDABBBBBBBBBBBBBBBBB", ADMIN: "AIDACCCCCCCCCCCCCCCCC"})


def deny(principal: Any, action: Any = "ecr:*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": principal, "Action": action, **more}


def sent(statement: dict[str, Any], caller: str, *flags: str) -> Request | Refused:
    given = {"repositoryName": "shop/checkout", "policyText": policy(statement)}
    request = Request("ecr", "SetRepositoryPolicy", OWNER, "eu-central-1", given, caller, frozenset(flags))
    return applied(request, WORLD)


@pytest.mark.parametrize(
    ("statement", "caller"),
    [
        (deny("*"), ADMIN),
        (deny({"AWS": "*"}, "*"), ADMIN),
        (deny({"AWS": OWNER}, "ecr:Set*"), ADMIN),
        (deny({"AWS": [AUSER, ADMIN]}, ["ecr:GetRepositoryPolicy", "ecr:SETRepositoryPolicy"]), ADMIN),
        ({"Effect": "Deny", "NotPrincipal": {"AWS": AUSER}, "Action": "ecr:*"}, ADMIN),
        ({"Effect": "Deny", "Principal": "*", "NotAction": "ecr:BatchGetImage"}, SESSION),
        (deny({"AWS": f"arn:aws:iam::{OWNER}:root"}), SESSION),
    ],
)
def test_a_policy_that_locks_its_caller_out_needs_force(statement: dict[str, Any], caller: str) -> None:
    """aws-facts 1.1: `force`."""
    assert sent(statement, caller) == LOCKED_OUT
    assert isinstance(sent(statement, caller, "force"), Request)


@pytest.mark.parametrize(
    "statement",
    [
        deny({"AWS": AUSER}),
        deny("*", "ecr:PutImage"),
        deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        {"Effect": "Deny", "NotPrincipal": {"AWS": ADMIN}, "Action": "ecr:*"},
        {**deny("*"), "Effect": "Allow"},
    ],
)
def test_a_policy_that_does_not_lock_the_caller_out_needs_no_force(statement: dict[str, Any]) -> None:
    """aws-facts 1.1: `force`."""
    assert isinstance(sent(statement, ADMIN), Request)


def test_switches_go_through_json() -> None:
    switches = Switches(read_lag=2.0, short_pages=3, rates={"iam:GetRole": Rate(1.5, 2)})
    assert switches_from_json(json.loads(json.dumps(switches_to_json(switches)))) == switches
    with pytest.raises(TypeError):
        switches_from_json({"wonders": True})


DESCRIBE, DETAILS = PAGES["ecr:DescribeRepositories"], PAGES["iam:GetAccountAuthorizationDetails"]


def shown(paging: Paging, lengths: list[int], size: int | None, short_pages: int = 0) -> list[list[int]]:
    """How many items of each list the pages hold, one after the other."""
    pages, token = [], ""
    while True:
        page = cut(paging, lengths, size, token, short_pages)
        pages.append([len(range(length)[part]) for length, part in zip(lengths, page.parts, strict=True)])
        token = page.token
        if not token:
            return pages


def test_a_list_comes_in_pages_of_the_requested_size_or_a_hundred() -> None:
    """aws-facts 1.1: DescribeRepositories."""
    assert shown(DESCRIBE, [250], None) == [[100], [100], [50]]
    assert shown(DESCRIBE, [4], 2) == [[2], [2]]
    assert shown(DESCRIBE, [0], 2) == [[0]]


def test_account_details_count_all_kinds_together_and_may_come_in_smaller_pages() -> None:
    """aws-facts 2.5: "may return fewer with IsTruncated=true"."""
    assert shown(DETAILS, [3, 1, 4, 0], 5) == [[3, 1, 1, 0], [0, 0, 3, 0]]
    assert shown(DETAILS, [3, 0, 1, 0], 1000, short_pages=2) == [[2, 0, 0, 0], [1, 0, 1, 0]]


def test_a_page_has_at_most_a_thousand_items_and_a_name_no_page() -> None:
    """aws-facts 1.1: maxResults 1..1000, repositoryNames 1..100, nextToken not with repositoryNames."""
    assert asked(DESCRIBE, 1000, "7") is None
    assert asked(DESCRIBE, None, "", named=100) is None
    for size, token, named in ((0, "", 0), (1001, "", 0), (None, "x", 0), (None, "7", 1), (10, "", 1), (None, "", 101)):
        refused = asked(DESCRIBE, size, token, named)
        assert refused is not None and refused.code == "InvalidParameterException"
    assert asked(DETAILS, 1001, "") == Refused("ValidationError", "MaxItems must be between 1 and 1000")


class Clock:
    """A time in seconds that stands still."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_token_bucket_belongs_to_an_action_in_an_account_and_refills_with_time() -> None:
    """aws-facts 2.6: "token bucket per API per account"; 1.3: ECR's 429."""
    clock = Clock()
    rates = {"iam:GetRole": Rate(2.0, 3), "ecr:GetRepositoryPolicy": Rate(1.0, 1)}
    front = Front[None](replace(WORLD, switches=Switches(rates=rates)), clock)
    call = Request("iam", "GetRole", OWNER, "us-east-1", {"RoleName": "r"})
    assert [front.enter(call) == call for _ in range(5)] == [True, True, True, False, False]
    assert front.enter(replace(call, account="111111111111")) != Refused("Throttling", "Rate exceeded", 400)
    assert front.enter(replace(call, action="GetUser")) == replace(call, action="GetUser")
    clock.seconds += 0.5
    assert [front.enter(call) == call for _ in range(2)] == [True, False]
    assert front.enter(call) == Refused("Throttling", "Rate exceeded", 400)
    read = Request("ecr", "GetRepositoryPolicy", OWNER, "eu-central-1", {})
    assert [front.enter(read) for _ in range(2)] == [read, Refused("ThrottleException", "Rate exceeded", 429)]


def test_a_read_shows_for_a_while_what_stood_before_each_write() -> None:
    """aws-facts 2.6: eventually consistent; each write is late by itself."""
    clock = Clock()
    front = Front[str](replace(WORLD, switches=Switches(read_lag=10.0)), clock)
    write = Request("iam", "PutUserPolicy", OWNER, "us-east-1", {"UserName": "u", "PolicyName": "p"})
    reads = front.shown_late(write)
    assert [(read.action, dict(read.parameters)) for read in reads] == [
        ("GetUserPolicy", {"UserName": "u", "PolicyName": "p"}),
        ("ListUserPolicies", {"UserName": "u"}),
    ]
    read = reads[0]
    assert front.late(read) is None
    front.wrote(read, "first")
    clock.seconds += 6
    front.wrote(read, "second")
    assert front.late(read) == "first"
    clock.seconds += 5
    assert front.late(read) == "second"
    assert front.late(replace(read, parameters={"UserName": "u", "PolicyName": "other"})) is None
    assert front.late(replace(read, account="111111111111")) is None
    clock.seconds += 6
    assert front.late(read) is None
    assert Front[str](WORLD, clock).shown_late(write) == ()


def test_a_repositorys_policy_lags_in_its_own_region() -> None:
    """aws-facts 2.6."""
    front = Front[str](replace(WORLD, switches=Switches(read_lag=10.0)), Clock())
    write = Request("ecr", "SetRepositoryPolicy", OWNER, "eu-central-1", {"repositoryName": "r", "policyText": "{}"})
    [read] = front.shown_late(write)
    front.wrote(read, "old")
    assert front.late(read) == "old"
    assert front.late(replace(read, region="eu-west-1")) is None


def test_a_new_role_cannot_be_found_for_a_while_whatever_is_asked_of_it() -> None:
    """aws-facts 10: read-after-create of roles."""
    clock = Clock()
    front = Front[str](replace(WORLD, switches=Switches(role_lag=5.0)), clock)
    create = Request("iam", "CreateRole", OWNER, "us-east-1", {"RoleName": "new", "AssumeRolePolicyDocument": "{}"})
    front.enter(create)
    calls = [
        Request("iam", action, OWNER, "us-east-1", {"RoleName": "new", "PolicyName": "p"})
        for action in ("GetRole", "GetRolePolicy", "PutRolePolicy", "DeleteRole")
    ]
    gone = Refused("NoSuchEntity", "The role with name new cannot be found.", 404)
    assert [front.enter(call) for call in calls] == [gone] * len(calls)
    old = replace(calls[0], parameters={"RoleName": "old"})
    assert front.enter(old) == old
    clock.seconds += 5
    assert front.enter(calls[0]) == calls[0]


def test_a_trust_policy_shows_a_new_principal_by_its_id() -> None:
    """aws-facts 2.1: "just after creation a read may show the raw id"."""
    text = policy(trust({"AWS": [AUSER, BUSER]}))
    found = json.loads(unsettled_trust_policy(text, {AUSER: "AIDAAAAAAAAAAAAAAAAAA"}))
    assert found["Statement"][0]["Principal"]["AWS"] == ["AIDAAAAAAAAAAAAAAAAAA", BUSER]
    assert unsettled_trust_policy(text, {}) == text


ROLE = f"arn:aws:iam::{OWNER}:role/r"
ENTER = {"RoleSessionName": "ecrw-1", "ExternalId": "hub-1", "SourceIdentity": "ecrw-1", "DurationSeconds": "900"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"RoleSessionName": "x"},
        {"RoleSessionName": "x" * 65},
        {"RoleSessionName": "two words"},
        {"SourceIdentity": "x"},
        {"ExternalId": "x"},
        {"DurationSeconds": "899"},
        {"DurationSeconds": "43201"},
        {"DurationSeconds": "3601"},  # by a role session: chaining, UNVERIFIED
        {"Policy": "x" * 2049},
    ],
)
def test_a_session_is_requested_within_bounds(wrong: dict[str, str]) -> None:
    """aws-facts 2.1: RoleSessionName, DurationSeconds, SourceIdentity, inline session policy, ExternalId."""
    assert sessions.assume_role(ENTER, chained=True) is None
    refused = sessions.assume_role({**ENTER, **wrong}, chained=True)
    assert refused is not None and refused.code == "ValidationError"
    assert sessions.assume_role({**ENTER, "DurationSeconds": "3601"}, chained=False) is None


@pytest.mark.parametrize("action", ["sts:SetSourceIdentity", "sts:TagSession"])
def test_what_a_session_carries_needs_both_sides(action: str) -> None:
    """aws-facts 9, 10: "in the caller's policy AND in the target role's trust policy"."""
    assert sessions.carry(action, ADMIN, ROLE, caller_may=True, role_lets=True) is None
    for sides in ((True, False), (False, True), (False, False)):
        refused = sessions.carry(action, ADMIN, ROLE, *sides)
        assert refused is not None and action in refused.message


def test_tags_and_those_that_are_handed_on_are_read_from_a_call() -> None:
    form = {
        "Tags.member.1.Key": "Repository",
        "Tags.member.1.Value": "acme/shop",
        "Tags.member.2.Key": "Actor",
        "TransitiveTagKeys.member.1": "Repository",
    }
    assert sessions.tags_of(form) == ({"Repository": "acme/shop", "Actor": ""}, ("repository",))
    assert sessions.tags_of(ENTER) == ({}, ())


def test_ten_managed_policies_fit_on_a_role() -> None:
    """aws-facts 2.3: "managed policies attached: 10 default"."""
    present = [f"arn:aws:iam::{OWNER}:policy/{number}" for number in range(ATTACHED)]
    assert attach("role", "new", present[1:]) is None
    assert attach("role", present[0], present) is None
    refused = attach("role", "new", present)
    assert refused is not None and (refused.code, refused.status) == ("LimitExceeded", 409)
    request = Request("iam", "AttachRolePolicy", OWNER, "us-east-1", {"RoleName": "r", "PolicyArn": "new"})
    assert applied(request, replace(WORLD, attached=present)) == refused
    assert applied(request, WORLD) == request
