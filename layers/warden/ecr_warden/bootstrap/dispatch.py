"""The function `dispatch`."""

from functools import cache

from ecr_warden.bootstrap import common, queues
from ecr_warden.events.dispatch import Dispatch


@cache
def dispatch() -> Dispatch:
    """Its use case."""
    bucket, key = common.environment.required("WARDEN_SPEC_BUCKET"), common.environment.required("WARDEN_SPEC_KEY")
    return Dispatch(queues.jobs(), bucket, key)
