"""How many API calls to member accounts things cost, counted where they leave."""

from collections import Counter
from datetime import timedelta

import pytest

from ecr_warden.bootstrap import collect, repair
from ecr_warden.collect.aws_estate import OVER_ALL, AwsEstateReader
from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, MustNotExist, RepositoryPattern, TargetSpec
from ecr_warden.core.job import Cause, CauseKind, ReconcileTarget, SweepIdentities, SweepRepositories
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.reconcile import Reconcile
from local.testing.memory.adapters import MemoryAdapters
from local.testing.memory.hub import MemorySpecs
from local.testing.seed import (
    CHECKOUT,
    CI,
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
from tests.contracts.runs import EVENT
from tests.contracts.worlds import MotoWorld, read_of

POLICY = repository_policy(CHECKOUT)
SPEC = TargetSpec(CHECKOUT, Extent.WHOLE, {POLICY: repository_document()})
ROLE_SPEC = TargetSpec(
    PUSHER, Extent.WHOLE, {role(PUSHER): SETTINGS, trust_policy(PUSHER): trust_document(), D3: identity_document()}
)


@pytest.fixture
def reconcile(world: MotoWorld) -> Reconcile:
    specs = {spec.target.key: spec for spec in (SPEC, ROLE_SPEC)}
    accepted = MemorySpecs(compiled=CompiledSpec("v1", Mode.ENFORCE, (CI, HOME), specs))
    return repair.reconcile(MemoryAdapters(world.clock, world.documents, accepted).adapters)


def calls_of(world: MotoWorld, reconcile: Reconcile, target: Target, expected: Result) -> list[str]:
    world.wire.calls.clear()
    assert reconcile.reconcile(ReconcileTarget(EVENT, target)) is expected
    return world.wire.actions


def test_repository_without_drift_costs_one_read_when_warm(world: MotoWorld, reconcile: Reconcile) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    cold = calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC)
    assert cold == ["sts:AssumeRole", "ecr:GetRepositoryPolicy"]
    assert calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC) == ["ecr:GetRepositoryPolicy"]


def test_repository_with_drift_costs_five_calls_when_warm(world: MotoWorld, reconcile: Reconcile) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC)
    world.put(POLICY, repository_document("mallory"))
    assert calls_of(world, reconcile, CHECKOUT, Result.CONVERGED) == [
        "ecr:GetRepositoryPolicy",
        "sts:AssumeRole",
        "ecr:GetRepositoryPolicy",
        "ecr:SetRepositoryPolicy",
        "ecr:GetRepositoryPolicy",
    ]


def test_read_session_is_cached_for_most_of_its_hour(world: MotoWorld, reconcile: Reconcile) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC)
    world.clock.advance(timedelta(minutes=54))
    assert "sts:AssumeRole" not in calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC)
    world.clock.advance(timedelta(minutes=1))
    assert "sts:AssumeRole" in calls_of(world, reconcile, CHECKOUT, Result.IN_SYNC)


