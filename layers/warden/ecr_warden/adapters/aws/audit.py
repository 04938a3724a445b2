"""The Audit port on the hub's table: `AUDIT#SPEC` and `AUDIT#COMMAND`, an item an entry, in the order of time.

Two partitions, because two functions write, each its own (template.yaml).
"""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.adapters.aws.items import expiry, packed, query, unpacked
from ecr_warden.model.audit import OF_COMMANDS, OF_SPECS, AuditEntry, AuditKind
from ecr_warden.model.codec.audit import audit_from_json, audit_to_json
from ecr_warden.model.codec.base import dumps, loads
from ecr_warden.ports.hub import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SPECS, _COMMANDS = "AUDIT#SPEC", "AUDIT#COMMAND"
# Behind whatever stands after a time.
_LAST = "~"


@dataclass(frozen=True, slots=True)
class DynamoAudit:
    """The key of an entry is its time and what it is of, so that whoever records it again replaces it."""

    client: "DynamoDBClient"
    table: str
    clock: Clock

    def record(self, entry: AuditEntry) -> None:
        item: dict[str, Any] = {
            "pk": {"S": _partition_of(entry.kind)},
            "sk": {"S": f"{_time(entry.at)}#{entry.kind}#{entry.id}"},
            "entry": packed(dumps(audit_to_json(entry))),
            "expires": expiry(self.clock.now()),
        }
        with translated(HUB, "recording in the audit log"):
            self.client.put_item(TableName=self.table, Item=item)

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[AuditKind] | None = None
    ) -> Iterator[AuditEntry]:
        kinds = OF_SPECS | OF_COMMANDS if kinds is None else kinds
        partitions = (self._partition(pk, since, until) for pk in sorted(set(map(_partition_of, kinds))))
        merged = heapq.merge(*partitions, key=lambda entry: entry.at, reverse=True)
        return (entry for entry in merged if entry.kind in kinds)

    def _partition(self, pk: str, since: datetime, until: datetime) -> Iterator[AuditEntry]:
        items = query(
            self.client,
            "reading the audit log",
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
            ExpressionAttributeValues={
                ":pk": {"S": pk},
                ":since": {"S": _time(since)},
                ":until": {"S": _time(until) + _LAST},
            },
            ScanIndexForward=False,
        )
        return (audit_from_json(loads(unpacked(item["entry"]))) for item in items)


def _partition_of(kind: AuditKind) -> str:
    return _SPECS if kind in OF_SPECS else _COMMANDS


def _time(at: datetime) -> str:
    """Of one length for all, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
