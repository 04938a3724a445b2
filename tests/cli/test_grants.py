"""`grants`: whom a spec lets in."""

from datetime import UTC, datetime

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.state.specs import SpecVersion
from ecr_warden_cli.grants import GrantList, grants_in
from local.testing.seed import ACCEPTED, CHECKOUT
from tests.cli.test_hub import over
from tests.usecases.world import world_in_sync

SPEC = b"""
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - name: shop/checkout
    account: registry
    pull: [ci:user/pull-user-1, {account: ci}]
    push:
      - {role: ecr-pusher, by: [ci:user/push-user], until: 2027-03-31T18:00:00Z}
documents:
  - kind: repository-policy
    account: registry
    repository: legacy/app
    document:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "arn:aws:iam::111111111111:root"}, Action: "ecr:BatchGetImage"}]
"""


def grants_of_text(text: bytes) -> GrantList:
    loaded = load_spec(text)
    assert isinstance(loaded, Valid)
    return grants_in("v1", loaded.spec)


def test_grants_list_whom_a_spec_lets_in() -> None:
    found = grants_of_text(SPEC)
    assert [(grant.access, grant.who, grant.through) for grant in found.grants] == [
        ("pull", "arn:aws:iam::111111111111:user/pull-user-1", ""),
        ("pull", "the account 111111111111", ""),
        ("push", "arn:aws:iam::111111111111:user/push-user", "role/222222222222/ecr-pusher"),
    ]
    assert {grant.repository for grant in found.grants} == {str(CHECKOUT)}
    assert found.grants[-1].until == datetime(2027, 3, 31, 18, tzinfo=UTC)
    assert found.literals == ("repository-policy repository/222222222222/eu-central-1/legacy/app",)


def test_a_policy_with_statements_beside_its_grants_is_named_like_a_literal_document() -> None:
    beside = b"    beside: {Statement: {Effect: Deny, Principal: '*', Action: 'ecr:PutImage'}}\n"
    found = grants_of_text(SPEC.replace(b"    pull:", beside + b"    pull:", 1))
    assert found.literals == (
        f"repository-policy {CHECKOUT}",
        "repository-policy repository/222222222222/eu-central-1/legacy/app",
    )


@pytest.mark.parametrize("text", [None, b"version: 2", b""])
def test_grants_of_an_unusable_spec_are_an_error(text: bytes | None) -> None:
    world = world_in_sync()
    world.specs.file = None if text is None else SpecVersion(ACCEPTED.version, text)
    ran = over(world)("grants")
    assert (ran.code, ran.out) == (1, "")
