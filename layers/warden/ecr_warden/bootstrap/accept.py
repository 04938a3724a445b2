"""The function `accept`: versions of the spec."""

from functools import cached_property

from ecr_warden.bootstrap.specs import SpecAdapters
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.core.job import AcceptSpec, Attempt
from ecr_warden.versions.accept import AcceptVersions
from ecr_warden.versions.announce import AnnounceVersions
from ecr_warden.versions.standing import ReadStanding


class AcceptAdapters(SpecAdapters):
    """All that it is made of."""

    @cached_property
    def watch_records(self) -> DynamoWatchRecords:
        """What the last sweeps found of the wiring."""
        return DynamoWatchRecords(self.table)


def work(on: AcceptAdapters, job: AcceptSpec, _attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    answer = accept_versions(on).process(job)
    return type(answer).__name__ if answer else "unchanged"


def accept_versions(on: AcceptAdapters) -> AcceptVersions:
    """The use case."""
    return AcceptVersions(
        specs=on.specs,
        holds=on.holds,
        verdicts=on.verdicts,
        jobs=on.jobs,
        clock=on.clock,
        standing=ReadStanding(on.specs, on.jobs, on.alerts),
        announcements=AnnounceVersions(on.jobs, on.alerts, on.log, on.clock),
        watch_records=on.watch_records,
        file_name=on.environment.required("WARDEN_SPEC_KEY"),
        patience=on.environment.seconds("WARDEN_VERDICT_PATIENCE"),
    )
