"""Publishes messages to the SNS topic that sends them as e-mail."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.notify.formats import to_email
from ecr_warden.notify.message import Message
from ecr_warden.notify.ports import ChannelError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and CommonErrors
_RETRYABLE = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Throttling", "ThrottlingException"})


class SnsChannel:
    """The alert topic."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def notify(self, message: Message) -> None:
        """Publish the message; raises ChannelError."""
        subject, body = to_email(message)
        try:
            self._client.publish(TopicArn=self._topic_arn, Subject=subject, Message=body)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise ChannelError(
                f"sns:Publish to {self._topic_arn} failed ({code})",
                remedy="ecr-warden deploy: it creates the topic and lets the alert function publish to it",
                retryable=code in _RETRYABLE,
            ) from error
        except BotoCoreError as error:
            raise ChannelError(f"sns:Publish failed ({type(error).__name__})", retryable=True) from error
