"""From events to jobs."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from ecr_warden.core.clock import Clock
from ecr_warden.core.job import Job
from ecr_warden.core.queue import Jobs
from ecr_warden.events.decide import SpecPlace, accounts_of, decide
from ecr_warden.events.trigger import Ignored

FRESH = timedelta(seconds=5)
"""How long a list of accounts is good enough to leave one out: CloudTrail takes longer to report a call."""


class Members(Struct):
    """The hub's account and those of the accepted spec, as they were read last; for any other they are read again.

    While they cannot be read, or no version is accepted, every account counts as one: a job too many costs a read.
    """

    hub: str
    read: Callable[[], Collection[str]]
    clock: Clock
    _found: Collection[str] = ()
    _until: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    def has(self, account: str) -> bool:
        """Whether an account is one of them."""
        if account == self.hub or account in self._found:
            return True
        now = self.clock.now()
        if self._until <= now:
            self._until, self._found = now + FRESH, ()
            try:
                self._found = self.read()
            except Exception:  # whoever can make it unreadable must not lose an event by it
                return True
        return not self._found or account in self._found


class Dispatch(Struct, frozen=True):
    """From an event to jobs: it names targets and decides nothing else. Bucket and key: of the spec."""

    jobs: Jobs
    spec_bucket: str
    spec_key: str
    is_ours: Callable[[str], bool] = lambda _account: True
    """Whether an account's events make jobs: where the bus takes those of a whole organization, few accounts' do."""

    def dispatch(self, event: object) -> tuple[Job, ...] | Ignored:
        """Enqueue the event's jobs, or return why it is ignored; raises TriggerError for anything but an event."""
        decision = decide(event, SpecPlace(self.spec_key, self.spec_bucket.__eq__))
        if isinstance(decision, Ignored):
            return decision
        accounts = accounts_of(decision.trigger)
        if accounts and not any(map(self.is_ours, accounts)):
            return Ignored(f"account {accounts[0]} is none of the accepted spec")
        self.jobs.enqueue(decision.jobs)
        return decision.jobs
