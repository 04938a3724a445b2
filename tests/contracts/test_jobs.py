"""Jobs: all are sent, and what the queues do with their groups and deduplication ids."""

import re
from typing import Any, get_args

from ecr_warden.aws.queues import deduplication_id
from ecr_warden.core.job import (
    AcceptSpec,
    Actor,
    AuditAccess,
    AuditJob,
    Cause,
    CauseKind,
    CollectJob,
    FollowClock,
    FollowSwitch,
    Job,
    JudgeVersion,
    NoteHeartbeat,
    Queue,
    ReadForVersion,
    ReconcileTarget,
    RepairJob,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.target import RepositoryTarget, RoleTarget
from local.testing.seed import CHECKOUT, HOME, PUSH_USER, PUSHER
from tests.contracts.hubs import Hub

EVENT = Cause(CauseKind.EVENT, "e-1", "iam:PutRolePolicy", "2026-01-01T00:00:00Z", actor=Actor("IAMUser", arn="a"))
SWEEP = Cause(CauseKind.SWEEP, "s-1")
LONG = RepositoryTarget(HOME, "ap-southeast-4", "a" * 256)
ALL: list[Job] = [
    AcceptSpec(Cause(CauseKind.SPEC, "v1")),
    SweepAll(SWEEP),
    SweepIdentities(SWEEP, HOME),
    SweepRepositories(SWEEP, HOME, "eu-central-1"),
    SweepRepositories(SWEEP, HOME, "us-east-1"),
    *(ReconcileTarget(EVENT, target) for target in (CHECKOUT, PUSHER, PUSH_USER, LONG)),
    ReportOwnChange(EVENT, HOME, "role ecr-warden-write"),
    ReportCall(EVENT, PUSH_USER),
    FollowSwitch(SWEEP),
    FollowClock(SWEEP),
    ReadForVersion(SWEEP, "ab12"),
    JudgeVersion(SWEEP, "ab12"),
    NoteHeartbeat(SWEEP, HOME, "eu-central-1"),
]
# Each replaces the piece of the part that the sweep before it replaces, and is due though the sweep was.
SURVEYS: list[Job] = [
    SurveyIdentities(SWEEP, HOME),
    SurveyRegistry(SWEEP, HOME, "eu-central-1"),
    SurveyRegistry(EVENT, HOME, "eu-central-1", "shop/checkout"),
]
# One for each part that changed, one after the other.
AUDITS: list[Job] = [AuditAccess(SWEEP), AuditAccess(SWEEP, HOME), AuditAccess(SWEEP, f"{HOME}/eu-central-1")]


def test_jobs_arrive_as_they_were_sent(hub: Hub) -> None:
    jobs = [*ALL, *SURVEYS, *AUDITS]
    hub.jobs.enqueue([*jobs, *AUDITS])
    assert hub.sent() == [job for queue in Queue for job in jobs if job.queue is queue]


def test_each_kind_of_job_has_its_queue() -> None:
    of_queue = {queue: {type(job) for job in [*ALL, *SURVEYS, *AUDITS] if job.queue is queue} for queue in Queue}
    assert of_queue == {
        Queue.REPAIR: _members(RepairJob),
        Queue.ACCEPT: {AcceptSpec},
        Queue.COLLECT: _members(CollectJob),
        Queue.AUDIT: _members(AuditJob),
    }


def _members(union: Any) -> set[type]:
    value = union.__value__ if hasattr(union, "__value__") else union
    return {value} if isinstance(value, type) else set[type]().union(*map(_members, get_args(value)))


def test_any_number_of_jobs_is_sent(hub: Hub) -> None:
    jobs = [ReconcileTarget(SWEEP, RepositoryTarget(HOME, "eu-central-1", f"team/r{number}")) for number in range(23)]
    hub.jobs.enqueue(iter(jobs))
    assert hub.sent() == jobs


def test_nothing_to_send_sends_nothing(hub: Hub) -> None:
    hub.jobs.enqueue([])
    assert hub.sent() == []


def test_the_same_job_is_sent_once_and_only_the_queue_of_repairs_takes_it_again(hub: Hub) -> None:
    sweep, repair = ALL[1], ALL[5]
    hub.jobs.enqueue([sweep, repair, sweep, repair])
    hub.jobs.enqueue([sweep, repair])
    assert hub.sent() == [repair, repair, sweep]


def test_second_tamper_of_a_target_is_another_job(hub: Hub) -> None:
    again = ReconcileTarget(Cause(CauseKind.EVENT, "e-2"), CHECKOUT)
    hub.jobs.enqueue([ALL[5], again])
    assert hub.sent() == [ALL[5], again]


def test_groups_are_valid_for_sqs_and_distinct_where_they_keep_an_order() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}", job.group) for job in ALL)
    ordered = [job.group for job in ALL if job.queue is not Queue.REPAIR]
    assert len(set(ordered)) == len(ordered)


def test_repairs_of_an_account_are_a_group_for_each_kind_of_cause() -> None:
    of_ci, of_home = ReconcileTarget(EVENT, PUSH_USER), ReconcileTarget(EVENT, CHECKOUT)
    swept = ReconcileTarget(SWEEP, CHECKOUT)
    assert len({of_ci.group, of_home.group, swept.group}) == 3
    assert of_home.group == ReconcileTarget(Cause(CauseKind.EVENT, "e-2"), LONG).group


def test_a_survey_runs_beside_no_sweep_of_its_part() -> None:
    assert [survey.group for survey in SURVEYS] == [ALL[2].group, ALL[3].group, ALL[3].group]


def test_names_that_are_equal_to_iam_are_one_target() -> None:
    spelled = ReconcileTarget(EVENT, RoleTarget(PUSHER.account, PUSHER.name.upper()))
    assert deduplication_id(spelled) == deduplication_id(ReconcileTarget(EVENT, PUSHER))
