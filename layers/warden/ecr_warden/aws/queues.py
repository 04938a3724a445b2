"""The Jobs port on SQS FIFO queues, with a message group per target, and when a failed message is delivered again.

A FIFO queue cannot delay a single message, and the visibility timeout is minutes long: a message that may
succeed within a minute is made visible again sooner. Sources:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.codec.jobs import job_to_json
from ecr_warden.core.failures import Throttled
from ecr_warden.core.job import Job, Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html and
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_BATCH = 10
_GROUP_ID_LENGTH = 128


class SqsJobs(Struct, frozen=True):
    """Jobs as messages, each on its queue; a queue forgets a deduplication ID after 5 minutes.

    `client`: makes the client, once; few runs send a job. `urls`: of the queues to which the function may send.
    """

    client: "Callable[[], SQSClient]"
    urls: Mapping[Queue, str]

    def enqueue(self, jobs: Iterable[Job]) -> None:
        given = {deduplication_id(job): job for job in jobs}.values()
        for queue in Queue:
            for batch in batched((job for job in given if job.queue is queue), _BATCH, strict=False):
                self._send(self.urls[queue], batch)

    def _send(self, url: str, jobs: Sequence[Job]) -> None:
        entries = [_entry(index, job) for index, job in enumerate(jobs)]
        with translated(HUB, "sending jobs"):
            failed = self.client().send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            raise Throttled(f"{len(failed)} jobs were not accepted: {failed[0]['Code']}", retryable=True)


def _entry(index: int, job: Job) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(index),
        "MessageBody": dumps(job_to_json(job)),
        "MessageGroupId": group_id(job),
        "MessageDeduplicationId": deduplication_id(job),
    }


def group_id(job: Job) -> str:
    """The message group of a job, in as many characters as SQS takes."""
    return job.group if len(job.group) <= _GROUP_ID_LENGTH else hashlib.sha256(job.group.encode()).hexdigest()


def deduplication_id(job: Job) -> str:
    """Of the cause and the group: by target alone, a second tamper within 5 minutes would be dropped."""
    return hashlib.sha256(f"{job.cause.id}\n{group_id(job)}\n{job.apart}".encode()).hexdigest()


ATTEMPTS = 5
"""At this attempt, a job that fails is reported instead of retried."""
MAX_RECEIVES = 60
"""The maxReceiveCount of the queue of repairs, as in template.yaml.

More than ATTEMPTS, because a message that is handed back before its work began is also received: for as long as another
run holds its target's lease, every five seconds.
"""
LATER_RECEIVES = 6
"""That of the other queues: a process that is killed each time uses up its attempts."""
FLUSH_RECEIVES = 8
"""The incidents queue's maxReceiveCount, as in template.yaml: a channel is retried for half an hour."""
_FLUSH_SECONDS, _LONGEST_FLUSH_SECONDS = 20, 720
_FIRST_SECONDS, _LONGEST_SECONDS, _AT_ONCE_SECONDS = 5, 60, 1


class SqsDeadLetters(Struct, frozen=True):
    """The DeadLetters port on a FIFO queue (docs/deploy.md, Dead letters)."""

    client: "SQSClient"
    queue_url: str

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        with translated(HUB, "keeping a failed job"):
            self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=message_id
            )


class Redelivery(Struct, frozen=True):
    """Sets when messages of one queue become visible again."""

    client: "SQSClient"
    queue_url: str

    def soon(self, receipt_handle: str, attempt: int) -> None:
        """Retry a failed job after 5 seconds, doubled with each attempt."""
        self._hide(receipt_handle, min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1)))

    def flush(self, receipt_handle: str, receives: int) -> None:
        """Retry a failed flush after 20 seconds, doubled with each receive."""
        self._hide(receipt_handle, min(_LONGEST_FLUSH_SECONDS, _FLUSH_SECONDS * 2 ** (receives - 1)))

    def at_once(self, receipt_handle: str) -> None:
        """Hand back a message whose work has not started, or cannot wait, however often it was received."""
        self._hide(receipt_handle, _AT_ONCE_SECONDS)

    def _hide(self, receipt_handle: str, seconds: int) -> None:
        with translated(HUB, "delaying a message"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
