"""An event to jobs: the event names targets and decides nothing else."""

from dataclasses import dataclass

from ecr_warden.model.job import Job
from ecr_warden.ports import Jobs
from ecr_warden.triggers.parse import parse_trigger
from ecr_warden.triggers.targets import jobs_of, look_up
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The use case over its ports; bucket and key are where the spec stands."""

    jobs: Jobs
    spec_bucket: str
    spec_key: str

    def __call__(self, event: object) -> tuple[Job, ...] | Ignored:
        """Enqueue what the event asks for, or say why it is ignored; raises TriggerError for what is no event."""
        trigger = parse_trigger(event)
        if isinstance(trigger, Ignored):
            return trigger
        if isinstance(trigger, SpecChanged) and (trigger.bucket, trigger.key) != (self.spec_bucket, self.spec_key):
            return Ignored("another object than the spec")
        jobs = jobs_of(trigger)
        if not jobs and isinstance(trigger, ApiCall):
            found = look_up(trigger)
            if isinstance(found, Ignored):
                return found
        self.jobs.enqueue(jobs)
        return jobs
