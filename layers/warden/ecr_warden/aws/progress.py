"""What is remembered of a queue of jobs: which deliveries were no attempts, and when its function last did a job.

`QUEUE#<name>` / `SPARED#<message>` and `FINISHED`; each function writes the items of its own queue alone.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.redelivery import ATTEMPTS
from ecr_warden.aws.table import Table, expiry
from ecr_warden.core.clock import Clock
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Attempt, Queue
from ecr_warden.core.queue import QueueState

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_NOTED_EVERY = timedelta(minutes=1)
_SPARED_FOR = timedelta(days=1)


class DynamoProgress(Struct):
    """Of one queue."""

    table: Table
    clock: Clock
    queue: Queue
    _noted: datetime | None = None

    def attempt(self, message_id: str, receives: int) -> Attempt:
        """Which attempt a delivery is; without the table, each receive counts."""
        spared = 0
        if receives > 1:
            with suppress(PortError):
                item = self.table.get("counting the attempts of a job", _key(self.queue, f"SPARED#{message_id}"))
                spared = 0 if item is None else int(item["times"]["N"])
        number = max(1, receives - spared)
        return Attempt(number, is_last=number >= ATTEMPTS)

    def spare(self, message_id: str) -> None:
        """This delivery is no attempt: no work was begun. Raises PortError."""
        values = {":one": {"N": "1"}, ":expires": expiry(self.clock.now(), _SPARED_FOR)}
        key, names = _key(self.queue, f"SPARED#{message_id}"), {"#times": "times"}
        self.table.update(
            "sparing a job an attempt",
            key,
            "SET expires = :expires ADD #times :one",
            values,
            ExpressionAttributeNames=names,
        )

    def finished(self) -> None:
        """Remember that a job was done now; once a minute is enough. Raises PortError."""
        now = self.clock.now()
        if self._noted is None or now - self._noted >= _NOTED_EVERY:
            at = {"S": now.isoformat()}
            self.table.put("noting that a job was done", {**_key(self.queue, "FINISHED"), "at": at})
            self._noted = now


class SqsQueues(Struct, frozen=True):
    """The Queues port."""

    client: "SQSClient"
    urls: Mapping[Queue, str]
    """Of the queues."""
    table: Table

    def states(self) -> list[QueueState]:
        return [self._state(queue, url) for queue, url in self.urls.items()]

    def _state(self, queue: Queue, url: str) -> QueueState:
        with translated(HUB, f"reading how many jobs wait for {queue.function}"):
            found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _IN_FLIGHT])["Attributes"]
        item = self.table.get("reading when a job was last done", _key(queue, "FINISHED"))
        finished = None if item is None else datetime.fromisoformat(item["at"]["S"])
        return QueueState(queue, int(found[_WAITING]), int(found[_IN_FLIGHT]), finished)


_WAITING: "QueueAttributeNameType" = "ApproximateNumberOfMessages"
_IN_FLIGHT: "QueueAttributeNameType" = "ApproximateNumberOfMessagesNotVisible"


def _key(queue: Queue, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"QUEUE#{queue}"}, "sk": {"S": sk}}
