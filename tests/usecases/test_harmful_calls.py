"""A call that changes no document is reported of what the spec names, and of nothing else."""

import json

import pytest

from ecr_warden.core.job import Cause, CauseKind, ReportCall
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.notify.kinds import message_of
from ecr_warden.repair.alerts import HarmfulCall
from ecr_warden.repair.harmful_calls import ReportCalls
from local.testing.seed import CHECKOUT, CI, HOME, PUSH_USER, PUSHER, compiled
from tests.usecases.world import MALLORY, World, world_in_sync


def report(world: World, target: Target, action: str = "iam:CreateAccessKey") -> str:
    cause = Cause(CauseKind.EVENT, "e", action, "2026-01-01T00:00:00Z", actor=MALLORY)
    return ReportCalls(world.specs, world.alerts).report(ReportCall(cause, target))


@pytest.mark.parametrize(
    ("action", "title"),
    [
        ("iam:CreateAccessKey", f"access key of user/{CI}/push-user was made"),
        ("iam:UpdateAccessKey", f"access key of user/{CI}/push-user was activated"),
        ("iam:CreateLoginProfile", f"password of user/{CI}/push-user was made"),
        ("iam:UpdateLoginProfile", f"password of user/{CI}/push-user was made"),
    ],
)
def test_a_credential_of_a_user_of_the_spec_is_reported_with_who_made_it(action: str, title: str) -> None:
    world = world_in_sync()
    assert report(world, PUSH_USER, action) == "reported"
    [alert] = world.alerts.published
    assert isinstance(alert, HarmfulCall)
    message = message_of([alert])
    assert (message.title, message.severity) == (title, Severity.WARNING)
    assert "mallory" in message.fields[0].text


@pytest.mark.parametrize("user", [UserTarget(CI, "somebody"), UserTarget(HOME, PUSH_USER.name)])
def test_a_credential_of_anybody_else_is_not(user: UserTarget) -> None:
    world = world_in_sync()
    assert report(world, user) == "not reported"
    world.specs.compiled = None
    assert report(world, PUSH_USER) == "not reported"
    assert world.alerts.published == []


IMAGES = {
    "ecr:PutLifecyclePolicy": ("lifecycle policy", "aws ecr get-lifecycle-policy "),
    "ecr:DeleteLifecyclePolicy": ("lifecycle policy", "aws ecr get-lifecycle-policy "),
    "ecr:PutImageTagMutability": ("tag mutability", "aws ecr describe-repositories "),
}


@pytest.mark.parametrize("action", IMAGES)
def test_what_makes_images_expire_or_move_is_reported_of_a_repository_of_the_spec(action: str) -> None:
    world = world_in_sync()
    assert report(world, CHECKOUT, action) == "reported"
    message, (what, command) = message_of(world.alerts.published), IMAGES[action]
    where = "repository shop/checkout"
    assert (message.title, message.severity) == (f"{what} of {where} was changed", Severity.WARNING)
    assert command in message.fields[-1].text
    assert report(world, RepositoryTarget(HOME, "eu-central-1", "shop/other"), action) == "not reported"
    assert len(world.alerts.published) == 1
    assert world.writes == []


WITHOUT_A_TARGET = {
    "ecr:DeleteSigningConfiguration": ("eu-central-1", f"signing of images of {HOME} eu-central-1"),
    "ecr:RegisterPullTimeUpdateExclusion": (
        "eu-central-1",
        f"record of pulls of {HOME} eu-central-1",
    ),
    "iam:UpdateSAMLProvider": ("", f"SAML provider of account {HOME}"),
    "iam:PutRolePolicy": ("", f"role, user or policy of account {HOME}"),
    "iam:UpdateOpenIDConnectProviderThumbprint": ("", f"OIDC provider's certificate of account {HOME}"),
}


@pytest.mark.parametrize("action", WITHOUT_A_TARGET)
def test_what_weakens_a_registry_or_a_provider_is_reported_of_the_accounts_of_the_spec(action: str) -> None:
    world, (region, what) = world_in_sync(), WITHOUT_A_TARGET[action]
    cause = Cause(CauseKind.EVENT, "e", action, "2026-01-01T00:00:00Z", actor=MALLORY)
    calls = ReportCalls(world.specs, world.alerts)
    assert calls.report(ReportCall(cause, None, "999999999999", region)) == "not reported"
    assert calls.report(ReportCall(cause, None, HOME, region)) == "reported"
    message = message_of(world.alerts.published)
    assert (message.title, message.severity) == (f"{what} was changed", Severity.WARNING)


def test_longer_sessions_are_reported_of_every_role_of_an_account_of_the_spec_but_those_that_it_names() -> None:
    world = world_in_sync()
    assert report(world, RoleTarget(HOME, "deploy"), "iam:UpdateRole") == "reported"
    message = message_of(world.alerts.published)
    assert message.title == f"longest session of role/{HOME}/deploy was changed"
    assert message.severity is Severity.WARNING
    for role in (PUSHER, RoleTarget("999999999999", "deploy")):
        assert report(world, role, "iam:UpdateRole") == "not reported"
    assert len(world.alerts.published) == 1


def test_a_repository_that_a_pattern_covers_is_of_the_spec() -> None:
    world = world_in_sync()
    spec = {
        "version": 1,
        "accounts": {"registry": {"id": HOME, "regions": ["eu-central-1"]}},
        "repositories": [{"name": "shop/*", "except": ["shop/secret"], "account": "registry"}],
    }
    world.specs.compiled = compiled(json.dumps(spec).encode())
    said = [
        report(world, RepositoryTarget(HOME, "eu-central-1", name), "ecr:PutLifecyclePolicy")
        for name in ("shop/checkout", "shop/secret", "tool/build")
    ]
    assert said == ["reported", "not reported", "not reported"]
