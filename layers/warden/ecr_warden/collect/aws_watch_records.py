"""What sweeps found of the wiring, and heartbeats, in the hub's table."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, sortable_time, unpacked
from ecr_warden.collect.wiring import Heartbeat, WatchRecord
from ecr_warden.core.codec.base import dumps, forms, loads, read, understood
from ecr_warden.core.value import Moment

_COUNT_KEPT = timedelta(days=1)
_WATCH, _BEATS = {"S": "WATCH"}, {"S": "HEARTBEAT"}

watched_to_json, watched_from_json = forms("record of the wiring", WatchRecord)


def _record(item: Any) -> WatchRecord:
    return watched_from_json(loads(unpacked(item["record"])))


class DynamoWatchRecords(Struct, frozen=True):
    """One item per part, replaced by each sweep, and one per region for its heartbeats."""

    table: Table

    def note(self, record: WatchRecord) -> None:
        item = {"pk": _WATCH, "sk": {"S": f"PART#{record.part}"}, "record": packed(dumps(watched_to_json(record)))}
        self.table.put(f"recording the wiring of {record.part}", item)

    def looked(self, sweep: str, parts: int) -> bool:
        values = {":one": {"N": "1"}, ":expires": expiry(datetime.now(UTC), _COUNT_KEPT)}
        item = self.table.update(
            "counting the parts of a sweep",
            {"pk": {"S": "SENT"}, "sk": {"S": f"{sweep}#looked"}},
            f"SET expires = :expires{', wanted = :wanted' if parts else ''} ADD looked :one",
            values | ({":wanted": {"N": str(parts)}} if parts else {}),
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return "wanted" in item and item["wanted"] == item["looked"]

    def of(self, part: str) -> WatchRecord | None:
        key = {"pk": _WATCH, "sk": {"S": f"PART#{part}"}}
        item = self.table.get(f"reading what is known of the wiring of {part}", key)
        return None if item is None else understood(_record, item)

    def all(self) -> Mapping[str, WatchRecord]:
        found = (understood(_record, item) for item in self._items(_WATCH))
        return {record.part: record for record in found if record is not None}

    def beat(self, heartbeat: Heartbeat) -> None:
        at = {"S": sortable_time(heartbeat.at)}
        self.table.put(
            f"recording a heartbeat of {heartbeat.part}",
            {"pk": _BEATS, "sk": {"S": f"PART#{heartbeat.part}"}, "at": at, "heard": {"BOOL": heartbeat.heard}},
            ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":at": at},
        )

    def beats(self) -> Mapping[str, Heartbeat]:
        found = (
            Heartbeat(item["sk"]["S"].removeprefix("PART#"), read(item["at"]["S"], Moment), item["heard"]["BOOL"])
            for item in self._items(_BEATS)
        )
        return {heartbeat.part: heartbeat for heartbeat in found}

    def _items(self, pk: dict[str, str]) -> Iterator[Any]:
        return self.table.query("reading what is known of the wiring", "pk = :pk", {":pk": pk})
