"""The hub's table, as every adapter calls it; a call that fails raises a PortError."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated, unless

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

JOURNAL_KEPT = timedelta(days=365)
_CONDITION_FAILED = ("ConditionalCheckFailedException",)


class Table(Struct, frozen=True):
    """`what` is what a call is for, for people. `how`: the call's other parameters, as boto3 spells them."""

    client: "DynamoDBClient"
    name: str

    def get(self, what: str, key: dict[str, Any], **how: Any) -> Any:
        """An item as it is now; None if there is none."""
        with translated(HUB, what):
            return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True, **how).get("Item")

    def put(self, what: str, item: dict[str, Any], **how: Any) -> bool:
        """Write an item; False if the condition in `how` does not hold."""
        with translated(HUB, what):
            answer = unless(_CONDITION_FAILED, self.client.put_item, TableName=self.name, Item=item, **how)
        return answer is not None

    def delete(self, what: str, key: dict[str, Any], **how: Any) -> bool:
        """Delete an item, if there is one; False if the condition in `how` does not hold."""
        with translated(HUB, what):
            answer = unless(_CONDITION_FAILED, self.client.delete_item, TableName=self.name, Key=key, **how)
        return answer is not None

    def update(self, what: str, key: dict[str, Any], expression: str, values: dict[str, Any], **how: Any) -> Any:
        """Update an item, or make it; None if the condition in `how` does not hold."""
        given: Any = {"ExpressionAttributeValues": values, **how} if values else how
        with translated(HUB, what):
            return unless(
                _CONDITION_FAILED,
                self.client.update_item,
                TableName=self.name,
                Key=key,
                UpdateExpression=expression,
                **given,
            )

    def query(self, what: str, condition: str, values: dict[str, Any], **how: Any) -> Iterator[Any]:
        """All items for which a condition on their keys holds, as they are now, read page by page."""
        start: dict[str, Any] = {}
        while True:
            with translated(HUB, what):
                page = self.client.query(
                    TableName=self.name,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **how,
                    **start,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def packed(text: str) -> dict[str, bytes]:
    """A long text as a value: an item holds 400 KB, and compressed, ten documents take a fraction of that."""
    return {"B": gzip.compress(text.encode(), mtime=0)}


def unpacked(value: Any) -> bytes:
    """The text of a packed value."""
    return gzip.decompress(value["B"])


def expiry(now: datetime, after: timedelta = JOURNAL_KEPT) -> dict[str, str]:
    """The value by which DynamoDB deletes an item."""
    return {"N": str(int((now + after).timestamp()))}


def sortable_time(at: datetime) -> str:
    """A time as text that sorts as times do: all are of one length."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
