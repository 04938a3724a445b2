"""The function `accept`: versions of the spec."""

from functools import cache

from ecr_warden.bootstrap import common, holding, queues, stores
from ecr_warden.bootstrap.specs import specs
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.core.job import AcceptSpec, Attempt
from ecr_warden.versions.accept import AcceptVersions
from ecr_warden.versions.announce import AnnounceVersions
from ecr_warden.versions.standing import ReadStanding


def work(job: AcceptSpec, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    answer = _accept().process(job)
    return type(answer).__name__ if answer else "unchanged"


@cache
def _accept() -> AcceptVersions:
    jobs, alerts, clock = queues.jobs(), stores.alert_bus(), common.clock
    return AcceptVersions(
        specs=specs(),
        holds=holding.holds(),
        verdicts=holding.verdicts(),
        jobs=jobs,
        clock=clock,
        standing=ReadStanding(specs(), jobs, alerts),
        announcements=AnnounceVersions(jobs, alerts, holding.history_log(), clock),
        watch_records=DynamoWatchRecords(common.table()),
        file_name=common.environment.required("WARDEN_SPEC_KEY"),
        patience=common.environment.seconds("WARDEN_VERDICT_PATIENCE"),
    )
