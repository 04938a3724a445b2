"""The estate as it is read, and the wiring."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.accounts import AccountAdapters
from ecr_warden.bootstrap.holding import HoldAdapters
from ecr_warden.bootstrap.inventory import InventoryAdapters
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.collect.aws_wiring import AwsWiring
from ecr_warden.collect.wiring import HubPlace
from ecr_warden.notify.aws_outbox import waiting


class EstateAdapters(InventoryAdapters, AccountAdapters, HoldAdapters):
    """Of functions that read accounts."""

    @cached_property
    def reader(self) -> AwsEstateReader:
        """The accounts, as far as they are part of the estate."""
        return AwsEstateReader(self.documents.accounts, common.deadline)

    @cached_property
    def watch_records(self) -> DynamoWatchRecords:
        """What the last sweeps found of the wiring."""
        return DynamoWatchRecords(self.table)

    @cached_property
    def wiring(self) -> AwsWiring:
        """What can blind or stop ecr-warden."""
        return AwsWiring(
            events=self.client("events"),
            s3=self.client("s3"),
            functions=self.client("lambda"),
            sns=self.client("sns"),
            cloudformation=self.client("cloudformation"),
            accounts=self.documents.accounts,
            place=HubPlace(
                account=self.environment.required("WARDEN_HUB_ACCOUNT"),
                region=self.environment.required("AWS_REGION"),
                bucket=self.environment.required("WARDEN_SPEC_BUCKET"),
                external_id=self.environment.required("WARDEN_EXTERNAL_ID"),
                stack=self.environment.required("WARDEN_STACK"),
                email=self.environment.optional("WARDEN_ALERT_EMAIL"),
            ),
        )

    def waiting(self, channel: str) -> Sequence[datetime]:
        """Since when each alert waits for a channel."""
        return waiting(self.table, channel)
