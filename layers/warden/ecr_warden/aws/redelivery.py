"""When a message of a queue is delivered again, and where one goes that is given up.

The visibility timeout is minutes long, so a message that may succeed within a minute is made visible sooner. Source:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ATTEMPTS = 5
"""At this attempt, a job that fails is reported instead of retried."""
_FLUSH_SECONDS, _LONGEST_FLUSH_SECONDS = 20, 720
_FIRST_SECONDS, _LONGEST_SECONDS, _AT_ONCE_SECONDS = 5, 60, 1
_OFTEN = 20
"""Receives after which a message has met a lease for so long that it need not come back each second."""


class SqsDeadLetters(Struct, frozen=True):
    """The DeadLetters port on a queue of either kind (docs/safety.md, Dead letters)."""

    client: "SQSClient"
    queue_url: str

    def keep(self, body: str, *, message_id: str) -> None:
        ids: Any = {"MessageGroupId": message_id, "MessageDeduplicationId": message_id}
        with translated(HUB, "keeping a failed job"):
            self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=body, **(ids if self.queue_url.endswith(".fifo") else {})
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
