"""The Jobs port on SQS: a fair queue for repairs, FIFO queues for all else; and when a message is delivered again.

The visibility timeout is minutes long, so a message that may succeed within a minute is made visible sooner. Sources:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.codec.jobs import job_to_json
from ecr_warden.core.failures import Throttled
from ecr_warden.core.job import Job, Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_BATCH = 10


class SqsJobs(Struct, frozen=True):
    """Jobs as messages, each on its queue; a FIFO queue forgets a deduplication ID after 5 minutes.

    `client`: makes the client, once; few runs send a job. `urls`: of the queues to which the function may send.
    """

    client: "Callable[[], SQSClient]"
    urls: Mapping[Queue, str]

    def enqueue(self, jobs: Iterable[Job]) -> None:
        given = {deduplication_id(job): job for job in jobs}
        for queue in Queue:
            for batch in batched((job for job in given.values() if job.queue is queue), _BATCH, strict=False):
                self._send(self.urls[queue], batch)

    def _send(self, url: str, jobs: Sequence[Job]) -> None:
        entries = [_entry(index, job, url) for index, job in enumerate(jobs)]
        with translated(HUB, "sending jobs"):
            failed = self.client().send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            raise Throttled(f"{len(failed)} jobs were not accepted: {failed[0]['Code']}", retryable=True)


def _entry(index: int, job: Job, url: str) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": str(index),
        "MessageBody": dumps(job_to_json(job)),
        "MessageGroupId": job.group,
    }
    return {**entry, "MessageDeduplicationId": deduplication_id(job)} if _is_fifo(url) else entry


def deduplication_id(job: Job) -> str:
    """Of cause, group and what is apart: by target alone, a second tamper within 5 minutes would be dropped."""
    return hashlib.sha256(f"{job.cause.id}\n{job.group}\n{job.apart}".encode()).hexdigest()


def _is_fifo(queue_url: str) -> bool:
    return queue_url.endswith(".fifo")


ATTEMPTS = 5
"""At this attempt, a job that fails is reported instead of retried."""
MAX_RECEIVES = 60
"""The maxReceiveCount of the queue of repairs, as in template.yaml.

More than ATTEMPTS, because a message that meets another run's lease is received too: 38 times while a lease lasts.
"""
LATER_RECEIVES = 6
"""That of the other queues: a process that is killed each time uses up its attempts."""
FLUSH_RECEIVES = 8
"""The incidents queue's maxReceiveCount, as in template.yaml: a channel is retried for half an hour."""
_FLUSH_SECONDS, _LONGEST_FLUSH_SECONDS = 20, 720
_FIRST_SECONDS, _LONGEST_SECONDS, _AT_ONCE_SECONDS = 5, 60, 1
_OFTEN = 20
"""Receives after which a message has met a lease for so long that it need not come back each second."""


class SqsDeadLetters(Struct, frozen=True):
    """The DeadLetters port on a queue of either kind (docs/deploy.md, Dead letters)."""

    client: "SQSClient"
    queue_url: str

    def keep(self, body: str, *, message_id: str) -> None:
        ids: Any = {"MessageGroupId": message_id, "MessageDeduplicationId": message_id}
        with translated(HUB, "keeping a failed job"):
            self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=body, **(ids if _is_fifo(self.queue_url) else {})
            )


class Redelivery(Struct, frozen=True):
    """Sets when messages of one queue become visible again."""

    client: "SQSClient"
    queue_url: str

    def failed(self, receipt_handle: str, attempt: int, *, at_once: bool) -> None:
        """Retry a failed job after 5 seconds, doubled with each attempt; after one if it cannot wait."""
        later = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1))
        self._hide(receipt_handle, _AT_ONCE_SECONDS if at_once else later)

    def flush(self, receipt_handle: str, receives: int) -> None:
        """Retry a failed flush after 20 seconds, doubled with each receive."""
        self._hide(receipt_handle, min(_LONGEST_FLUSH_SECONDS, _FLUSH_SECONDS * 2 ** (receives - 1)))

    def held(self, receipt_handle: str, receives: int) -> None:
        """Retry after a second a job that met another run's lease; after five if that goes on."""
        self._hide(receipt_handle, _AT_ONCE_SECONDS if receives <= _OFTEN else _FIRST_SECONDS)

    def _hide(self, receipt_handle: str, seconds: int) -> None:
        with translated(HUB, "delaying a message"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