@pytest.mark.parametrize("policies", [0, 1, 4])
def test_role_costs_three_calls_and_one_for_each_inline_policy(world: MotoWorld, policies: int) -> None:
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    world.attach(attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power"))
    for number in range(policies):
        world.put(identity_policy(PUSHER, f"p{number}"), identity_document())
    world.documents.read(ROLE_SPEC)
    world.wire.calls.clear()
    world.documents.read(ROLE_SPEC)
    assert (
        Counter(world.wire.actions)
        == Counter(
            {
                "iam:GetRole": 1,
                "iam:ListRolePolicies": 1,
                "iam:ListAttachedRolePolicies": 1,
                "iam:GetRolePolicy": policies,
            }
        )
        - Counter()
    )


def test_user_costs_two_calls_and_one_for_each_policy_of_ours(world: MotoWorld) -> None:
    world.make(PUSH_USER)
    for name in (D4.name, "own", "another"):
        world.put(identity_policy(PUSH_USER, name), identity_document())
    spec = identity_spec(PUSH_USER, Extent.OURS, [D4.name, "ecr-warden-missing"])
    world.documents.read(spec)
    world.wire.calls.clear()
    world.documents.read(spec)
    assert world.wire.actions == ["iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy"]


def test_a_sweep_reads_the_users_and_roles_of_an_account_once_and_each_policy_of_the_spec(world: MotoWorld) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    world.make(RepositoryTarget(HOME, CHECKOUT.region, "lib/other"))
    specs = MemorySpecs(compiled=CompiledSpec("v1", Mode.ENFORCE, (CI, HOME), {CHECKOUT.key: SPEC}))
    hub = MemoryAdapters(world.clock, world.documents, specs, reader=AwsEstateReader(world.accounts))
    sweep = collect.sweep(hub.adapters)
    cause = Cause(CauseKind.SWEEP, "s")
    for policies in (2, 1):  # the policy of the other one stands for a day
        world.wire.calls.clear()
        for job in (SweepIdentities(cause, HOME), SweepRepositories(cause, HOME, CHECKOUT.region)):
            assert sweep.sweep(job) == ()
        assert Counter(action for action in world.wire.actions if action != "sts:AssumeRole") == {
            "iam:GetAccountAuthorizationDetails": 1,
            "iam:ListRoles": 1,
            "iam:ListOpenIDConnectProviders": 1,
            "iam:ListSAMLProviders": 1,
            "organizations:DescribeOrganization": 1,
            "ecr:DescribeRepositories": 1,
            "ecr:GetRepositoryPolicy": policies,
            **dict.fromkeys(OVER_ALL, 1),
        }
        world.clock.advance(timedelta(minutes=15))


@pytest.mark.parametrize("repositories", [1, 40])
def test_a_plan_costs_one_call_a_repository_and_three_an_account(world: MotoWorld, repositories: int) -> None:
    targets = [RepositoryTarget(HOME, "eu-central-1", f"team/r{number}") for number in range(repositories)]
    specs = [TargetSpec(target, Extent.WHOLE, {repository_policy(target): repository_document()}) for target in targets]
    for target in targets[::2]:
        world.make(target)
    numbers = range(20)
    identities = [identity_spec(RoleTarget(CI, f"node-{one}"), Extent.OURS, ["ecr-warden-pull"]) for one in numbers]
    identities += [identity_spec(UserTarget(CI, f"user-{one}"), Extent.OURS, ["ecr-warden-pull"]) for one in numbers]
    read_of(world, [*specs, *identities])
    assert Counter(world.wire.actions) == {
        "ecr:GetRepositoryPolicy": repositories,
        "iam:ListRoles": 2,
        "iam:GetAccountAuthorizationDetails": 2,
        "iam:ListOpenIDConnectProviders": 2,
        "sts:AssumeRole": 2,
    }


def test_patterns_of_a_region_cost_one_listing_of_a_thousand_repositories_a_call(world: MotoWorld) -> None:
    for name in ("shop/a", "web/a"):
        world.make(RepositoryTarget(HOME, "eu-central-1", name))
    regions = ("eu-central-1", "eu-central-1", "eu-west-1")
    patterns = [
        RepositoryPattern(HOME, region, name, (), MustNotExist())
        for region, name in zip(regions, ("shop/*", "web/*", "*"), strict=True)
    ]
    assert len(world.documents.list_repositories(patterns).repositories) == 2
    asked = [call.parameters for call in world.wire.calls if call.action == "ecr:DescribeRepositories"]
    assert [(call["registryId"], call["maxResults"]) for call in asked] == [(HOME, 1000), (HOME, 1000)]


def test_closed_account_is_tried_once_in_a_plan(world: MotoWorld) -> None:
    world.close(HOME)
    targets = [RepositoryTarget(HOME, "eu-central-1", f"team/r{number}") for number in range(30)]
    specs = [TargetSpec(target, Extent.WHOLE, {repository_policy(target): repository_document()}) for target in targets]
    read_of(world, [*specs, ROLE_SPEC], accounts=(HOME,))
    assert world.wire.actions == ["sts:AssumeRole"]


def test_registry_is_named_and_force_never_sent(world: MotoWorld, reconcile: Reconcile) -> None:
    world.make(CHECKOUT)
    calls_of(world, reconcile, CHECKOUT, Result.CONVERGED)
    of_ecr = [call for call in world.wire.calls if call.service == "ecr"]
    assert {call.parameters["registryId"] for call in of_ecr} == {HOME}
    assert all("force" not in call.parameters for call in of_ecr)
