"""The Incidents port: what is collected, turns and incidents in the table, and delayed messages that have keys flushed.

Items: `INCIDENT#<key>` / `OPEN` (`due`: when it is flushed) and `ALERT#<digest>`;
`INCIDENT#turns/<name>` / `TURN#<number>`; `INCIDENT#standing` / `<key>` and `INCIDENT#ended` / `<time>#<id>`, an
incident; `INCIDENT#facts` / `<digest>`, of a fact the key of its incident;
`INCIDENT#ends` / `<digest>`, of a fact when its end was seen (`at`). `ACKNOWLEDGED` / `<id>`: control writes it.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import SCHEMA, dumps, forms, loads
from ecr_warden.core.failures import Throttled
from ecr_warden.core.value import Value
from ecr_warden.notify.aws_outbox import (
    ALERT,
    ENDED,
    STANDING,
    acknowledgements,
    alert_items,
    incident_pk,
    incidents_in,
)
from ecr_warden.notify.incident import Acknowledgement, Incident, incident_to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# As long as the flush message can stay in the failure queue: its alerts must still be there.
_KEPT = timedelta(days=15)
_ENDED_KEPT = timedelta(days=365)
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html and API_BatchGetItem
_BATCH, _READ_BATCH = 25, 100
# Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_LONGEST_DELAY = 900
# A flush that is overdue by more than this is lost: it would have set the time anew.
_LATE = timedelta(seconds=20)
# By how much SQS and the clock may disagree.
_EARLY = timedelta(seconds=1)
_OPEN = {"S": "OPEN"}
_FACTS, _ENDS = {"S": "INCIDENT#facts"}, {"S": "INCIDENT#ends"}


class Flush(Value, frozen=True):
    """What the delayed message says."""

    incident: str


flush_to_json, flush_from_json = forms("flush message", Flush)


class AwsIncidents(Struct, frozen=True):
    """What is kept in DynamoDB; the first thing that is collected sends the flush message, delayed.

    The message is sent before the key counts as open: a process that dies in between causes one flush too many, which
    sends what there is or nothing. The other way round, the alerts would wait for a flush that never comes.
    """

    table: Table
    sqs: "SQSClient"
    queue_url: str
    clock: Clock

    def open(self, key: str, *, seconds: int) -> bool:
        what, now = f"having {key} flushed", self.clock.now()
        seconds = min(seconds, _LONGEST_DELAY)
        due = now + timedelta(seconds=seconds)
        if any(now - _LATE <= _due(item) <= due for item in self._opened(what, key)):
            return False
        with translated(HUB, what):
            message = dumps(flush_to_json(Flush(key)))
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=message, DelaySeconds=seconds)
        # False if another call opens it at the same time.
        return self.table.put(
            what,
            {**_item(key, "OPEN", now), "due": {"S": due.isoformat()}},
            ConditionExpression="attribute_not_exists(pk) OR attribute_not_exists(#due) OR #due < :late OR #due > :due",
            ExpressionAttributeNames={"#due": "due"},
            ExpressionAttributeValues={
                ":late": {"S": (now - _LATE).isoformat()},
                ":due": {"S": due.isoformat()},
            },
        )

    def _opened(self, what: str, key: str) -> Iterator[Any]:
        return self.table.query(what, "pk = :pk AND sk = :open", {":pk": incident_pk(key), ":open": _OPEN})

    def add(self, key: str, texts: Sequence[str]) -> None:
        now = self.clock.now()
        # The same text twice is one item, and its place is kept where several come at once.
        bodies = {_digest(text): text for text in texts}
        puts = [
            {**_item(key, f"{ALERT}{digest}", now + number * timedelta.resolution), "alert": packed(body)}
            for number, (digest, body) in enumerate(bodies.items())
        ]
        self._write(f"collecting for {key}", [{"PutRequest": {"Item": item}} for item in puts])

    def close(self, key: str) -> Mapping[str, tuple[str, datetime]]:
        what = f"reading what is collected for {key}"
        # First: what is added from here on has it flushed anew. What is to be flushed later still is.
        for item in self._opened(what, key):
            if _due(item) <= self.clock.now() + _EARLY:
                self.table.delete(what, {"pk": incident_pk(key), "sk": _OPEN})
        items = sorted(alert_items(self.table, what, key), key=lambda item: str(item["at"]["S"]))
        return {
            item["sk"]["S"]: (unpacked(item["alert"]).decode(), datetime.fromisoformat(item["at"]["S"]))
            for item in items
        }

    def drop(self, key: str, ids: Iterable[str]) -> None:
        deletes = [{"DeleteRequest": {"Key": {"pk": incident_pk(key), "sk": {"S": sk}}}} for sk in ids]
        self._write(f"deleting what was sent of {key}", deletes)

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

    def find(self, key: str) -> Incident | None:
        return next(incidents_in(self.table, STANDING, "sk = :key", {":key": {"S": key}}), None)

    def standing(self) -> Sequence[Incident]:
        return [*incidents_in(self.table, STANDING)]

    def keep(self, incident: Incident, *, is_ended: bool = False) -> bool:
        what, now = f"keeping the incident {incident.id}", self.clock.now()
        body = packed(dumps(incident_to_json(incident)))
        standing = {"pk": incident_pk(STANDING), "sk": {"S": incident.key}}
        form, revision = {"N": str(SCHEMA)}, {"N": str(incident.revision)}
        # One that another version wrote cannot be read, and is replaced.
        unless_moved: Any = {
            "ConditionExpression": "attribute_not_exists(pk) OR revision = :before OR form <> :form",
            "ExpressionAttributeValues": {":before": {"N": str(incident.revision - 1)}, ":form": form},
        }
        if not is_ended:
            item = {**standing, "incident": body, "form": form, "revision": revision}
            return self.table.put(what, item, **unless_moved)
        sk, expires = f"{incident.begun.isoformat()}#{incident.id}", expiry(now, _ENDED_KEPT)
        self.table.put(what, {"pk": incident_pk(ENDED), "sk": {"S": sk}, "incident": body, "expires": expires})
        return self.table.delete(what, standing, **unless_moved)

    def threads(self, facts: Iterable[str]) -> Mapping[str, str]:
        return {fact: item["incident"]["S"] for fact, item in self._of_facts(_FACTS, facts)}

    def assign(self, facts: Iterable[str], key: str) -> None:
        expires = expiry(self.clock.now(), _ENDED_KEPT)
        items = [
            {"pk": _FACTS, "sk": {"S": _digest(fact)}, "incident": {"S": key}, "expires": expires} for fact in facts
        ]
        self._write("noting which incident has a fact", [{"PutRequest": {"Item": item}} for item in items])

    def note_ends(self, facts: Iterable[str], at: datetime) -> None:
        expires = expiry(self.clock.now(), _KEPT)
        items = [
            {"pk": _ENDS, "sk": {"S": _digest(fact)}, "at": {"S": at.isoformat()}, "expires": expires} for fact in facts
        ]
        self._write("noting that a fact has ended", [{"PutRequest": {"Item": item}} for item in items])

    def ends(self, facts: Iterable[str]) -> Mapping[str, datetime]:
        return {fact: datetime.fromisoformat(item["at"]["S"]) for fact, item in self._of_facts(_ENDS, facts)}

    def _of_facts(self, partition: Any, facts: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """The items of a partition that facts have."""
        named = {_digest(fact): fact for fact in facts}
        for batch in batched(named, _READ_BATCH, strict=False):
            keys: list[Any] = [{"pk": partition, "sk": {"S": digest}} for digest in batch]
            with translated(HUB, "looking what is known of facts"):
                asked: dict[str, Any] = {self.table.name: {"Keys": keys, "ConsistentRead": True}}
                answer = self.table.client.batch_get_item(RequestItems=asked)
            if answer["UnprocessedKeys"]:
                raise Throttled("looking what is known of facts: the table is busy", retryable=True)
            yield from ((named[item["sk"]["S"]], item) for item in answer["Responses"][self.table.name])

    def forget(self, facts: Iterable[str]) -> None:
        deletes = [{"DeleteRequest": {"Key": {"pk": _FACTS, "sk": {"S": _digest(fact)}}}} for fact in facts]
        self._write("forgetting the facts of an incident", deletes)

    def acknowledged(self, incident: str) -> Acknowledgement | None:
        return acknowledgements(self.table, incident).get(incident)

    def _write(self, what: str, requests: Iterable[Any]) -> None:
        with translated(HUB, what):
            for batch in batched(requests, _BATCH, strict=False):
                answer = self.table.client.batch_write_item(RequestItems={self.table.name: [*batch]})
                if answer["UnprocessedItems"]:
                    raise Throttled(f"{what}: the table is busy", retryable=True)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _due(item: Any) -> datetime:
    """When it is flushed; what another version opened was flushed at the latest soon after."""
    return datetime.fromisoformat(item.get("due", item["at"])["S"])


def incident_key(body: str) -> str:
    """The incident that a flush message is about; raises CodecError."""
    return flush_from_json(loads(body)).incident


def _item(key: str, sk: str, at: datetime) -> dict[str, Any]:
    return {"pk": incident_pk(key), "sk": {"S": sk}, "at": {"S": at.isoformat()}, "expires": expiry(at, _KEPT)}
