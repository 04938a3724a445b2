"""The function `audit`: audits and verdicts, from what is kept; it enters no account."""

from functools import cache

from ecr_warden.audit.audit import Audit
from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.bootstrap import common, holding, inventory, queues, stores
from ecr_warden.bootstrap.specs import specs
from ecr_warden.core.job import Attempt, AuditAccess, AuditJob, JudgeVersion
from ecr_warden.versions.verdicts import JudgeVersions


def work(job: AuditJob, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case AuditAccess():
            return _audit().audit(job)
        case JudgeVersion():
            return _judge_versions().judge_version(job)


@cache
def _audit() -> Audit:
    return Audit(
        specs=stores.accepted_specs(),
        estate=inventory.estate_store(),
        audits=S3Audits(inventory.state_bucket()),
        state=stores.state(),
        sweep_records=stores.sweep_records(),
        alerts=stores.alert_bus(),
        clock=common.clock,
        find=SuccessiveAudits(common.has_time, common.environment.required("WARDEN_HUB_ACCOUNT")).find,
        schedule=common.environment.required("WARDEN_SWEEP_SCHEDULE"),
    )


@cache
def _judge_versions() -> JudgeVersions:
    ports = specs(), holding.holds(), holding.verdicts(), inventory.estate_store(), queues.jobs(), common.clock
    return JudgeVersions(*ports, common.has_time)
