"""The function `alert`."""

from functools import cached_property, partial

from msgspec import Struct

from ecr_warden.aws.redelivery import Redelivery, SqsDeadLetters
from ecr_warden.bootstrap.common import HubAdapters
from ecr_warden.bootstrap.observability import logger
from ecr_warden.notify.aws_incident_bus import BusChannel
from ecr_warden.notify.aws_incidents import AwsIncidents
from ecr_warden.notify.aws_secrets import secret_text
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.message import Message
from ecr_warden.notify.notify import AnnounceAlerts, ReportExhausted, SendAlerts
from ecr_warden.notify.pagerduty import PAGERDUTY, PagerDutyChannel
from ecr_warden.notify.ports import BUS, CHAT, E_MAIL, PAGER, Channel
from ecr_warden.notify.record import record_alert
from ecr_warden.notify.webhook import WEBHOOK, WebhookChannel
from ecr_warden.state.aws_aliases import accepted_aliases
from ecr_warden.state.aws_history import DynamoHistory


class LoggedChannel(Struct, frozen=True):
    """A channel with a line in the log, which the dashboard shows, for each message that it has taken."""

    channel: Channel

    def notify(self, message: Message) -> None:
        """Deliver and log it; raises ChannelError."""
        self.channel.notify(message)
        logger().info(
            "message sent",
            extra={"severity": message.severity, "state": message.state, "first_line": message.first_line},
        )


class AlertAdapters(HubAdapters):
    """Its use cases."""

    @cached_property
    def send_alerts(self) -> SendAlerts:
        """The use case for messages to people."""
        return SendAlerts(
            AwsIncidents(
                self.table,
                self.client("sqs"),
                self.environment.required("WARDEN_INCIDENTS_QUEUE_URL"),
                self.clock,
            ),
            self._channels(),
            lambda error: logger().warning("not as usual", extra={"error": f"{error:.1000}"}),
            self.clock,
            partial(accepted_aliases, self.table),
        )

    @cached_property
    def announce_alerts(self) -> AnnounceAlerts:
        """The use case for what the bus delivers; what alerts say is kept in the history log."""
        return AnnounceAlerts(self.send_alerts, partial(record_alert, DynamoHistory(self.table, self.clock)))

    @cached_property
    def flush_redelivery(self) -> Redelivery:
        """Sets when an incident that could not be flushed is flushed again."""
        return Redelivery(self.client("sqs"), self.environment.required("WARDEN_INCIDENTS_QUEUE_URL"))

    @cached_property
    def report_exhausted(self) -> ReportExhausted:
        """The use case for jobs that failed on their last attempt."""
        return ReportExhausted(
            self.announce_alerts,
            SqsDeadLetters(self.client("sqs"), self.environment.required("WARDEN_JOBS_DEAD_LETTERS_URL")),
            self.clock,
        )

    def _channels(self) -> dict[str, Channel]:
        # The one that is always there has the log.
        channels: dict[str, Channel] = {
            E_MAIL: LoggedChannel(SnsChannel(self.client("sns"), self.environment.required("WARDEN_ALERT_TOPIC"))),
            BUS: BusChannel(partial(self.client, "events"), self.environment.required("WARDEN_OUTCOMES_BUS")),
        }
        if reference := self.environment.optional("WARDEN_WEBHOOK"):
            channels[CHAT] = WebhookChannel(secret_text(reference, WEBHOOK, self.client))
        if reference := self.environment.optional("WARDEN_PAGERDUTY"):
            channels[PAGER] = PagerDutyChannel(secret_text(reference, PAGERDUTY, self.client))
        return channels
