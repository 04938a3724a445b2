"""What is a target, how it is written, and by what it is known."""

import pytest
from hypothesis import given

from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.target import (
    RepositoryTarget,
    RoleTarget,
    Target,
    TargetError,
    UserTarget,
    parse_target,
    target_arn,
)
from iam_access.document.kind import DocumentKind
from tests.unit.core import values

HOME = "222222222222"
REPOSITORY = RepositoryTarget(HOME, "eu-central-1", "shop/checkout")
PUSHER = RoleTarget(HOME, "ecr-pusher")


@given(values.targets)
def test_a_target_is_read_back_from_its_text(target: Target) -> None:
    assert parse_target(str(target)) == target


@given(values.targets)
def test_the_key_of_a_target_names_the_same_target(target: Target) -> None:
    assert parse_target(target.key).key == target.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user",
        "user/111111111111",
        "user/111111111111/",
        "user/1111/u",
        "user/١١١١١١١١١١١١/u",
        "user/111111111111/path/u",
        "user/111111111111/u u",
        "user/111111111111/u\n",
        "user/111111111111/ü",
        "user/111111111111/" + "u" * 65,
        "User/111111111111/u",
        "group/111111111111/g",
        "role/111111111111/ecr-warden/r",
        "repository/111111111111/shop/checkout",
        "repository/111111111111/eu-central-1/",
        "repository/111111111111/eu-central-1/Shop",
        "repository/111111111111/eu-central-1/a",
        "repository/111111111111/eu-central-1/" + "a" * 257,
        "repository/111111111111/EU-CENTRAL-1/shop",
        "repository/111111111111/eu-central-1/shop/",
        "repository/111111111111/eu-central-1/../shop",
    ],
)
def test_what_names_no_target_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        parse_target(text)


def test_an_identity_is_known_by_its_name_whatever_its_case() -> None:
    assert RoleTarget(HOME, "ECR-Pusher").key == PUSHER.key
    assert UserTarget(HOME, "Anna").key == UserTarget(HOME, "anna").key
    assert str(RoleTarget(HOME, "ECR-Pusher")) == f"role/{HOME}/ECR-Pusher"


def test_a_user_is_not_a_role_of_that_name() -> None:
    assert UserTarget(HOME, "x").key != RoleTarget(HOME, "x").key


def test_a_target_has_an_arn() -> None:
    assert target_arn(REPOSITORY) == f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout"
    assert target_arn(PUSHER, path="/ecr-warden/") == f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"
    assert target_arn(UserTarget(HOME, "u")) == f"arn:aws:iam::{HOME}:user/u"


def test_an_address_says_what_is_found_there_and_where() -> None:
    rows = {
        repository_policy(REPOSITORY): (DocumentKind.RESOURCE, f"repository-policy {REPOSITORY}"),
        role(PUSHER): (None, f"role {PUSHER}"),
        trust_policy(PUSHER): (DocumentKind.TRUST, f"trust-policy {PUSHER}"),
        identity_policy(PUSHER, "x"): (DocumentKind.IDENTITY, f"identity-policy {PUSHER} x"),
        attached_policy(PUSHER, "arn"): (None, f"attached-policy {PUSHER} arn"),
    }
    assert {address: (address.document_kind, str(address)) for address in rows} == rows
