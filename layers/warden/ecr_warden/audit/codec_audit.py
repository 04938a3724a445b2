"""The last audit, as it is kept."""

from ecr_warden.audit.finding import AuditRecord
from ecr_warden.core.codec.base import forms

SCHEMA = 1

audit_to_json, audit_from_json = forms("audit", AuditRecord, SCHEMA)
