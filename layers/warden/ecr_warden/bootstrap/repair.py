"""The function `reconcile`: jobs on single targets, and reports of events. Nothing here parses, surveys or audits."""

from functools import cache

from ecr_warden.aws.system import new_run_id
from ecr_warden.bootstrap import accounts, common, queues, stores
from ecr_warden.bootstrap.common import table
from ecr_warden.core.job import (
    AcceptSpec,
    Attempt,
    Cause,
    CauseKind,
    FollowClock,
    FollowSwitch,
    ReconcileTarget,
    RepairJob,
    ReportCall,
    ReportOwnChange,
)
from ecr_warden.repair.due_work import FollowClocks
from ecr_warden.repair.follow_switch import FollowSwitches
from ecr_warden.repair.harmful_calls import ReportCalls, report_own_change
from ecr_warden.repair.reconcile import Reconcile
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.aws_switch import DynamoSwitchRecord


def work(job: RepairJob, attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    try:
        return _do(job, attempt)
    except CompiledUnusable as error:
        # The first job after an upgrade or a rollback has the accepted version compiled again, and waits for that.
        queues.jobs().enqueue([AcceptSpec(Cause(CauseKind.SPEC, error.version))])
        raise


def _do(job: RepairJob, attempt: Attempt) -> str:
    match job:
        case ReconcileTarget():
            return _reconcile().reconcile(job, attempt) or "no target"
        case ReportCall():
            return ReportCalls(stores.accepted_specs(), stores.alert_bus()).report(job)
        case FollowSwitch():
            return _follow_switch().follow(job)
        case FollowClock():
            return _follow_clock().follow(job)
        case ReportOwnChange():
            return report_own_change(job, stores.alert_bus())


@cache
def _reconcile() -> Reconcile:
    return Reconcile(
        specs=stores.accepted_specs(),
        documents=accounts.documents(),
        state=stores.state(),
        jobs=queues.jobs(),
        sweep_records=stores.sweep_records(),
        alerts=stores.alert_bus(),
        switch=stores.switch(),
        command_records=stores.command_records(),
        clock=common.clock,
        new_run_id=new_run_id,
        cutoff_margin=common.environment.seconds("WARDEN_SESSION_CUTOFF_MARGIN"),
    )


@cache
def _follow_clock() -> FollowClocks:
    records, sweeps = stores.command_records(), stores.sweep_records()
    jobs, alerts = queues.jobs(), stores.alert_bus()
    return FollowClocks(stores.accepted_specs(), stores.state(), records, sweeps, jobs, alerts, common.clock)


@cache
def _follow_switch() -> FollowSwitches:
    record = DynamoSwitchRecord(table())
    return FollowSwitches(stores.switch(), record, queues.jobs(), stores.alert_bus(), common.clock)
