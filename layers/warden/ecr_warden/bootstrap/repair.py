"""The function `reconcile`: jobs on single targets, and reports of events. Nothing here parses, surveys or audits."""

from ecr_warden.bootstrap.accounts import AccountAdapters
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


def work(on: AccountAdapters, job: RepairJob, attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    try:
        return _do(on, job, attempt)
    except CompiledUnusable as error:
        # The first job after an upgrade or a rollback has the accepted version compiled again, and waits for that.
        on.jobs.enqueue([AcceptSpec(Cause(CauseKind.SPEC, error.version))])
        raise


def _do(on: AccountAdapters, job: RepairJob, attempt: Attempt) -> str:
    match job:
        case ReconcileTarget():
            return reconcile(on).reconcile(job, attempt) or "no target"
        case ReportCall():
            return ReportCalls(on.accepted_specs, on.alerts).report(job)
        case FollowSwitch():
            return FollowSwitches(on.switch, DynamoSwitchRecord(on.table), on.jobs, on.alerts, on.clock).follow(job)
        case FollowClock():
            return FollowClocks(
                on.accepted_specs, on.state, on.command_records, on.sweep_records, on.jobs, on.alerts, on.clock
            ).follow(job)
        case ReportOwnChange():
            return report_own_change(job, on.alerts)


def reconcile(on: AccountAdapters) -> Reconcile:
    """The use case for repairs."""
    return Reconcile(
        specs=on.accepted_specs,
        documents=on.documents,
        state=on.state,
        jobs=on.jobs,
        sweep_records=on.sweep_records,
        alerts=on.alerts,
        switch=on.switch,
        command_records=on.command_records,
        clock=on.clock,
        new_run_id=on.new_run_id,
        emit=on.emit,
        cutoff_margin=on.environment.seconds("WARDEN_SESSION_CUTOFF_MARGIN"),
    )
