"""The function `audit`: audits, reports and verdicts, from what is kept; it enters no account."""

from functools import cache, partial
from typing import assert_never

from ecr_warden.audit.audit import Audit
from ecr_warden.audit.aws_last import s3_audits, s3_reports
from ecr_warden.audit.findings import find
from ecr_warden.audit.report.make import make_report
from ecr_warden.audit.report.use import MakeReport
from ecr_warden.bootstrap import common, holding, inventory, queues, stores
from ecr_warden.core.job import Attempt, AuditAccess, AuditJob, JudgeVersion
from ecr_warden.state.aws_journal import DynamoJournal
from ecr_warden.versions.judge import judge
from ecr_warden.versions.verdicts import JudgeVersions


def work(job: AuditJob, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case AuditAccess():
            return _audit().audit(job)
        case JudgeVersion():
            return _judge_versions().judge_version(job)
        case _:
            assert_never(job)


@cache
def _audit() -> Audit:
    return Audit(
        specs=stores.specs(),
        estate=inventory.estate_store(),
        audits=s3_audits(inventory.state_bucket()),
        state=stores.state(),
        sweep_records=stores.sweep_records(),
        alerts=stores.alert_bus(),
        clock=common.clock,
        find=partial(find, has_time=common.has_time, hub=common.environment.required("WARDEN_HUB_ACCOUNT")),
        report=_report,
        schedule=common.environment.required("WARDEN_SWEEP_SCHEDULE"),
    )


@cache
def _judge_versions() -> JudgeVersions:
    ports = stores.specs(), holding.holds(), holding.verdicts(), inventory.estate_store(), queues.jobs(), common.clock
    return JudgeVersions(*ports, judge, common.has_time)


@cache
def _report() -> MakeReport:
    return MakeReport(
        specs=stores.specs(),
        journal=DynamoJournal(common.table()),
        log=holding.history_log(),
        holds=holding.holds(),
        reports=s3_reports(inventory.state_bucket()),
        clock=common.clock,
        make=partial(make_report, has_time=common.has_time),
        hub=common.environment.required("WARDEN_HUB_ACCOUNT"),
    )
