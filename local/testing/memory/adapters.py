"""What functions are made of, in memory: each adapter has the name that it has in ecr_warden.bootstrap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.metrics import Emit
from ecr_warden.core.outside import Environment
from ecr_warden.core.target import RepositoryTarget
from local.testing.memory.documents import MemoryDocuments
from local.testing.memory.estate import LiveEstateReader, MemoryEstateStore
from local.testing.memory.hub import (
    ManualClock,
    MemoryAlertBus,
    MemoryIncidentRecords,
    MemoryIncidents,
    MemoryJobs,
    MemoryMetrics,
    MemoryQueues,
    MemorySpecs,
    MemorySwitch,
)
from local.testing.memory.images import MemoryImageRecords
from local.testing.memory.state import (
    MemoryAudits,
    MemoryCommandRecords,
    MemoryHistory,
    MemoryHolds,
    MemoryJournal,
    MemoryState,
    MemorySweepRecords,
    MemorySwitchRecord,
    MemoryVerdicts,
    MemoryWatchRecords,
)
from local.testing.memory.wiring import MemoryWiring

ENVIRONMENT = Environment(
    {
        "WARDEN_HUB_ACCOUNT": "111111111111",
        "WARDEN_SESSION_CUTOFF_MARGIN": "60",
        "WARDEN_SPEC_KEY": "access.yaml",
        "WARDEN_SWEEP_SCHEDULE": "rate(15 minutes)",
        "WARDEN_VERDICT_PATIENCE": "900",
    }
)


@dataclass(slots=True)
class MemoryAdapters:
    """`documents` and `reader` may be those of real accounts."""

    clock: ManualClock = field(default_factory=ManualClock)
    documents: Any = field(default_factory=MemoryDocuments)
    specs: MemorySpecs = field(default_factory=MemorySpecs)
    state: MemoryState = field(init=False)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    alerts: MemoryAlertBus = field(default_factory=MemoryAlertBus)
    switch: MemorySwitch = field(default_factory=MemorySwitch)
    switch_record: MemorySwitchRecord = field(default_factory=MemorySwitchRecord)
    command_records: MemoryCommandRecords = field(default_factory=MemoryCommandRecords)
    sweep_records: MemorySweepRecords = field(default_factory=MemorySweepRecords)
    log: MemoryHistory = field(default_factory=MemoryHistory)
    wiring: MemoryWiring = field(default_factory=MemoryWiring)
    watch_records: MemoryWatchRecords = field(default_factory=MemoryWatchRecords)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    reader: Any = None
    estate_store: MemoryEstateStore = field(init=False)
    audits: MemoryAudits = field(default_factory=MemoryAudits)
    holds: MemoryHolds = field(default_factory=MemoryHolds)
    verdicts: MemoryVerdicts = field(default_factory=MemoryVerdicts)
    image_records: MemoryImageRecords = field(default_factory=MemoryImageRecords)
    images: dict[RepositoryTarget, dict[str, str] | None] = field(default_factory=dict)
    """The status of those in each repository, by digest; None: it cannot be read."""
    incidents: MemoryIncidents = field(init=False)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    callers: Any = None
    """Whoever proves who they are."""
    environment: Environment = ENVIRONMENT
    max_removed: int | None = None
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def images_in(self, repository: RepositoryTarget) -> Mapping[str, str]:
        found = self.images.get(repository, {})
        if found is None:
            raise AccountUnreachable("the account cannot be entered", retryable=False)
        return found

    def __post_init__(self) -> None:
        self.state, self.estate_store = MemoryState(self.clock), MemoryEstateStore(self.clock)
        self.incidents = MemoryIncidents(self.clock)
        self.reader = self.reader or LiveEstateReader(self.documents)

    @property
    def adapters(self) -> Any:
        """Itself: what bootstrap is given, whose types are those of AWS."""
        return self

    @property
    def accepted_specs(self) -> MemorySpecs:
        return self.specs

    @property
    def journal(self) -> MemoryJournal:
        return MemoryJournal(self.state)

    @property
    def incident_records(self) -> MemoryIncidentRecords:
        return MemoryIncidentRecords(self.incidents)

    @property
    def emit(self) -> Emit:
        return self.metrics.emit

    def waiting(self, channel: str) -> Sequence[datetime]:
        return self.incidents.waiting(channel)

    def has_time(self) -> bool:
        return True

    def new_run_id(self) -> str:
        return f"20261124T100000Z{next(self.ids):012x}"
