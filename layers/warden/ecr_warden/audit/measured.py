"""What an audit measures, for dashboard and alarms."""

from collections.abc import Iterable

from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.finding_changes import grouped
from ecr_warden.core.metrics import Values
from ecr_warden.state.target_status import Standing, TargetStatus


def measured(record: AuditRecord, statuses: Iterable[TargetStatus]) -> Values:
    """The targets that differ; and, unless the audit failed, whom it found, and the findings that people read."""
    differ: Values = {"TargetsDiffer": sum(one.standing is Standing.DIFFERS for one in statuses)}
    if record.failure:
        return differ
    groups = grouped(record.findings)
    graver = [group.finding for group in groups if group.finding.lets_in_outsider]
    return {
        **differ,
        "OutsidersIn": len({finding.principal for finding in graver}),
        "FindingsCritical": len(graver),
        "FindingsOther": len(groups) - len(graver) + record.left_out,
    }
