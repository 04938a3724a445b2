"""The function `accept`: versions of the spec."""

from functools import cache, partial

from ecr_warden.bootstrap import common
from ecr_warden.model.job import AcceptSpec, Attempt
from ecr_warden.proof.changes import access_changes
from ecr_warden.usecases.accept import Accept
from ecr_warden.usecases.holds import Judge


def work(job: AcceptSpec, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    answer = _accept()(job)
    return type(answer).__name__ if answer else "unchanged"


@cache
def _accept() -> Accept:
    file_name = common.environment.required("WARDEN_SPEC_KEY")
    changes = partial(access_changes, has_time=common.has_time)
    judge = Judge(common.documents(), common.clock, changes, common.has_time)
    jobs, alerts, audit = common.jobs(), common.alert_bus(), common.audit_log()
    return Accept(common.specs(), jobs, alerts, audit, common.clock, file_name, common.holds(), judge)
