"""A credential of a user whom the spec names is reported; of anybody else it is not."""

import pytest
from ecr_warden.alerting.kinds import message_of
from ecr_warden.model.alert import CredentialMade
from ecr_warden.model.job import Cause, CauseKind, ReportCredential
from ecr_warden.model.run import Severity
from ecr_warden.model.target import UserTarget
from ecr_warden.usecases.credentials import ReportCredentials

from local.testing.seed import CI, HOME, PUSH_USER
from tests.usecases.world import MALLORY, World, world_in_sync


def report(world: World, user: UserTarget, action: str = "iam:CreateAccessKey") -> str:
    cause = Cause(CauseKind.EVENT, "e", action, "2026-01-01T00:00:00Z", actor=MALLORY)
    return ReportCredentials(world.specs, world.alerts)(ReportCredential(cause, user))


@pytest.mark.parametrize(
    ("action", "title"),
    [
        ("iam:CreateAccessKey", f"access key of user push-user in {CI} was made by mallory"),
        ("iam:CreateLoginProfile", f"password of user push-user in {CI} was made by mallory"),
        ("iam:UpdateLoginProfile", f"password of user push-user in {CI} was made by mallory"),
    ],
)
def test_a_credential_of_a_user_of_the_spec_is_reported_with_who_made_it(action: str, title: str) -> None:
    world = world_in_sync()
    assert report(world, PUSH_USER, action) == "reported"
    [alert] = world.alerts.published
    assert isinstance(alert, CredentialMade)
    message = message_of([alert])
    assert (message.title, message.severity) == (title, Severity.WARNING)


@pytest.mark.parametrize("user", [UserTarget(CI, "somebody"), UserTarget(HOME, PUSH_USER.name)])
def test_a_credential_of_anybody_else_is_not(user: UserTarget) -> None:
    world = world_in_sync()
    assert report(world, user) == "not in the spec"
    world.specs.compiled = None
    assert report(world, PUSH_USER) == "not in the spec"
    assert world.alerts.published == []
