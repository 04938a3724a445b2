"""Alerts on jobs that failed on their last attempt."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from ecr_warden.alerting.delivery import Collected, Routing
from ecr_warden.alerting.kinds.kind import Kind
from ecr_warden.alerting.layout import Parts, listing
from ecr_warden.alerting.wording import describe_target
from ecr_warden.model.alert import Alert, Field, JobFailed
from ecr_warden.model.job import (
    AcceptSpec,
    FollowPause,
    FollowSwitch,
    Job,
    NoteHeartbeat,
    ProveAccess,
    ReconcileTarget,
    ReportCredential,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.model.run import Severity


class _JobFailed(Kind[JobFailed]):
    def severity(self, _alert: JobFailed) -> Severity:
        return Severity.CRITICAL

    def route(self, _alert: JobFailed) -> Routing:
        # What ends one job usually ends others: a broken deployment, an account that does not answer.
        return Collected("failed-jobs")

    def describe(self, alerts: Sequence[JobFailed], *, is_follow_up: bool) -> Parts:  # noqa: ARG002
        lines = [
            f"{about}: {follows}{f': {alert.error}' if alert.error else ''}"
            for alert in alerts
            for about, follows in [_of_job(alert.job)]
        ]
        return Parts(
            f"{_of_job(alerts[0].job)[0]}: the job failed on its last attempt"
            if len(alerts) == 1
            else f"{len(alerts)} jobs failed on their last attempt",
            [
                Field("Why", "see the log of ecr-warden-reconcile: `failed`, `Task timed out`, or out of memory"),
                Field("Kept", "in the queue ecr-warden-jobs-dlq.fifo; to run them again: docs/deploy.md, Dead letters"),
                Field("See", "ecr-warden status"),
            ],
            [listing("job", list(dict.fromkeys(lines)))],
        )


def _of_job(job: Job | None) -> tuple[str, str]:  # noqa: PLR0912 - a case for each kind of job
    """What a job was about, and what follows from its failure."""
    match job:
        case None:
            return "a job that cannot be read", "nothing was done"
        case ReconcileTarget(target=target):
            return describe_target(target), "whether it is in sync is unknown; the next sweep tries again"
        case AcceptSpec():
            return "the uploaded spec", "it was neither accepted nor refused; the next sweep tries again"
        case SweepAll():
            return "a sweep", _UNSWEPT
        case SweepIdentities(account=account):
            return f"the sweep of the users and roles of {account}", _UNSWEPT
        case SweepRepositories(account=account, region=region):
            return f"the sweep of the repositories of {account} in {region}", _UNSWEPT
        case SurveyIdentities(account=account):
            return f"the survey of the users and roles of {account}", _UNSURVEYED
        case SurveyRegistry(account=account, region=region):
            return f"the survey of the registry of {account} in {region}", _UNSURVEYED
        case ProveAccess():
            return "the proof of access", "who can pull and push is not known anew; the next sweep has it proved again"
        case ReportCredential(target=target):
            return f"a credential of {describe_target(target)}", "it is reported nowhere else"
        case FollowPause(cause=cause, moment=moment):
            return f"the {moment} of pause {cause.id}", "it is not announced; the next sweep finds what differs"
        case FollowSwitch():
            return "the stop switch", "a change of it is not announced; the next sweep looks again"
        case NoteHeartbeat(account=account, region=region):
            return f"a heartbeat of {account} in {region}", "the next one comes within an hour"
        case ReportOwnChange(account=account, thing=thing):
            return f"a change of ecr-warden's own {thing} in {account or 'the hub'}", "it is reported nowhere else"
        case _:
            assert_never(job)


_UNSWEPT = "some targets were not compared with the spec; the next sweep compares them"
_UNSURVEYED = "who can pull and push is not known anew; the next sweep surveys it again"


JOBS: Mapping[type[Alert], Kind[Any]] = {JobFailed: _JobFailed()}
