"""The Incidents port: alerts in the table, and a delayed message that has them flushed.

Items: `INCIDENT#<key>` / `OPEN` (since when) and `INCIDENT#<key>` / `ALERT#<digest>`.
"""

import gzip
import hashlib
from collections.abc import Iterable
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.adapters.aws.errors import CONDITION_FAILED, HUB, code_of, translated
from ecr_warden.model.alert import Alert
from ecr_warden.model.codec.alerts import alert_from_json, alert_to_json
from ecr_warden.model.codec.base import CodecError, dumps, loads
from ecr_warden.ports.errors import Throttled
from ecr_warden.ports.hub import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

SCHEMA = 1
# As long as the flush message can stay in the failure queue: its alerts must still be there.
_KEPT = timedelta(days=15)
_BATCH = 25


class AwsIncidents(Struct, frozen=True):
    """Alerts collected in DynamoDB; the first of them sends the flush message, delayed.

    The message is sent before the incident counts as open: a process that dies in between causes one flush too many,
    which sends what there is or nothing. The other way round, the alerts would wait for a flush that never comes.
    """

    dynamodb: "DynamoDBClient"
    table: str
    sqs: "SQSClient"
    queue_url: str
    clock: Clock

    def open(self, key: str, *, seconds: int) -> bool:
        with translated(HUB, f"opening the incident {key}"):
            if self._is_open(key, seconds):
                return False
            message = dumps({"schema": SCHEMA, "incident": key})
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=message, DelaySeconds=seconds)
            return self._claims(key, seconds)

    def add(self, key: str, alert: Alert, *, seconds: int) -> None:
        body = dumps(alert_to_json(alert))
        now = self.clock.now()
        expires = {"N": str(int((now + _KEPT).timestamp()))}
        with translated(HUB, f"adding an alert to the incident {key}"):
            self.dynamodb.put_item(
                TableName=self.table,
                Item={
                    **_alert_key(key, body),
                    "at": {"S": now.isoformat()},
                    "alert": {"B": gzip.compress(body.encode(), mtime=0)},
                    "expires": expires,
                },
            )
        self.open(key, seconds=seconds)

    def close(self, key: str) -> dict[str, Alert]:
        with translated(HUB, f"reading the alerts of the incident {key}"):
            # Closed first: an alert that is added from here on opens a new incident, with a flush of its own.
            self.dynamodb.delete_item(TableName=self.table, Key=_open_key(key))
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :alert)",
                ExpressionAttributeValues={":pk": {"S": f"INCIDENT#{key}"}, ":alert": {"S": "ALERT#"}},
                ConsistentRead=True,
            )
            items = sorted((item for page in pages for item in page["Items"]), key=lambda item: item["at"]["S"])
        return {item["sk"]["S"]: alert_from_json(loads(gzip.decompress(item["alert"]["B"]))) for item in items}

    def drop(self, key: str, ids: Iterable[str]) -> None:
        with translated(HUB, f"deleting the alerts of the incident {key}"):
            for batch in batched(ids, _BATCH, strict=False):
                deletes: Any = [
                    {"DeleteRequest": {"Key": {"pk": {"S": f"INCIDENT#{key}"}, "sk": {"S": sk}}}} for sk in batch
                ]
                left = self.dynamodb.batch_write_item(RequestItems={self.table: deletes})["UnprocessedItems"]
                if left:
                    raise Throttled(f"alerts of {key} could not be dropped and may be sent again", retryable=True)

    def _is_open(self, key: str, seconds: int) -> bool:
        """Whether a flush of the incident is due; an overdue one counts as lost."""
        found = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk = :open",
            ExpressionAttributeValues={":pk": _open_key(key)["pk"], ":open": _open_key(key)["sk"]},
            ConsistentRead=True,
        )["Items"]
        return bool(found) and found[0]["at"]["S"] >= self._stale(seconds)

    def _stale(self, seconds: int) -> str:
        """The flush of an incident that was opened before this time is lost."""
        return (self.clock.now() - timedelta(seconds=2 * seconds)).isoformat()

    def _claims(self, key: str, seconds: int) -> bool:
        """Whether this call opens the incident, rather than another one at the same time."""
        now = self.clock.now()
        expires = {"N": str(int((now + _KEPT).timestamp()))}
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item={**_open_key(key), "at": {"S": now.isoformat()}, "expires": expires},
                ConditionExpression="attribute_not_exists(pk) OR #at < :stale",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":stale": {"S": self._stale(seconds)}},
            )
        except ClientError as error:
            if code_of(error) == CONDITION_FAILED:
                return False
            raise
        return True


def incident_key(body: str) -> str:
    """The incident that a flush message is about; raises CodecError."""
    message = loads(body)
    if message.get("schema") != SCHEMA or not isinstance(message.get("incident"), str):
        raise CodecError("not a flush message of this version")
    return str(message["incident"])


def _open_key(key: str) -> dict[str, Any]:
    return {"pk": {"S": f"INCIDENT#{key}"}, "sk": {"S": "OPEN"}}


def _alert_key(key: str, body: str) -> dict[str, Any]:
    # The same alert twice is one item.
    return {"pk": {"S": f"INCIDENT#{key}"}, "sk": {"S": f"ALERT#{hashlib.sha256(body.encode()).hexdigest()}"}}
