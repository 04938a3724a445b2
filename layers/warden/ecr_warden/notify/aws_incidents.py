"""The Incidents port: alerts in the table, and a delayed message that has them flushed.

Items: `INCIDENT#<key>` / `OPEN` (since when), `INCIDENT#<key>` / `ALERT#<digest>`; of an alert that was heard,
`INCIDENT#heard` / `<digest>`; of the turns that were taken, `INCIDENT#turns/<name>` / `TURN#<number>`.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.alert import Alert, alert_to_json
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import CodecError, dumps, forms, loads
from ecr_warden.core.failures import PortError, Throttled
from ecr_warden.core.value import Value
from ecr_warden.notify.aws_outbox import ALERT, alert_items, incident_pk
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.notify.ports import MEMORY

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# As long as the flush message can stay in the failure queue: its alerts must still be there.
_KEPT = timedelta(days=15)
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_BATCH = 25
_OPEN = {"S": "OPEN"}
_HEARD = {"S": "INCIDENT#heard"}


class Flush(Value, frozen=True):
    """What the delayed message says."""

    incident: str


flush_to_json, flush_from_json = forms("flush message", Flush)


class AwsIncidents(Struct, frozen=True):
    """Alerts collected in DynamoDB; the first of them sends the flush message, delayed.

    The message is sent before the incident counts as open: a process that dies in between causes one flush too many,
    which sends what there is or nothing. The other way round, the alerts would wait for a flush that never comes.
    """

    table: Table
    sqs: "SQSClient"
    queue_url: str
    clock: Clock

    def open(self, key: str, *, seconds: int, after: int = 0) -> bool:
        what, now = f"opening the incident {key}", self.clock.now()
        # The flush of an incident that was opened before this time is lost, or is this one.
        stale = (now - timedelta(seconds=after or 2 * seconds)).isoformat()
        if any(item["at"]["S"] >= stale for item in self._opened(what, key)):
            return False
        with translated(HUB, what):
            message = dumps(flush_to_json(Flush(key)))
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=message, DelaySeconds=seconds)
        # False if another call opens it at the same time.
        return self.table.put(
            what,
            _item(key, "OPEN", now),
            ConditionExpression="attribute_not_exists(pk) OR #at < :stale",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":stale": {"S": stale}},
        )

    def add(self, key: str, alerts: Sequence[Alert], *, seconds: int) -> None:
        now = self.clock.now()
        # The same alert twice is one item, and its place is kept where several come at once.
        bodies = {_digest(body): body for body in map(dumps, map(alert_to_json, alerts))}
        puts = [
            {**_item(key, f"{ALERT}{digest}", now + number * timedelta.resolution), "alert": packed(body)}
            for number, (digest, body) in enumerate(bodies.items())
        ]
        self._write(f"adding alerts to the incident {key}", [{"PutRequest": {"Item": item}} for item in puts])
        self.open(key, seconds=seconds)

    def close(self, key: str, *, again: int = 0) -> Mapping[str, Alert]:
        what = f"reading the alerts of the incident {key}"
        opened = {"pk": incident_pk(key), "sk": _OPEN}
        try:
            if again and any(alert_items(self.table, what, key)):
                # Half the time: of two flushes at once one asks for another.
                self.open(key, seconds=again, after=again // 2)
            else:
                # Closed first: an alert that is added from here on opens a new incident, with a flush of its own.
                self.table.delete(what, opened)
        except PortError:
            # What is collected leaves all the same: if this flush came back, each time would ask for one more.
            self.table.delete(what, opened)
        alerts: dict[str, Alert] = {}
        for item in sorted(alert_items(self.table, what, key), key=lambda item: str(item["at"]["S"])):
            # One that another version wrote keeps no others: it stays, and `status` says that something waits.
            with suppress(CodecError):
                alerts[item["sk"]["S"]] = alert_from_json(loads(unpacked(item["alert"])))
        return alerts

    def drop(self, key: str, ids: Iterable[str]) -> None:
        deletes = [{"DeleteRequest": {"Key": {"pk": incident_pk(key), "sk": {"S": sk}}}} for sk in ids]
        self._write(f"deleting alerts of the incident {key}", deletes)

    def turn(self, name: str, *, most: int, seconds: int) -> int:
        what, key, now = f"taking a turn of {name}", f"turns/{name}", self.clock.now()
        within = timedelta(seconds=seconds)
        items = self.table.query(what, "pk = :pk", {":pk": incident_pk(key)})
        taken = {item["sk"]["S"]: datetime.fromisoformat(item["at"]["S"]) for item in items}
        for sk in (f"TURN#{number}" for number in range(most)):
            at = taken.get(sk)
            # One of a clock that is far ahead counts for nothing, or it would shut the channel.
            if at is not None and abs(now - at) < within:
                continue
            # False if another call takes it at the same time.
            if self.table.put(
                what,
                _item(key, sk, now),
                ConditionExpression="attribute_not_exists(pk) OR #at = :before",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":before": {"S": at.isoformat() if at else ""}},
            ):
                return 0
        return max(1, math.ceil((min(taken.values(), default=now) + within - now).total_seconds()))

    def _opened(self, what: str, key: str) -> Iterator[Any]:
        return self.table.query(what, "pk = :pk AND sk = :open", {":pk": incident_pk(key), ":open": _OPEN})

    def _write(self, what: str, requests: Iterable[Any]) -> None:
        with translated(HUB, what):
            for batch in batched(requests, _BATCH, strict=False):
                answer = self.table.client.batch_write_item(RequestItems={self.table.name: [*batch]})
                if answer["UnprocessedItems"]:
                    raise Throttled(f"{what}: the table is busy", retryable=True)

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


def _item(key: str, sk: str, at: datetime) -> dict[str, Any]:
    return {"pk": incident_pk(key), "sk": {"S": sk}, "at": {"S": at.isoformat()}, "expires": expiry(at, _KEPT)}
