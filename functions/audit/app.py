"""Audits access and judges versions; it enters no account."""

from ecr_warden.bootstrap.audit import AuditAdapters, work
from ecr_warden.bootstrap.delivery import handler_of
from ecr_warden.core.job import Queue

handler = handler_of(AuditAdapters(), Queue.AUDIT, work)
