"""The audit that the hub would make, made here: who has access, against a spec."""

from copy import replace
from datetime import datetime

from ecr_warden.audit.finding import AuditFailed, AuditRecord
from ecr_warden.audit.finding_changes import compare
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import none_repaired
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from iam_access.errors import NamedError, site_of


def local_audit(estate: Estate, compiled: CompiledSpec, now: datetime) -> AuditRecord:
    """The findings of an audit of the estate as it is; what could not be audited is unknown."""
    record = AuditRecord(now, compiled.version, {})
    try:
        audit = find(estate, compiled, None, None, live=none_repaired)
        news = compare(None, audit, frozenset(), now)
    except Exception as error:  # what the accounts hold may have been written by anybody
        failure = str(error) if isinstance(error, NamedError) else f"ecr-warden failed ({site_of(error)})"
        return replace(record, failure=AuditFailed(failure))
    return replace(
        record,
        findings=news.standing,
        left_out=news.left_out,
        administrators=audit.administrators,
        unread=audit.unread,
        failure=AuditFailed(audit.failure) if audit.failure else None,
        audited_at=now,
    )
