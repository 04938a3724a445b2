"""The EventSources port on EventBridge and S3: the rules and the notification of template.yaml, by their names.

Sources: API_DescribeRule and API_ListTargetsByRule of EventBridge, API_GetBucketNotificationConfiguration of S3.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, code_of, translated
from ecr_warden.model.watch import EventSource, SourceState
from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client

DEFAULT_BUS = "default"


class Rule(Struct, frozen=True):
    """A rule of the hub's stack, its bus, the function that it invokes, and what it delivers."""

    name: str
    bus: str
    function: str
    delivers: str


RULES = (
    Rule("ecr-warden-trail", "ecr-warden-trail", "ecr-warden-dispatch", "what CloudTrail reports of the members"),
    Rule("ecr-warden-spec", DEFAULT_BUS, "ecr-warden-dispatch", "new versions of the spec"),
    Rule("ecr-warden-sweep", DEFAULT_BUS, "ecr-warden-dispatch", "the schedule of the sweeps"),
    Rule("ecr-warden-outcomes", "ecr-warden-outcomes", "ecr-warden-alert", "alerts"),
)


class AwsEventSources(Struct, frozen=True):
    """`owner`: the account that must own the bucket."""

    events: "EventBridgeClient"
    s3: "S3Client"
    spec_bucket: str
    owner: str

    def sources(self) -> Sequence[EventSource]:
        return (*map(self._rule, RULES), self._notification())

    def _rule(self, rule: Rule) -> EventSource:
        name = f"rule {rule.name}"
        try:
            with translated(HUB, f"reading the rule {rule.name}"):
                try:
                    found = self.events.describe_rule(Name=rule.name, EventBusName=rule.bus)
                    targets = self.events.list_targets_by_rule(Rule=rule.name, EventBusName=rule.bus)["Targets"]
                except ClientError as error:
                    if code_of(error) == "ResourceNotFoundException":  # the rule, or its bus
                        return EventSource(name, rule.delivers, SourceState.MISSING)
                    raise
        except PortError as error:
            return EventSource(name, rule.delivers, SourceState.UNREADABLE, why=str(error))
        state = SourceState.ON
        if found.get("State") == "DISABLED":
            state = SourceState.DISABLED
        elif not any(target["Arn"].endswith(f":function:{rule.function}") for target in targets):
            state = SourceState.TARGETLESS
        return EventSource(name, rule.delivers, state, schedule=found.get("ScheduleExpression", ""))

    def _notification(self) -> EventSource:
        name, delivers = f"notification of s3://{self.spec_bucket} to EventBridge", "new versions of the spec"
        try:
            with translated(HUB, f"reading the notification of s3://{self.spec_bucket}"):
                try:
                    found = self.s3.get_bucket_notification_configuration(
                        Bucket=self.spec_bucket, ExpectedBucketOwner=self.owner
                    )
                except ClientError as error:
                    if code_of(error) == "NoSuchBucket":
                        return EventSource(name, delivers, SourceState.MISSING)
                    raise
        except PortError as error:
            return EventSource(name, delivers, SourceState.UNREADABLE, why=str(error))
        return EventSource(
            name, delivers, SourceState.ON if "EventBridgeConfiguration" in found else SourceState.MISSING
        )
