"""The function `dispatch`."""

from functools import cache

from ecr_warden.bootstrap import common, queues
from ecr_warden.events.dispatch import Dispatch, Members
from ecr_warden.state.aws_aliases import accepted_aliases


@cache
def dispatch() -> Dispatch:
    """Its use case."""
    bucket, key = common.environment.required("WARDEN_SPEC_BUCKET"), common.environment.required("WARDEN_SPEC_KEY")
    if not common.environment.optional("WARDEN_ORGANIZATION"):
        return Dispatch(queues.jobs(), bucket, key)
    hub = common.environment.required("WARDEN_HUB_ACCOUNT")
    members = Members(hub, lambda: accepted_aliases(common.table()), common.clock)
    return Dispatch(queues.jobs(), bucket, key, members.has)
