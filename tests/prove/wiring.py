"""A world whose every call of a port goes through one function, and the queue that brings its jobs again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from ecr_warden.aws.redelivery import ATTEMPTS
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.failures import LeaseHeld
from ecr_warden.core.job import (
    Attempt,
    Job,
    Queue,
    job_to_json,
)
from ecr_warden.core.observed import Observed
from ecr_warden.core.plan import Change, Plan
from ecr_warden.notify.notify import AnnounceAlerts, ReportExhausted, SendAlerts
from local.testing.memory.hub import MemoryIncidents
from tests.receives import LATER_RECEIVES, MAX_RECEIVES
from tests.usecases.world import Crash, World

VISIBILITY = {Queue.REPAIR: 120, Queue.ACCEPT: 360, Queue.COLLECT: 360, Queue.AUDIT: 960}
"""Of the queues in seconds, as in template.yaml: after it the job of a process that died comes again."""
_SOON = timedelta(seconds=5)
_ENDS = 400
"""Deliveries after which jobs that still come are taken to never end."""


class Call(NamedTuple):
    """A call of a port that is about to be made; `make` makes it."""

    port: str
    method: str
    args: tuple[Any, ...]
    make: Callable[[], Any]

    def __str__(self) -> str:
        return f"{self.port}.{self.method}"


type Wire = Callable[[Call], Any]
"""Answers a call, as a rule by making it."""


class Written(NamedTuple):
    """A write that took effect: by which run, from which version of the spec, and what was live before."""

    run_id: str
    version: str
    change: Change
    before: Observed | None


class _Wired:
    def __init__(self, port: Any, name: str, wire: Wire) -> None:
        self._port, self._name, self._wire = port, name, wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def through_the_wire(*args: Any, **more: Any) -> Any:
            def make() -> Any:
                answer = found(*args, **more)
                # A scan is one call: read lazily, it would come to nothing that can fail.
                return list(answer) if isinstance(answer, Iterator) else answer

            return self._wire(Call(self._name, name, (*args, *more.values()), make))

        return through_the_wire


class _Documents(_Wired):
    """The live documents, with a record of what each run wrote."""

    def __init__(self, port: Any, name: str, wire: Wire, hub: "Hub") -> None:
        super().__init__(port, name, wire)
        self._hub = hub

    def writer(self, plan: Plan, run_id: str) -> Any:
        opened = self._wire(Call(self._name, "writer", (plan, run_id), lambda: self._port.writer(plan, run_id)))
        self._hub.writing = run_id
        writer = _Writer(opened, self._port, run_id, plan.spec_version, self._hub.written)
        return _Wired(writer, "documents", self._wire)


@dataclass(frozen=True, slots=True)
class _Writer:
    writer: Any
    documents: Any
    run_id: str
    version: str
    written: list[Written]

    def write(self, change: Change) -> None:
        before = self.documents.live.get(change.address)
        self.writer.write(change)
        self.written.append(Written(self.run_id, self.version, change, before))


@dataclass(slots=True)
class _Message:
    job: Job
    receives: int = 0
    spared: int = 0


@dataclass(slots=True)
class Hub:
    """A world behind a wire, and its queues: but for repairs in the order of each group, again when a job fails.

    `world` is not wired: through it somebody else acts, and a test looks. `begin` is called before each delivery.
    `exhausted`: the jobs that failed on their last receive; `messages`: the titles that people got of them. `writing`:
    the run that opened the last write session.
    """

    world: World
    wire: Wire = lambda call: call.make()
    begin: Callable[[], None] = lambda: None
    written: list[Written] = field(default_factory=list)
    exhausted: list[Job] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    waiting: list[_Message] = field(default_factory=list)
    writing: str = ""
    wired: World = field(init=False)

    def __post_init__(self) -> None:
        def answered(call: Call) -> Any:
            return self.wire(call)

        self.wired = self.world.through(lambda port, name: _Wired(port, name, answered))
        documents = _Documents(self.world.documents, "documents", answered, self)
        self.wired.documents = documents  # type: ignore[assignment]

    def do(self, job: Job, attempt: Attempt) -> None:
        """One delivery of a job; raises whatever ends it."""
        self.wired.do(job, attempt)

    def send(self, job: Job) -> None:
        """Put a job on the queue, as an event or the schedule does."""
        self.world.jobs.enqueue([job])

    def again(self, job: Job) -> None:
        """Put a job back that failed once."""
        self.waiting.append(_Message(job, receives=1))

    def settle(self, after_each: Callable[[], None] = lambda: None) -> None:
        """Deliver until no job is left, as the functions and their queues do; `after_each` is called between."""
        for _ in range(_ENDS):
            self._fetch()
            if not self.waiting:
                return
            blocked: set[str] = set()
            for message in [*self.waiting]:
                if message.job.group in blocked:
                    continue
                if not self._deliver(message) and message.job.queue is not Queue.REPAIR:
                    blocked.add(message.job.group)
                self._fetch()
                after_each()
            self.world.clock.advance(_SOON)
        raise AssertionError(f"the jobs never end: {[message.job for message in self.waiting]}")

    def do_one(self) -> None:
        """Deliver the message that has waited longest; one that fails waits on behind the others."""
        self._fetch()
        if self.waiting:
            message = self.waiting[0]
            if not self._deliver(message):
                self.waiting.remove(message)
                self.waiting.append(message)

    def _fetch(self) -> None:
        sent, self.world.jobs.sent[:] = [*self.world.jobs.sent], []
        self.waiting += map(_Message, sent)

    def _deliver(self, message: _Message) -> bool:
        """Whether the message leaves the queue."""
        message.receives += 1
        queue, number = message.job.queue, message.receives - message.spared
        is_given_up = False
        self.begin()
        try:
            self.do(message.job, Attempt(number, is_last=number >= ATTEMPTS))
        except Crash:
            self.world.clock.advance(timedelta(seconds=VISIBILITY[queue]))
        except LeaseHeld:
            message.spared += 1
        except Exception:
            is_given_up = number >= ATTEMPTS
        else:
            self.waiting.remove(message)
            return True
        if is_given_up or message.receives >= (MAX_RECEIVES if queue is Queue.REPAIR else LATER_RECEIVES):
            self.waiting.remove(message)
            self._report_exhausted(message.job)
            return True
        return False

    def _report_exhausted(self, job: Job) -> None:
        """By the function `alert`, which depends on the queue alone."""
        self.exhausted.append(job)
        incidents = MemoryIncidents()
        send = SendAlerts(incidents, {"chat": _Chat(self.messages)}, print, incidents.clock)
        ReportExhausted(AnnounceAlerts(send, lambda *_: None), _Kept(), incidents.clock).report(
            dumps(job_to_json(job)), queue=job.queue, message_id=str(len(self.exhausted))
        )
        for key, _ in incidents.flushes:
            send.flush(key)


@dataclass(frozen=True, slots=True)
class _Chat:
    messages: list[str]

    def notify(self, message: Any) -> None:
        self.messages.append(message.title)


class _Kept:
    def keep(self, body: str, *, message_id: str) -> None:
        """The dead letters are of no interest here."""
