"""Parses, holds and accepts versions of the spec; it enters no account."""

from ecr_warden.bootstrap.accept import AcceptAdapters, work
from ecr_warden.bootstrap.delivery import handler_of
from ecr_warden.core.job import Queue

handler = handler_of(AcceptAdapters(), Queue.ACCEPT, work)
