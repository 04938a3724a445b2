"""The function `audit`: audits and verdicts, from what is kept; it enters no account."""

from copy import replace
from functools import cache

from ecr_warden.audit.audit import Audit
from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.audit.health import interval_of
from ecr_warden.bootstrap import common, holding, inventory, queues, stores
from ecr_warden.bootstrap.specs import specs
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Attempt, AuditAccess, AuditJob, JudgeVersion
from ecr_warden.core.ours import ours_of
from ecr_warden.core.spec_failures import BaselineLost
from ecr_warden.versions.baseline import baseline_of
from ecr_warden.versions.verdicts import JudgeVersions
from iam_access.who_can.ours import Ours


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
        find=SuccessiveAudits(
            common.has_time, common.environment.required("WARDEN_HUB_ACCOUNT"), ours_by=_ours_by_baseline
        ).find,
        schedule=common.environment.required("WARDEN_SWEEP_SCHEDULE"),
    )


def _ours_by_baseline(accepted: CompiledSpec) -> Ours:
    """What is ours by the last version that a person accepted, as far as the spec still names it.

    Before the first one the accepted version says it; of a lost one nobody knows more than the accounts.
    """
    accounts = frozenset(accepted.accounts)
    try:
        baseline = baseline_of(specs())
    except BaselineLost:
        return Ours(accounts)
    ours = ours_of(baseline or accepted)
    return replace(ours, accounts=ours.accounts & accounts)


@cache
def _judge_versions() -> JudgeVersions:
    ports = specs(), holding.holds(), holding.verdicts(), inventory.estate_store(), queues.jobs(), common.clock
    young = 2 * interval_of(common.environment.required("WARDEN_SWEEP_SCHEDULE"))
    return JudgeVersions(*ports, common.has_time, young)
