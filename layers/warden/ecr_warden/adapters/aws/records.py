"""What the hub's table keeps for people: the audit log, the last sweep of each part, commands and their answers.

`AUDIT#SPEC` and `AUDIT#COMMAND` are two partitions because two functions write, each its own (template.yaml).
"""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from ecr_warden.adapters.aws.table import Table, expiry, packed, unpacked
from ecr_warden.model.codec.base import CodecError, dumps, loads, read, reader, reading, to_json
from ecr_warden.model.codec.records import answer_from_json, audit_from_json
from ecr_warden.model.request import OF_COMMANDS, OF_SPECS, Answer, AuditEntry, AuditKind, Call
from ecr_warden.model.sessions import TrustLook
from ecr_warden.model.switch import SwitchSeen
from ecr_warden.model.value import Moment
from ecr_warden.model.watch import Awaited, Heartbeat, SweepRecord, WatchRecord
from ecr_warden.ports.errors import CommandRepeated
from ecr_warden.ports.hub import Clock

_SPECS, _COMMANDS = "AUDIT#SPEC", "AUDIT#COMMAND"
# Sorts after any key with the same time.
_LAST = "~"


class DynamoAudit(Struct, frozen=True):
    """An item per entry, in order of time; recording the same entry again replaces it."""

    table: Table
    clock: Clock

    def record(self, entry: AuditEntry) -> None:
        item = {
            "pk": {"S": _partition_of(entry.kind)},
            "sk": {"S": f"{_time(entry.at)}#{entry.kind}#{entry.id}"},
            "entry": packed(dumps(to_json(entry))),
            "expires": expiry(self.clock.now()),
        }
        self.table.put("recording in the audit log", item)

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[AuditKind] | None = None
    ) -> Iterator[AuditEntry]:
        kinds = OF_SPECS | OF_COMMANDS if kinds is None else kinds
        partitions = (self._partition(pk, since, until) for pk in sorted(set(map(_partition_of, kinds))))
        merged = heapq.merge(*partitions, key=lambda entry: entry.at, reverse=True)
        return (entry for entry in merged if entry.kind in kinds)

    def _partition(self, pk: str, since: datetime, until: datetime) -> Iterator[AuditEntry]:
        items = self.table.query(
            "reading the audit log",
            "pk = :pk AND sk BETWEEN :since AND :until",
            {":pk": {"S": pk}, ":since": {"S": _time(since)}, ":until": {"S": _time(until) + _LAST}},
            ScanIndexForward=False,
        )
        return (audit_from_json(loads(unpacked(item["entry"]))) for item in items)


def _partition_of(kind: AuditKind) -> str:
    return _SPECS if kind in OF_SPECS else _COMMANDS


