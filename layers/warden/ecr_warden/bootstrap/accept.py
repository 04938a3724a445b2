"""The function `accept`: versions of the spec."""

from functools import cache

from ecr_warden.bootstrap import common, holding, queues, stores
from ecr_warden.bootstrap.specs import specs
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.core.job import AcceptSpec, Attempt
from ecr_warden.versions.accept import AcceptVersions
from ecr_warden.versions.holds import KeepHolds
from ecr_warden.versions.pending_versions import PendingVersions


def work(job: AcceptSpec, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    answer = _accept().process(job)
    return type(answer).__name__ if answer else "unchanged"


@cache
def _accept() -> AcceptVersions:
    jobs, alerts, log, clock = queues.jobs(), stores.alert_bus(), holding.history_log(), common.clock
    pending = PendingVersions(
        specs=specs(),
        jobs=jobs,
        holds=holding.holds(),
        verdicts=holding.verdicts(),
        keep=KeepHolds(holding.holds(), alerts, log, clock),
        clock=clock,
        patience=common.environment.seconds("WARDEN_VERDICT_PATIENCE"),
    )
    key, watched = common.environment.required("WARDEN_SPEC_KEY"), DynamoWatchRecords(common.table())
    return AcceptVersions(specs(), jobs, alerts, log, clock, key, pending, watched)
