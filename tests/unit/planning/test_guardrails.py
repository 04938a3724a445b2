"""Which changes would cut ecr-warden's own access off, and which roles are not ours."""

from dataclasses import replace
from typing import Any

import pytest
from ecr_warden.model.address import identity_policy, trust_policy
from ecr_warden.model.observed import Absent, Observation
from ecr_warden.model.plan import Change, Operation
from ecr_warden.model.target import RoleTarget
from ecr_warden.planning.guardrails import cuts_own_access, is_not_ours

from tests.unit.planning.seed import (
    ANNA,
    CHECKOUT,
    D1,
    HOME,
    MALLORY,
    PUSHER,
    ROLE,
    allow,
    deny,
    document,
    reading,
    settings,
    spec_of,
)

OWN = f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-warden-write"
INSECURE = {"Bool": {"aws:SecureTransport": "false"}}
OWN_SESSION = f"arn:aws:sts::{HOME}:assumed-role/ecr-warden-read/ecrw-r1"

CUTS: dict[str, tuple[dict[str, Any], bool]] = {
    "everybody is denied everything": (deny("*", who="*"), True),
    "everybody is denied all of ecr": (deny("ECR:*", who="*"), True),
    "everybody is denied to set the policy": (deny("ecr:SetRepositoryPolicy", who="*"), True),
    "everybody is denied to read the policy": (deny("ecr:Get*", who="*"), True),
    "everybody is denied under a condition": (
        deny("*", who="*", Condition=INSECURE),
        True,
    ),
    "the account is denied": (deny("*", who=HOME), True),
    "the account's root is denied": (deny("*", who=f"arn:aws:iam::{HOME}:root"), True),
    "our write role is denied": (deny("*", who=OWN), True),
    "a session of our read role is denied": (deny("*", who=OWN_SESSION), True),
    "all but one are denied": ({"Effect": "Deny", "NotPrincipal": {"AWS": ANNA}, "Action": "*"}, True),
    "all but the pull actions are denied": (
        {"Effect": "Deny", "Principal": "*", "NotAction": ["ecr:BatchGetImage"]},
        True,
    ),
    "everybody is denied to push": (deny("ecr:PutImage", who="*"), False),
    "another account is denied": (deny("*", who=MALLORY), False),
    "a user is denied": (deny("*", who=ANNA), False),
    "a service is denied": ({"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"}, False),
    "all but what we call is denied": (
        {"Effect": "Deny", "Principal": "*", "NotAction": ["ecr:*RepositoryPolicy", "ecr:DescribeRepositories"]},
        False,
    ),
    "everybody is allowed everything": (allow("*", who="*"), False),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_repository_policy_may_not_deny_what_repairs_it(name: str) -> None:
    statement, expected = CUTS[name]
    after = document(allow("ecr:BatchGetImage", who=ANNA), statement)
    assert cuts_own_access(Change(Operation.UPDATE, D1, None, None, after)) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ecr-warden-read", True),
        ("ECR-Warden-Write", True),
        ("ecr-warden-forward", True),
        ("ecr-warden-reader", False),
        ("ecr-pusher", False),
    ],
)
def test_the_roles_that_we_work_through_are_never_changed(name: str, expected: bool) -> None:
    role = RoleTarget(HOME, name)
    for address in (trust_policy(role), identity_policy(role, "x")):
        assert cuts_own_access(Change(Operation.UPDATE, address, None, None, document(allow("*")))) is expected


def test_a_deleted_repository_policy_denies_nothing() -> None:
    assert not cuts_own_access(Change(Operation.DELETE, D1, "", "d", None))


def test_a_role_under_another_path_is_not_ours() -> None:
    spec = spec_of(PUSHER)
    assert is_not_ours(spec, reading(spec, {ROLE: replace(settings(), path="/team/")}))
    assert not is_not_ours(spec, reading(spec, {ROLE: replace(settings(), boundary=None)}))
    assert not is_not_ours(spec, reading(spec, {ROLE: Absent()}))
    assert not is_not_ours(spec, Observation(PUSHER))
    assert not is_not_ours(spec_of(CHECKOUT), reading(spec_of(CHECKOUT)))
