"""When a message that failed comes back.

A FIFO queue has no delay for one message, and waiting out the visibility timeout would take minutes: what may succeed
within a minute is made visible again sooner.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.errors import HUB, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_RECEIVES = 5
"""The jobs queue's maxReceiveCount; template.yaml has the same."""
_FIRST_SECONDS, _LONGEST_SECONDS = 5, 60


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Brings messages of one queue back after 5, 10, 20, 40, at most 60 seconds."""

    client: "SQSClient"
    queue_url: str

    def soon(self, receipt_handle: str, receives: int) -> None:
        """Make a message visible again after a time that doubles with each receive."""
        seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (receives - 1))
        with translated(HUB, "delaying a job"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
