"""The function `audit`: audits and verdicts, from what is kept; it enters no account."""

from copy import replace
from functools import cached_property

from ecr_warden.audit.audit import Audit, FindingsSearch
from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.audit.health import interval_of
from ecr_warden.bootstrap.inventory import InventoryAdapters
from ecr_warden.bootstrap.specs import SpecAdapters
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Attempt, AuditAccess, AuditJob, JudgeVersion
from ecr_warden.core.ours import ours_of
from ecr_warden.core.spec_failures import BaselineLost
from ecr_warden.versions.baseline import baseline_of
from ecr_warden.versions.verdicts import JudgeVersions
from iam_access.who_can.ours import Ours


class AuditAdapters(SpecAdapters, InventoryAdapters):
    """All that it is made of."""

    @cached_property
    def audits(self) -> S3Audits:
        """The last audits."""
        return S3Audits(self.state_bucket)

    @cached_property
    def find(self) -> FindingsSearch:
        """What finds; it remembers the last audit."""
        return SuccessiveAudits(
            self.has_time, self.environment.required("WARDEN_HUB_ACCOUNT"), ours_by=self._ours_by_baseline
        ).find

    def _ours_by_baseline(self, accepted: CompiledSpec) -> Ours:
        """What is ours by the last version that a person accepted, as far as the spec still names it.

        Before the first one the accepted version says it; of a lost one nobody knows more than the accounts.
        """
        accounts = frozenset(accepted.accounts)
        try:
            baseline = baseline_of(self.specs)
        except BaselineLost:
            return Ours(accounts)
        ours = ours_of(baseline or accepted)
        return replace(ours, accounts=ours.accounts & accounts)


def work(on: AuditAdapters, job: AuditJob, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case AuditAccess():
            return audit(on).audit(job)
        case JudgeVersion():
            return judge_versions(on).judge_version(job)


def audit(on: AuditAdapters) -> Audit:
    """The use case for audits."""
    return Audit(
        specs=on.accepted_specs,
        estate=on.estate_store,
        audits=on.audits,
        state=on.state,
        sweep_records=on.sweep_records,
        alerts=on.alerts,
        clock=on.clock,
        find=on.find,
        schedule=on.environment.required("WARDEN_SWEEP_SCHEDULE"),
        emit=on.emit,
    )


def judge_versions(on: AuditAdapters) -> JudgeVersions:
    """The use case for verdicts."""
    return JudgeVersions(
        specs=on.specs,
        holds=on.holds,
        verdicts=on.verdicts,
        estate=on.estate_store,
        jobs=on.jobs,
        clock=on.clock,
        has_time=on.has_time,
        young=2 * interval_of(on.environment.required("WARDEN_SWEEP_SCHEDULE")),
        max_removed=on.max_removed,
    )
