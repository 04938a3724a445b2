"""The Incidents port: alerts in the table, and a delayed message that has them flushed.

Items: `INCIDENT#<key>` / `OPEN` (since when), `INCIDENT#<key>` / `ALERT#<digest>`, and of an alert that was heard,
`INCIDENT#heard` / `<digest>`.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.alert import Alert
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps, forms, loads
from ecr_warden.core.failures import Throttled
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.value import Value
from ecr_warden.notify.codec_alerts import alert_to_json
from ecr_warden.notify.ports import MEMORY
from ecr_warden.notify.reading import alert_from_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# As long as the flush message can stay in the failure queue: its alerts must still be there.
_KEPT = timedelta(days=15)
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_BATCH = 25
_OPEN, _ALERT = {"S": "OPEN"}, "ALERT#"
_HEARD = {"S": "INCIDENT#heard"}


class Flush(Value, frozen=True):
    """What the delayed message says."""

    incident: str


flush_to_json, flush_from_json = forms("flush message", Flush, SCHEMA)


class AwsIncidents(Struct, frozen=True):
    """Alerts collected in DynamoDB; the first of them sends the flush message, delayed.

    The message is sent before the incident counts as open: a process that dies in between causes one flush too many,
    which sends what there is or nothing. The other way round, the alerts would wait for a flush that never comes.
    """

    table: Table
    sqs: "SQSClient"
    queue_url: str
    clock: Clock

    def open(self, key: str, *, seconds: int) -> bool:
        what, now = f"opening the incident {key}", self.clock.now()
        # The flush of an incident that was opened before this time is lost.
        stale = (now - timedelta(seconds=2 * seconds)).isoformat()
        found = self.table.query(what, "pk = :pk AND sk = :open", {":pk": _pk(key), ":open": _OPEN})
        if any(item["at"]["S"] >= stale for item in found):
            return False
        with translated(HUB, what):
            message = dumps(flush_to_json(Flush(key)))
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=message, DelaySeconds=seconds)
        # False if another call opens it at the same time.
        return self.table.put(
            what,
            {"pk": _pk(key), "sk": _OPEN, "at": {"S": now.isoformat()}, "expires": expiry(now, _KEPT)},
            ConditionExpression="attribute_not_exists(pk) OR #at < :stale",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":stale": {"S": stale}},
        )

    def add(self, key: str, alert: Alert, *, seconds: int) -> None:
        body, now = dumps(alert_to_json(alert)), self.clock.now()
        item = {
            "pk": _pk(key),
            # The same alert twice is one item.
            "sk": {"S": f"{_ALERT}{_digest(body)}"},
            "at": {"S": now.isoformat()},
            "alert": packed(body),
            "expires": expiry(now, _KEPT),
        }
        self.table.put(f"adding an alert to the incident {key}", item)
        self.open(key, seconds=seconds)

    def close(self, key: str) -> dict[str, Alert]:
        what = f"reading the alerts of the incident {key}"
        with translated(HUB, what):
            # Closed first: an alert that is added from here on opens a new incident, with a flush of its own.
            self.table.client.delete_item(TableName=self.table.name, Key={"pk": _pk(key), "sk": _OPEN})
        condition = "pk = :pk AND begins_with(sk, :alert)"
        items = self.table.query(what, condition, {":pk": _pk(key), ":alert": {"S": _ALERT}})
        return {
            item["sk"]["S"]: alert_from_json(loads(unpacked(item["alert"])))
            for item in sorted(items, key=lambda item: str(item["at"]["S"]))
        }

    def drop(self, key: str, ids: Iterable[str]) -> None:
        with translated(HUB, f"deleting the alerts of the incident {key}"):
            for batch in batched(ids, _BATCH, strict=False):
                deletes: Any = [{"DeleteRequest": {"Key": {"pk": _pk(key), "sk": {"S": sk}}}} for sk in batch]
                answer = self.table.client.batch_write_item(RequestItems={self.table.name: deletes})
                if answer["UnprocessedItems"]:
                    raise Throttled(f"alerts of {key} could not be dropped and may be sent again", retryable=True)

    def was_heard(self, alert: Alert) -> bool:
        values = {":pk": _HEARD, ":sk": {"S": _digest(dumps(alert_to_json(alert)))}}
        noted = self.table.query("looking whether an alert was heard", "pk = :pk AND sk = :sk", values)
        since = (self.clock.now() - MEMORY).isoformat()
        return any(item["at"]["S"] > since for item in noted)

    def note_heard(self, alert: Alert) -> None:
        now, digest = self.clock.now(), _digest(dumps(alert_to_json(alert)))
        item = {"pk": _HEARD, "sk": {"S": digest}, "at": {"S": now.isoformat()}, "expires": expiry(now, MEMORY)}
        self.table.put("noting that an alert was heard", item)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def incident_key(body: str) -> str:
    """The incident that a flush message is about; raises CodecError."""
    return flush_from_json(loads(body)).incident


def _pk(key: str) -> dict[str, str]:
    return {"S": f"INCIDENT#{key}"}
