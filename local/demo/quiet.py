"""When the product has nothing left to do, seen from outside: the emulator's ledger, the queue and the table."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecr_warden.core.job import Queue
from local.aws.calls import Call
from local.demo import journal
from local.demo.places import CI, REGION, REGISTRY, TRAIL_REGION
from local.demo.stage import Stage
from local.testing.waiting import until

IDLE_SECONDS = 120.0
_QUEUED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_WRITER = ":assumed-role/ecr-warden-write/"
_OF_HUB = f":{CI}:assumed-role/ecr-warden-"
_DISPATCH = ":assumed-role/ecr-warden-dispatch/"


@dataclass(frozen=True, slots=True)
class Quiet:
    """`forwarded`: names of the calls whose events the members' rules forward."""

    stage: Stage
    forwarded: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, stage: Stage) -> "Quiet":
        """Read the rules as they are deployed."""
        names: set[str] = set()
        for rule, region in (("ecr-warden-forward-ecr", REGION), ("ecr-warden-forward-iam", TRAIL_REGION)):
            found = stage.aws.client(REGISTRY, "events", region).describe_rule(Name=rule)
            names |= {*json.loads(found["EventPattern"])["detail"]["eventName"]}
        return cls(stage, frozenset(names))

    def wait(self, mark: int, *, events: bool = True) -> None:
        """Until all events of calls after the mark have become jobs, and all jobs are done. Raises NeverCame.

        `events`: whether the rules are on.
        """
        until(lambda: self._idle(mark, events), IDLE_SECONDS, "the end of the product's work")

    def _idle(self, mark: int, events: bool) -> bool:
        # The queue first: while hundreds of jobs wait, reading all calls again and again would slow them down.
        look = self.stage.aws.mark()
        if self._queued() or journal.leases(self.stage.aws, self.stage.hub["Table"]):
            return False
        if events and self._open_events(mark):
            return False
        # Whatever called meanwhile may have caused an event or sent a job behind this look.
        return not any(_OF_HUB in call.principal for call in self.stage.aws.calls(look))

    def _open_events(self, mark: int) -> bool:
        """Whether an event has not become a job yet."""
        calls = self.stage.aws.calls(mark)
        heard = {cause for call in calls for cause in _causes(call)}
        reported = (
            call for call in calls if call.write and call.action in self.forwarded and call.service in ("ecr", "iam")
        )
        return any(heard.isdisjoint(call.event_ids) for call in reported)

    def _queued(self) -> int:
        sqs = self.stage.aws.client(CI, "sqs", REGION)

        def waiting(url: str) -> int:
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_QUEUED))["Attributes"]
            return sum(int(found.get(name, "0")) for name in _QUEUED)

        return sum(map(waiting, queues_of(self.stage.hub)))


def queues_of(hub: Mapping[str, str]) -> list[str]:
    """The URLs of the hub's queues of jobs; `hub`: the outputs of its stack."""
    url = hub["JobsQueueUrl"]
    return [url.replace(Queue.REPAIR.sqs_name, queue.sqs_name) for queue in Queue]


def _causes(call: Call) -> set[str]:
    """The events for which the call has sent jobs."""
    if call.service != "sqs" or _DISPATCH not in call.principal or call.error:
        return set()
    bodies = [json.loads(entry["messageBody"]) for entry in call.parameters.get("entries", ())]
    return {body["cause"]["id"] for body in bodies if body["cause"]["kind"] == "event"}


def by_product(calls: Iterable[Call]) -> list[Call]:
    """The writes to member accounts made with the product's write role or any role of the hub."""
    return [
        call
        for call in calls
        if call.write and call.service in ("ecr", "iam") and (_WRITER in call.principal or _OF_HUB in call.principal)
    ]
