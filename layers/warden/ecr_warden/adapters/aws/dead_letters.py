"""Where jobs lie that failed for good, until somebody moves them back (docs/deploy.md, Dead letters)."""

from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsDeadLetters(Struct, frozen=True):
    """The DeadLetters port on an SQS FIFO queue."""

    client: "SQSClient"
    queue_url: str

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        with translated(HUB, "keeping a failed job"):
            self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=message_id
            )
