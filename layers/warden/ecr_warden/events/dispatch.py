"""From events to jobs."""

from msgspec import Struct

from ecr_warden.core.job import Job
from ecr_warden.core.queue import Jobs
from ecr_warden.events.decide import SpecPlace, decide
from ecr_warden.events.trigger import Ignored


class Dispatch(Struct, frozen=True):
    """From an event to jobs: it names targets and decides nothing else. Bucket and key: of the spec."""

    jobs: Jobs
    spec_bucket: str
    spec_key: str

    def dispatch(self, event: object) -> tuple[Job, ...] | Ignored:
        """Enqueue the event's jobs, or return why it is ignored; raises TriggerError for anything but an event."""
        decision = decide(event, SpecPlace(self.spec_key, self.spec_bucket.__eq__))
        if isinstance(decision, Ignored):
            return decision
        self.jobs.enqueue(decision.jobs)
        return decision.jobs
