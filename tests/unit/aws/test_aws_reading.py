"""Readings that fail in part: what was read stays, what was not is unreadable, nothing is taken for absent."""

from collections.abc import Iterable

import pytest

from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, RepositoryPattern, TargetSpec
from ecr_warden.core.failures import PermissionMissing, Throttled
from ecr_warden.core.observed import Absent, Observation, Present, Unreadable
from local.testing.seed import (
    CHECKOUT,
    D3,
    D4,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    identity_document,
    identity_spec,
    repository_document,
    trust_document,
)
from tests.contracts.worlds import MotoWorld, read_of

POLICY = repository_policy(CHECKOUT)
SPEC = TargetSpec(CHECKOUT, Extent.WHOLE, {POLICY: repository_document()})
ROLE_SPEC = TargetSpec(
    PUSHER, Extent.WHOLE, {role(PUSHER): SETTINGS, trust_policy(PUSHER): trust_document(), D3: identity_document()}
)


@pytest.fixture(autouse=True)
def _furnished(world: MotoWorld) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    world.make(PUSH_USER)
    world.put(D4, identity_document())
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    world.put(D3, identity_document())


def names(observation: Observation, kinds: type | Iterable[type]) -> set[str]:
    wanted = tuple(kinds) if isinstance(kinds, Iterable) else (kinds,)
    return {f"{a.kind} {a.name}".strip() for a, found in observation.documents.items() if isinstance(found, wanted)}


def test_repositories_that_cannot_be_listed_name_the_missing_permission(world: MotoWorld) -> None:
    reader = "arn:aws:sts::2:assumed-role/ecr-warden-read/s"
    denied = f"User: {reader} is not authorized to perform: ecr:DescribeRepositories on resource"
    world.wire.fail("ecr:DescribeRepositories", "AccessDeniedException", denied)
    pattern = RepositoryPattern(HOME, "eu-central-1", "shop/*", (), MustNotExist())
    [(unread, error)] = world.documents.list_repositories([pattern]).unread
    assert (unread, type(error), error.retryable) == (pattern, PermissionMissing, False)
    assert error.remedy.startswith("allow ecr:DescribeRepositories to ecr-warden's role in the account: ecr-warden d")


@pytest.mark.parametrize(
    ("code", "error", "retryable"),
    [("AccessDeniedException", PermissionMissing, False), ("ThrottlingException", Throttled, True)],
)
def test_repository_policy_that_may_not_be_read_is_unreadable(
    world: MotoWorld, code: str, error: type[Exception], retryable: bool
) -> None:
    world.wire.fail("ecr:GetRepositoryPolicy", code)
    found = world.documents.read(SPEC).documents[POLICY]
    assert isinstance(found, Unreadable)
    assert isinstance(found.error, error)
    assert found.retryable is retryable


READ = {"role", "trust-policy", "identity-policy ecr-warden-push"}
PARTS = {
    "iam:GetRole": (set(), {*READ, "identity-policy *"}),
    "iam:ListRolePolicies": (READ, {"identity-policy *"}),
    "iam:GetRolePolicy": ({"role", "trust-policy"}, {"identity-policy ecr-warden-push"}),
    "iam:ListAttachedRolePolicies": (READ, {"attached-policy *"}),
}


@pytest.mark.parametrize("action", PARTS)
def test_part_of_a_role_that_may_not_be_read_is_unreadable(world: MotoWorld, action: str) -> None:
    read, unread = PARTS[action]
    world.wire.fail(action, "AccessDenied", f"not authorized to perform: {action}", 403)
    observation = world.documents.read(ROLE_SPEC)
    assert names(observation, Present) == read
    assert names(observation, Unreadable) == unread
    assert names(observation, Absent) == set()


USER_PARTS = {
    "iam:GetUser": {"identity-policy ecr-warden-assume", "identity-policy ecr-warden-*"},
    "iam:ListUserPolicies": {"identity-policy ecr-warden-*"},
    "iam:GetUserPolicy": {"identity-policy ecr-warden-assume"},
}


@pytest.mark.parametrize("action", USER_PARTS)
def test_part_of_a_user_that_may_not_be_read_is_unreadable(world: MotoWorld, action: str) -> None:
    world.wire.fail(action, "Throttling", "Rate exceeded")
    observation = world.documents.read(identity_spec(PUSH_USER, Extent.OURS, [D4.name]))
    assert names(observation, Unreadable) == USER_PARTS[action]


@pytest.mark.parametrize("action", ["iam:ListRoles", "iam:GetAccountAuthorizationDetails"])
def test_an_account_that_may_not_be_listed_leaves_its_identities_unreadable(world: MotoWorld, action: str) -> None:
    world.wire.fail(action, "AccessDenied", f"not authorized to perform: {action}", 403)
    accounts = read_of(world, [SPEC], accounts=(PUSHER.account,))
    assert isinstance(accounts.observe(SPEC).documents[POLICY], Present)
    assert names(accounts.observe(ROLE_SPEC), Present) == set()
    assert names(accounts.observe(ROLE_SPEC), Unreadable) == {*READ, "identity-policy *"}
    with pytest.raises(PermissionMissing) as unread:
        accounts.listed(PUSHER.account)
    for part in (action, PUSHER.account, "ecr-warden deploy"):
        assert part in str(unread.value)


def test_reading_goes_on_after_a_repository_that_may_not_be_read(world: MotoWorld) -> None:
    world.wire.fail("ecr:GetRepositoryPolicy", "ThrottlingException")
    accounts = read_of(world, [SPEC])
    assert names(accounts.observe(SPEC), Unreadable) == {"repository-policy"}
    assert names(accounts.observe(ROLE_SPEC), Present) == READ


def test_policy_deleted_between_listing_and_reading_is_absent(world: MotoWorld) -> None:
    world.wire.fail("iam:GetRolePolicy", "NoSuchEntity", "The role policy with name x cannot be found.", 404)
    documents = world.documents.read(ROLE_SPEC).documents
    assert documents[D3] == Absent()
    assert identity_policy(PUSHER, "*") not in documents
    assert attached_policy(PUSHER, "*") not in documents
