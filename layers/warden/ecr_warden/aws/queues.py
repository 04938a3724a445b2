"""The Jobs port on SQS: a fair queue for repairs, FIFO queues for all else.

Sources:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.failures import Throttled
from ecr_warden.core.job import Job, Queue, job_to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_BATCH = 10


class SqsJobs(Struct, frozen=True):
    """Jobs as messages, each on its queue; a FIFO queue forgets a deduplication ID after 5 minutes."""

    client: "Callable[[], SQSClient]"
    """Makes the client, once; few runs send a job."""
    urls: Mapping[Queue, str]
    """Of the queues to which the function may send."""

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
    return {**entry, "MessageDeduplicationId": deduplication_id(job)} if url.endswith(".fifo") else entry


def deduplication_id(job: Job) -> str:
    """The ID by which SQS drops a message sent twice: with the job's cause, as a second tamper must not be dropped."""
    return hashlib.sha256(f"{job.cause.id}\n{job.group}\n{job.apart}".encode()).hexdigest()
