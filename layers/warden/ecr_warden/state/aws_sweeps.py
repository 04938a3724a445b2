"""The last sweep of each part, in the hub's table."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.codec.base import SCHEMA, check_schema, dumps, loads, read, reading, to_json, understood
from ecr_warden.core.sessions import TrustLook
from ecr_warden.core.value import Moment
from ecr_warden.state.sweeps import Awaited, SweepRecord

_PARTS = {"S": "SWEEP"}
_SENT_KEPT = timedelta(days=1)
# An item holds 400 KB; the packed names of some 10,000 repositories take less than half of that.
_MAX_PACKED = 350_000
_NO_TARGETS: dict[str, Any] = {"fine": [], "due": [], "trusts": {}, "awaited": {}}


class DynamoSweepRecords(Struct, frozen=True):
    """One item per part, replaced by each sweep."""

    table: Table

    def note(self, record: SweepRecord) -> None:
        looked = {"fine": sorted(record.fine), "due": sorted(record.due), "trusts": to_json(record.trusts)}
        targets = packed(dumps(looked | {"awaited": to_json(record.awaited), "dueSince": to_json(record.due_since)}))
        item: dict[str, Any] = {
            "pk": _PARTS,
            "sk": {"S": f"PART#{record.part}"},
            "schema": {"N": str(SCHEMA)},
            "at": {"S": record.at.isoformat()},
            "version": {"S": record.version},
        }
        if len(targets["B"]) <= _MAX_PACKED:
            item["targets"] = targets
        if record.over:
            item["over"] = {"N": str(record.over)}
        if record.cleared:
            item["unnamed"] = packed(dumps({"cleared": sorted(record.cleared)}))
        self.table.put(f"recording the sweep of {record.part}", item)

    def take(self, sweep: str, part: str, wanted: int, at_most: int) -> int:
        key, what = {"pk": {"S": "SENT"}, "sk": {"S": sweep}}, "counting repairs of a sweep"
        # Each part has the number of repairs that were taken before it.
        answer = self.table.update(
            what,
            key,
            "SET #part = if_not_exists(sent, :none), sent = if_not_exists(sent, :none) + :wanted, expires = :expires",
            {
                ":wanted": {"N": str(wanted)},
                ":none": {"N": "0"},
                ":expires": expiry(datetime.now(UTC), _SENT_KEPT),
            },
            ConditionExpression="attribute_not_exists(#part)",
            ExpressionAttributeNames={"#part": f"before {part}"},
            ReturnValues="ALL_NEW",
        )
        item = self.table.get(what, key) if answer is None else answer["Attributes"]
        return max(0, min(wanted, at_most - int(item[f"before {part}"]["N"])))

    def of(self, part: str) -> SweepRecord | None:
        key = {"pk": _PARTS, "sk": {"S": f"PART#{part}"}}
        item = self.table.get(f"reading the record of the sweep of {part}", key)
        return None if item is None else understood(sweep_from_item, item)

    def all(self) -> Sequence[SweepRecord]:
        items = self.table.query("reading the records of sweeps", "pk = :parts", {":parts": _PARTS})
        # The part of one that cannot be read counts as not swept.
        return [record for item in items if (record := understood(sweep_from_item, item)) is not None]


def _record_of(item: Any) -> SweepRecord:
    check_schema({"schema": int(item["schema"]["N"])}, SCHEMA)
    targets = loads(unpacked(item["targets"])) if "targets" in item else _NO_TARGETS
    unnamed = loads(unpacked(item["unnamed"])) if "unnamed" in item else {"cleared": []}
    return SweepRecord(
        part=read(item["sk"]["S"], str).removeprefix("PART#"),
        at=read(item["at"]["S"], Moment),
        version=read(item["version"]["S"], str),
        fine=read(targets["fine"], frozenset[str]),
        due=read(targets["due"], frozenset[str]),
        trusts=read(targets["trusts"], dict[str, TrustLook]),
        awaited=read(targets["awaited"], dict[str, Awaited]),
        cleared=read(unnamed["cleared"], frozenset[str]),
        over=int(item.get("over", {"N": "0"})["N"]),
        due_since=read(targets.get("dueSince", {}), dict[str, Moment]),
    )


sweep_from_item = reading("record of a sweep", _record_of)
