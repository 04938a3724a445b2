"""When a message that failed comes back.

A FIFO queue has no delay for one message, and a flush that failed has had its delay. Waiting out the visibility timeout
would take minutes: what may succeed within a minute is made visible again sooner.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.errors import HUB, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ATTEMPTS = 5
"""From this receive on a job that fails is told of instead of being tried again."""
MAX_RECEIVES = 10
"""The jobs queue's maxReceiveCount; template.yaml has the same.

More than the attempts: a message that was handed back before it was begun has used up a receive.
"""
FLUSH_RECEIVES = 8
"""The incidents queue's maxReceiveCount; template.yaml has the same. A channel is tried for half an hour."""
_FLUSH_SECONDS, _LONGEST_FLUSH_SECONDS = 20, 720
_FIRST_SECONDS, _LONGEST_SECONDS, _AT_ONCE_SECONDS = 5, 60, 1


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Brings messages of one queue back."""

    client: "SQSClient"
    queue_url: str

    def soon(self, receipt_handle: str, receives: int) -> None:
        """Make a job that failed visible again after 5 seconds, and after twice as long with each receive.

        Once its attempts are used up nothing is gained by waiting: what receives are left pass quickly.
        """
        doubled = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (receives - 1))
        self._hide(receipt_handle, doubled if receives < ATTEMPTS else _FIRST_SECONDS)

    def flush(self, receipt_handle: str, receives: int) -> None:
        """Make a flush that failed visible again after a window of gathering, and after twice as long each time."""
        self._hide(receipt_handle, min(_LONGEST_FLUSH_SECONDS, _FLUSH_SECONDS * 2 ** (receives - 1)))

    def unbegun(self, receipt_handle: str) -> None:
        """Make a message that nobody has begun visible again at once."""
        self._hide(receipt_handle, _AT_ONCE_SECONDS)

    def _hide(self, receipt_handle: str, seconds: int) -> None:
        with translated(HUB, "delaying a message"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
