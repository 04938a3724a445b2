"""The function `audit`: proofs, reports and verdicts, from what is kept; it enters no account."""

from functools import cache, partial
from typing import assert_never

from ecr_warden.audit.aws_last import s3_proofs, s3_reports
from ecr_warden.audit.findings import find
from ecr_warden.audit.prove import Prove
from ecr_warden.audit.report.make import make_report
from ecr_warden.audit.report.use import MakeReport
from ecr_warden.bootstrap import common
from ecr_warden.core.job import Attempt, AuditJob, JudgeVersion, ProveAccess
from ecr_warden.versions.judge import judge
from ecr_warden.versions.verdicts import JudgeVersions


def work(job: AuditJob, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case ProveAccess():
            return _prove()(job)
        case JudgeVersion():
            return _judge_versions()(job)
        case _:
            assert_never(job)


@cache
def _prove() -> Prove:
    return Prove(
        specs=common.specs(),
        estate=common.estate_store(),
        proofs=s3_proofs(common.state_bucket()),
        state=common.state(),
        sweep_records=common.sweep_records(),
        alerts=common.alert_bus(),
        clock=common.clock,
        find=partial(find, has_time=common.has_time, hub=common.environment.required("WARDEN_HUB_ACCOUNT")),
        report=_report,
        schedule=common.environment.required("WARDEN_SWEEP_SCHEDULE"),
    )


@cache
def _judge_versions() -> JudgeVersions:
    ports = common.specs(), common.holds(), common.verdicts(), common.estate_store(), common.jobs(), common.clock
    return JudgeVersions(*ports, judge, common.has_time)


@cache
def _report() -> MakeReport:
    return MakeReport(
        specs=common.specs(),
        journal=common.journal(),
        audit=common.audit_log(),
        holds=common.holds(),
        reports=s3_reports(common.state_bucket()),
        clock=common.clock,
        make=partial(make_report, has_time=common.has_time),
        hub=common.environment.required("WARDEN_HUB_ACCOUNT"),
    )
