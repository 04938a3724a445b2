"""Who wrote: one of ecr-warden's runs, or somebody with its write role; and changes to its own roles and boundary."""

import json
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.address import repository_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.desired import Removed
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind, ReconcileTarget, ReportOwnChange
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.events.dispatch import Dispatch
from ecr_warden.notify.kinds import message_of, severity
from ecr_warden.repair.alerts import OwnChanged
from ecr_warden.repair.harmful_calls import report_own_change
from local.testing.seed import CHECKOUT, D1, HOME, OUTSIDER, PUSHER, SPEC_FILE, compiled
from tests.template.cfn import ROOT
from tests.usecases.world import OPEN, World, world_in_sync, write_session


@pytest.mark.parametrize(
    ("target", "reported"),
    [
        (RepositoryTarget(HOME, "eu-central-1", "not/named"), [True]),
        (RepositoryTarget(HOME, "us-east-1", "not/named"), [True]),
        (RoleTarget(HOME, "ecr-warden-read"), [True]),
        (RepositoryTarget(OUTSIDER, "eu-central-1", "not/named"), []),
    ],
    ids=["a repository", "one in another region", "a role of ecr-warden's", "in no account of the spec"],
)
def test_an_intruder_is_reported_where_the_spec_asks_for_nothing(target: Target, reported: list[bool]) -> None:
    world = world_in_sync()
    if isinstance(target, RepositoryTarget):
        world.put(repository_policy(target), OPEN)
    assert world.run(target) is None
    world.run(target, actor=write_session("mallory", target))
    assert [report.intruder for report in world.reports] == reported
    assert world.writes == []


def test_an_intruder_is_reported_on_a_repository_that_was_removed_and_is_left_alone() -> None:
    world = world_in_sync()
    world.specs.compiled = compiled(SPEC_FILE.read_text().replace("shop/checkout", "shop/other"), "v2")
    world.specs.compiled = replace(world.specs.compiled, removed={CHECKOUT.key: Removed(CHECKOUT, "v2")})
    assert world.run(CHECKOUT) is Result.CONVERGED
    world.forget()
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is None
    world.run(CHECKOUT, actor=write_session("mallory", CHECKOUT))
    assert [report.intruder for report in world.reports] == [True]
    assert (world.writes, world.live(D1)) == ([], OPEN)


class Deaf:
    """A bus that takes nothing."""

    def publish(self, alert: Alert) -> None:
        raise PortError("the bus takes nothing", retryable=True)


@pytest.mark.parametrize(
    "name", ["ecrw-unknown", "mallory", "ecrw-"], ids=["an unknown run", "another name", "a run without an id"]
)
def test_a_write_role_session_that_no_run_opened_is_reported_even_in_sync(name: str) -> None:
    world = world_in_sync()
    assert world.run(CHECKOUT, actor=write_session(name, CHECKOUT)) is Result.IN_SYNC
    assert [report.intruder for report in world.reports] == [True]


def test_an_intruder_whose_event_comes_twice_is_reported_once_and_every_other_call_of_theirs_too() -> None:
    world = world_in_sync()
    actor = write_session("mallory", CHECKOUT)
    for event in ("first", "first", "second", *map(str, range(200)), "first"):
        cause = Cause(CauseKind.EVENT, event, "ecr:SetRepositoryPolicy", world.clock.now().isoformat(), actor=actor)
        world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))
        world.clock.advance(timedelta(seconds=1))
    reported = [report.cause.id for report in world.reports]
    assert reported == ["first", "second", *map(str, range(200)), "first"], "the last hundred are remembered"
    assert len(world.state.remembered[CHECKOUT.key].events) == 101


def test_an_intruder_whose_report_was_not_sent_is_reported_by_the_next_delivery() -> None:
    world = world_in_sync()
    job = ReconcileTarget(world.event(write_session("mallory", CHECKOUT)), CHECKOUT)
    with pytest.raises(PortError):
        replace(world.reconcile(), alerts=Deaf()).reconcile(job)
    world.clock.advance(timedelta(minutes=3))
    world.reconcile().reconcile(job)
    assert [report.intruder for report in world.reports] == [True]


def test_a_run_of_one_target_does_not_vouch_for_another() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own = world.reports[0].run_id
    world.forget()
    world.run(PUSHER, actor=write_session(f"ecrw-{own}", PUSHER))
    assert [report.intruder for report in world.reports] == [True]


@pytest.mark.parametrize(
    ("after", "intruder"),
    [(timedelta(0), []), (timedelta(seconds=150), []), (timedelta(seconds=-61), [True]), (timedelta(days=5), [True])],
    ids=["while it ran", "as late as it could", "before it", "days later"],
)
def test_a_run_id_vouches_only_for_calls_made_while_it_ran(after: timedelta, intruder: list[bool]) -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own, at = world.reports[0].run_id, world.reports[0].started_at + after
    world.forget()
    session = write_session(f"ecrw-{own}", CHECKOUT)
    cause = Cause(CauseKind.EVENT, "e-again", at=at.strftime("%Y-%m-%dT%H:%M:%SZ"), actor=session)
    world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))
    assert [report.intruder for report in world.reports] == intruder


def test_a_write_after_a_run_is_not_attributed_to_the_run() -> None:
    """The event of an own write starts a run, which finds what somebody else did meanwhile."""
    world = world_in_sync()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own = world.reports[0].run_id
    world.forget()
    world.put(D1, OPEN)
    assert world.run(CHECKOUT, actor=write_session(f"ecrw-{own}", CHECKOUT)) is Result.CONVERGED
    [run] = world.announced
    message = message_of([run])
    text = "\n".join([message.title, *(field.text for field in message.fields), *message.lines])
    assert "ecrw-" not in text and "ecr-warden-write" not in text
    assert "unknown: found when ecr-warden verified what it had written" in text
    assert "aws cloudtrail lookup-events" in text


def event(name: str, **parameters: str) -> dict[str, Any]:
    """A recorded call with other parameters."""
    given: dict[str, Any] = json.loads((ROOT / "events" / f"iam-{name}.json").read_text())
    given["detail"]["requestParameters"] |= parameters
    return given


def reported(world: World, *events: dict[str, Any]) -> list[OwnChanged]:
    """What is announced once dispatch and the workers are through with the events."""
    dispatch = Dispatch(world.jobs, "bucket", "access.yaml")
    for one in events:
        dispatch.dispatch(one)
    jobs = [job for job in world.jobs.sent if isinstance(job, ReportOwnChange)]
    for job in jobs:
        assert report_own_change(job, world.alerts) == "reported"
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
    [alert] = reported(world_in_sync(), given)
    assert isinstance(alert, OwnChanged)
    assert (severity(alert), alert.thing) == (Severity.CRITICAL, thing)


def test_a_deployment_is_one_info_message() -> None:
    events = [event("PutRolePolicy", roleName="ecr-warden-write"), event("CreatePolicyVersion")]
    for one in events:
        one["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com"
    message = message_of(reported(world_in_sync(), *events))
    assert message.severity is Severity.INFO
    assert message.title == "2 things that ecr-warden works through were changed in account 222222222222"


def test_a_change_of_a_push_role_is_not_reported_as_tampering_with_ecr_warden() -> None:
    world = world_in_sync()
    assert reported(world, event("PutRolePolicy")) == []
    assert world.run(PUSHER) is Result.IN_SYNC
