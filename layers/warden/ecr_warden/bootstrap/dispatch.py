"""The function `dispatch`."""

from functools import cache

from ecr_warden.bootstrap.common import HubAdapters
from ecr_warden.events.dispatch import Dispatch, Members
from ecr_warden.state.aws_aliases import accepted_aliases


@cache
def dispatch() -> Dispatch:
    """Its use case."""
    on = HubAdapters()
    bucket, key = on.environment.required("WARDEN_SPEC_BUCKET"), on.environment.required("WARDEN_SPEC_KEY")
    if not on.environment.optional("WARDEN_ORGANIZATION"):
        return Dispatch(on.jobs, bucket, key)
    members = Members(on.environment.required("WARDEN_HUB_ACCOUNT"), lambda: accepted_aliases(on.table), on.clock)
    return Dispatch(on.jobs, bucket, key, members.has)
