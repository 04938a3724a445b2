"""Reads accounts: for sweeps, surveys and verdicts; it writes to none."""

from ecr_warden.bootstrap.collect import work
from ecr_warden.bootstrap.delivery import handler_of
from ecr_warden.bootstrap.estate import EstateAdapters
from ecr_warden.core.job import Queue

handler = handler_of(EstateAdapters(), Queue.COLLECT, work)
