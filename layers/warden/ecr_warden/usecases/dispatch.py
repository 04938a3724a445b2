"""An event to jobs: the event names targets and decides nothing else."""

from dataclasses import dataclass

from ecr_warden.model.job import Job
from ecr_warden.ports.jobs import Jobs
from ecr_warden.triggers.decide import SpecPlace, decide
from ecr_warden.triggers.trigger import Ignored


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The use case over its ports; bucket and key are where the spec stands."""

    jobs: Jobs
    spec_bucket: str
    spec_key: str

    def __call__(self, event: object) -> tuple[Job, ...] | Ignored:
        """Enqueue what the event asks for, or say why it is ignored; raises TriggerError for what is no event."""
        decision = decide(event, SpecPlace(self.spec_key, self.spec_bucket.__eq__))
        if isinstance(decision, Ignored):
            return decision
        self.jobs.enqueue(decision.jobs)
        return decision.jobs
