"""The Jobs port on an SQS FIFO queue: a message group for each target.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, assert_never

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.codec.jobs import job_to_json
from ecr_warden.model.job import (
    AcceptSpec,
    Job,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
    TellOwnChange,
)
from ecr_warden.ports.errors import Throttled

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10
_GROUP_ID_LENGTH = 128


@dataclass(frozen=True, slots=True)
class SqsJobs:
    """Jobs as messages; the queue forgets a deduplication id after 5 minutes."""

    client: "SQSClient"
    queue_url: str

    def enqueue(self, jobs: Iterable[Job]) -> None:
        for batch in batched(_distinct(jobs), _BATCH, strict=False):
            entries = [_entry(index, job) for index, job in enumerate(batch)]
            with translated(HUB, "sending jobs"):
                failed = self.client.send_message_batch(QueueUrl=self.queue_url, Entries=entries).get("Failed", [])
            if failed:
                raise Throttled(f"{len(failed)} jobs were not taken: {failed[0]['Code']}", retryable=True)


def _distinct(jobs: Iterable[Job]) -> Iterator[Job]:
    return iter({deduplication_id(job): job for job in jobs}.values())


def _entry(index: int, job: Job) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(index),
        "MessageBody": dumps(job_to_json(job)),
        "MessageGroupId": group_id(job),
        "MessageDeduplicationId": deduplication_id(job),
    }


def group_id(job: Job) -> str:
    """What must not run side by side: runs of one target, acceptances of the spec, sweeps of one part."""
    match job:
        case AcceptSpec():
            return "spec"
        case SweepAll():
            return "sweep"
        case SweepIdentities():
            return f"sweep-{job.account}"
        case SweepRepositories():
            return f"sweep-{job.account}-{job.region}"
        case TellOwnChange():
            return f"own-{job.account}"
        case ReconcileTarget():
            key = job.target.key
            return key if len(key) <= _GROUP_ID_LENGTH else hashlib.sha256(key.encode()).hexdigest()
        case _:
            assert_never(job)


def deduplication_id(job: Job) -> str:
    """The cause and what it is about: by the target alone a second tamper within 5 minutes would vanish."""
    return hashlib.sha256(f"{job.cause.id}\n{group_id(job)}".encode()).hexdigest()
