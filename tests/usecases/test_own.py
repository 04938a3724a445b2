"""A change to ecr-warden's own roles and boundary, from the event to the message."""

import json
from typing import Any

import pytest
from ecr_warden.alerting.kinds import message_of
from ecr_warden.model.alert import OwnChanged
from ecr_warden.model.job import FIRST_AND_LAST, ReportOwnChange
from ecr_warden.model.run import Result, Severity
from ecr_warden.usecases.jobs import Dispatch, Work

from local.testing.seed import PUSHER
from tests.template.cfn import ROOT
from tests.usecases.world import World, world_at_spec


def unbuilt() -> Any:
    raise AssertionError("no other use case is needed")


def event(name: str, **parameters: str) -> dict[str, Any]:
    """A recorded call with other parameters."""
    given: dict[str, Any] = json.loads((ROOT / "events" / f"iam-{name}.json").read_text())
    given["detail"]["requestParameters"] |= parameters
    return given


def told(world: World, *events: dict[str, Any]) -> list[OwnChanged]:
    """What is announced once dispatch and the workers are through with the events."""
    dispatch = Dispatch(world.jobs, "bucket", "access.yaml")
    work = Work(accept=unbuilt, sweep=unbuilt, reconcile=unbuilt, alerts=world.alerts)
    for one in events:
        dispatch(one)
    jobs = [job for job in world.jobs.sent if isinstance(job, ReportOwnChange)]
    for job in jobs:
        assert work(job, FIRST_AND_LAST) == "reported"
    return [alert for alert in world.alerts.published if isinstance(alert, OwnChanged)]


@pytest.mark.parametrize(
    ("given", "thing"),
    [
        (event("UpdateAssumeRolePolicy", roleName="ecr-warden-read"), "role ecr-warden-read"),
        (event("PutRolePolicy", roleName="ecr-warden-write"), "role ecr-warden-write"),
        (event("AttachRolePolicy", roleName="ecr-warden-forward"), "role ecr-warden-forward"),
        (event("CreatePolicyVersion"), "policy ecr-warden-boundary"),
        (event("SetDefaultPolicyVersion"), "policy ecr-warden-boundary"),
    ],
    ids=["trust of the read role", "policy of the write role", "attached to the forward role", "version", "default"],
)
def test_tampering_with_ecr_warden_itself_is_reported_as_critical(given: dict[str, Any], thing: str) -> None:
    [alert] = told(world_at_spec(), given)
    message = message_of([alert])
    assert message.severity is Severity.CRITICAL
    assert message.title == f"ecr-warden's own {thing} was changed by mallory"
    assert any("docs/security.md" in line for line in message.lines)


def test_a_deployment_is_one_info_message() -> None:
    events = [event("PutRolePolicy", roleName="ecr-warden-write"), event("CreatePolicyVersion")]
    for one in events:
        one["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com"
    message = message_of(told(world_at_spec(), *events))
    assert message.severity is Severity.INFO
    assert message.title == "ecr-warden's own roles in account 222222222222 were changed"


def test_a_change_of_a_push_role_is_not_reported_as_tampering_with_ecr_warden() -> None:
    world = world_at_spec()
    assert told(world, event("PutRolePolicy")) == []
    assert world.run(PUSHER) is Result.IN_SYNC
