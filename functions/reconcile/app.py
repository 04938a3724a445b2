"""Runs repairs, and reports events."""

from ecr_warden.bootstrap.accounts import AccountAdapters
from ecr_warden.bootstrap.delivery import handler_of
from ecr_warden.bootstrap.repair import work
from ecr_warden.core.job import Queue

handler = handler_of(AccountAdapters(), Queue.REPAIR, work)