def _time(at: datetime) -> str:
    """Of one length, so that they sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


_PARTS = {"S": "SWEEP"}
_SENT_KEPT = timedelta(days=1)
_NO_TARGETS: dict[str, Any] = {"fine": [], "due": [], "trusts": {}, "awaited": {}}
# An item holds 400 KB; the packed names of some 10,000 repositories take less than half of that.
_MAX_PACKED = 350_000


class DynamoSweepRecords(Struct, frozen=True):
    """One item per part, replaced by each sweep."""

    table: Table

    def note(self, record: SweepRecord) -> None:
        looked = {"fine": sorted(record.fine), "due": sorted(record.due), "trusts": to_json(record.trusts)}
        targets = packed(dumps({**looked, "awaited": to_json(record.awaited)}))
        item: dict[str, Any] = {
            "pk": _PARTS,
            "sk": {"S": f"PART#{record.part}"},
            "at": {"S": record.at.isoformat()},
            "version": {"S": record.version},
        }
        if len(targets["B"]) <= _MAX_PACKED:
            item["targets"] = targets
        if record.over:
            item["over"] = {"N": str(record.over)}
        if record.left or record.cleared:
            item["unnamed"] = packed(dumps({"left": to_json(record.left), "cleared": sorted(record.cleared)}))
        self.table.put(f"recording the sweep of {record.part}", item)

    def take(self, sweep: str, wanted: int, at_most: int) -> int:
        key = {"pk": {"S": "SENT"}, "sk": {"S": sweep}}
        values = {":wanted": {"N": str(wanted)}, ":expires": expiry(datetime.now(UTC), _SENT_KEPT)}
        expression = "SET expires = :expires ADD sent :wanted"
        answer = self.table.update("counting repairs of a sweep", key, expression, values, ReturnValues="UPDATED_NEW")
        before = int(answer["Attributes"]["sent"]["N"]) - wanted
        return max(0, min(wanted, at_most - before))

    def of(self, part: str) -> SweepRecord | None:
        key = {"pk": _PARTS, "sk": {"S": f"PART#{part}"}}
        item = self.table.get(f"reading the record of the sweep of {part}", key)
        try:
            return None if item is None else _record_from(item)
        except CodecError:
            return None

    def all(self) -> Sequence[SweepRecord]:
        items = self.table.query("reading the records of sweeps", "pk = :parts", {":parts": _PARTS})
        return list(map(_record_of, items))


def _record_of(item: Any) -> SweepRecord:
    targets = loads(unpacked(item["targets"])) if "targets" in item else _NO_TARGETS
    unnamed = loads(unpacked(item["unnamed"])) if "unnamed" in item else {"left": {}, "cleared": []}
    return SweepRecord(
        part=read(item["sk"]["S"], str).removeprefix("PART#"),
        at=read(item["at"]["S"], Moment),
        version=read(item["version"]["S"], str),
        fine=read(targets["fine"], frozenset[str]),
        due=read(targets["due"], frozenset[str]),
        trusts=read(targets["trusts"], dict[str, TrustLook]),
        awaited=read(targets["awaited"], dict[str, Awaited]),
        left=read(unnamed["left"], dict[str, str]),
        cleared=read(unnamed["cleared"], frozenset[str]),
        over=int(item.get("over", {"N": "0"})["N"]),
    )


_record_from = reading("record of a sweep", _record_of)


_SWITCH: dict[str, Any] = {"pk": {"S": "SWITCH"}, "sk": {"S": "ANNOUNCED"}}


class DynamoSwitchRecord(Struct, frozen=True):
    """One item."""

    table: Table

    def last(self) -> SwitchSeen | None:
        item = self.table.get("reading what was announced of the stop switch", _SWITCH)
        return None if item is None else read(loads(item["seen"]["S"]), SwitchSeen)

    def note(self, seen: SwitchSeen) -> None:
        item = {**_SWITCH, "seen": {"S": dumps(to_json(seen))}}
        self.table.put("recording what was announced of the stop switch", item)


_WATCH, _BEATS = {"S": "WATCH"}, {"S": "HEARTBEAT"}


class DynamoWatchRecords(Struct, frozen=True):
    """One item per part, replaced by each sweep, and one per region for its heartbeats."""

    table: Table

    def note(self, record: WatchRecord) -> None:
        item = {"pk": _WATCH, "sk": {"S": f"PART#{record.part}"}, "record": packed(dumps(to_json(record)))}
        self.table.put(f"recording the wiring of {record.part}", item)

    def all(self) -> Mapping[str, WatchRecord]:
        found: dict[str, WatchRecord] = {}
        for item in self._items(_WATCH):
            with suppress(CodecError):
                record = _watched_from(loads(unpacked(item["record"])))
                found[record.part] = record
        return found

    def beat(self, heartbeat: Heartbeat) -> None:
        at = {"S": _time(heartbeat.at)}
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


_watched_from = reader("record of the wiring", WatchRecord)


_ANSWER = "TARGET#"


class DynamoCommandRecords(Struct, frozen=True):
    """Commands and answers, kept as long as the journal."""

    table: Table
    clock: Clock

    def record(self, call: Call) -> None:
        item = {
            **_key(call.id, "CALL"),
            "caller": {"S": call.caller},
            "request": packed(call.text),
            "at": {"S": call.at.isoformat()},
            "expires": expiry(self.clock.now()),
        }
        if not self.table.put(f"recording command {call.id}", item, ConditionExpression="attribute_not_exists(pk)"):
            raise CommandRepeated(f"command {call.id} was given before", remedy="run the command again")

    def text(self, call_id: str) -> str | None:
        item = self.table.get(f"reading command {call_id}", _key(call_id, "CALL"))
        return None if item is None else unpacked(item["request"]).decode()

    def answer(self, call_id: str, answer: Answer) -> None:
        item = {
            **_key(call_id, f"{_ANSWER}{answer.target}"),
            "answer": {"S": dumps(to_json(answer))},
            "expires": expiry(self.clock.now()),
        }
        self.table.put(f"recording an answer to command {call_id}", item)

    def answers(self, call_id: str) -> Sequence[Answer]:
        items = self.table.query(
            f"reading the answers to command {call_id}",
            "pk = :pk AND begins_with(sk, :answer)",
            {":pk": _key(call_id, "")["pk"], ":answer": {"S": _ANSWER}},
        )
        return [answer_from_json(loads(item["answer"]["S"])) for item in items]


def _key(call_id: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": sk}}
