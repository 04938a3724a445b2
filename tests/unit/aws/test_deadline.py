"""The end of an invocation: no call begins within its reserve, and nothing of it reaches AWS."""

import pytest

from ecr_warden.aws.deadline import MEMBER_RESERVE, InvocationDeadline
from ecr_warden.aws.errors import translated
from ecr_warden.aws.member_errors import ECR
from ecr_warden.core.failures import OutOfTime
from local.testing.seed import HOME
from tests.contracts.worlds import MotoWorld

SECONDS = 1000


def test_a_call_is_made_while_there_is_time_and_not_after(world: MotoWorld) -> None:
    left = [120.0 * SECONDS]
    world.accounts.deadline.begin(lambda: left[0])
    ecr = world.accounts.reader(HOME).ecr("eu-central-1")
    ecr.create_repository(repositoryName="in-time")
    left[0] = MEMBER_RESERVE * SECONDS - 1
    with pytest.raises(OutOfTime, match="the time of this invocation is up") as late, translated(ECR, "creating"):
        ecr.create_repository(repositoryName="late")
    assert late.value.retryable
    left[0] = 120.0 * SECONDS
    names = [found["repositoryName"] for found in ecr.describe_repositories()["repositories"]]
    assert names == ["in-time"], "the call that was refused was not made"


def test_an_account_is_not_entered_after_it_either_and_that_is_not_reported_as_access_denied(world: MotoWorld) -> None:
    world.accounts.deadline.begin(lambda: 0)
    with pytest.raises(OutOfTime):
        world.accounts.reader(HOME)
    world.accounts.deadline.begin(lambda: 120.0 * SECONDS)
    world.accounts.reader(HOME)


def test_waiting_without_a_limit_is_never_stopped() -> None:
    assert not InvocationDeadline().is_within(1e6)
