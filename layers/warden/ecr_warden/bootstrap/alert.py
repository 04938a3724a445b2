"""The function `alert`."""

from functools import cache, partial

from ecr_warden.aws.redelivery import Redelivery, SqsDeadLetters
from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.common import table
from ecr_warden.bootstrap.observability import logger
from ecr_warden.notify.aws_incidents import AwsIncidents
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.aws_webhook import WebhookChannel, secret_url
from ecr_warden.notify.notify import AnnounceAlerts, ReportExhausted, SendAlerts
from ecr_warden.notify.ports import CHAT, E_MAIL, Channel
from ecr_warden.notify.record import record_alert
from ecr_warden.state.aws_aliases import accepted_aliases
from ecr_warden.state.aws_history import DynamoHistory


@cache
def send_alerts() -> SendAlerts:
    """The use case for messages to people."""
    queue_url = common.environment.required("WARDEN_INCIDENTS_QUEUE_URL")
    return SendAlerts(
        AwsIncidents(table(), common.client("sqs"), queue_url, common.clock),
        _channels(),
        lambda error: logger().warning("not as usual", extra={"error": f"{error:.1000}"}),
        partial(accepted_aliases, table()),
    )


@cache
def announce_alerts() -> AnnounceAlerts:
    """The use case for what the bus delivers; what alerts say is kept in the history log."""
    return AnnounceAlerts(send_alerts(), partial(record_alert, DynamoHistory(table(), common.clock)))


@cache
def flush_redelivery() -> Redelivery:
    """Sets when an incident that could not be flushed is flushed again."""
    return Redelivery(common.client("sqs"), common.environment.required("WARDEN_INCIDENTS_QUEUE_URL"))


@cache
def report_exhausted() -> ReportExhausted:
    """The use case for jobs that failed on their last attempt."""
    kept = SqsDeadLetters(common.client("sqs"), common.environment.required("WARDEN_JOBS_DEAD_LETTERS_URL"))
    return ReportExhausted(announce_alerts(), kept, common.clock)


def _channels() -> dict[str, Channel]:
    topic = common.environment.required("WARDEN_ALERT_TOPIC")
    channels: dict[str, Channel] = {E_MAIL: SnsChannel(common.client("sns"), topic)}
    reference = common.environment.optional("WARDEN_WEBHOOK")
    if reference:
        channels[CHAT] = WebhookChannel(secret_url(reference, common.client))
    return channels
