"""Jobs that reached their last attempt, in words."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from ecr_warden.alerting.words import describe_target
from ecr_warden.model.alert import JobFailed
from ecr_warden.model.job import (
    AcceptSpec,
    Job,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
    TellOwnChange,
)


def title_of_failed_jobs(failed: Sequence[JobFailed]) -> str:
    """`repository shop/checkout in 222222222222 eu-central-1: the job failed at its last attempt`."""
    if len(failed) > 1:
        return f"{len(failed)} jobs failed at their last attempt"
    return f"{_subject(failed[0].job)}: the job failed at its last attempt"


def describe_failed_job(failed: JobFailed) -> Iterator[str]:
    """What it was about, what is unknown now, and what happens next."""
    yield f"{_subject(failed.job)}: {_consequence(failed)}"


def _subject(job: Job | None) -> str:
    match job:
        case None:
            return "a job that cannot be read"
        case ReconcileTarget(target=target):
            return describe_target(target)
        case AcceptSpec():
            return "the uploaded spec"
        case SweepAll():
            return "a sweep"
        case SweepIdentities(account=account):
            return f"the sweep of the users and roles of {account}"
        case SweepRepositories(account=account, region=region):
            return f"the sweep of the repositories of {account} in {region}"
        case TellOwnChange(account=account, thing=thing):
            return f"a change of ecr-warden's own {thing} in {account or 'the hub'}"
        case _:
            assert_never(job)


def _consequence(failed: JobFailed) -> str:
    match failed.job:
        case None:
            return f"nothing was done about it: {failed.error}"
        case ReconcileTarget():
            return "whether it is in sync is unknown; the next sweep tries again"
        case AcceptSpec():
            return "it was neither accepted nor refused; the next sweep looks at it again"
        case SweepAll() | SweepIdentities() | SweepRepositories():
            return "some targets were not compared with the spec; the next sweep compares them"
        case TellOwnChange():
            return "it was made, and was not reported otherwise"
        case _:
            assert_never(failed.job)
