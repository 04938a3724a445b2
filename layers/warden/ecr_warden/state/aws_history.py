"""The history log, in the hub's table.

`HISTORY#SPEC`, `HISTORY#COMMAND` and `HISTORY#ALERT` are three partitions because three functions write, each its own
(template.yaml).
"""

import heapq
from collections.abc import Collection, Iterator
from datetime import datetime

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, sortable_time, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.state.history import (
    OF_ALERTS,
    OF_COMMANDS,
    OF_SPECS,
    HistoryEntry,
    HistoryKind,
    history_from_json,
    history_to_json,
)

_SPECS, _COMMANDS, _ALERTS = "HISTORY#SPEC", "HISTORY#COMMAND", "HISTORY#ALERT"
# Sorts after any key with the same time.
_LAST = "~"


class DynamoHistory(Struct, frozen=True):
    """An item per entry, in order of time; recording the same entry again replaces it."""

    table: Table
    clock: Clock

    def record(self, entry: HistoryEntry) -> None:
        item = {
            "pk": {"S": _partition_of(entry.kind)},
            "sk": {"S": f"{sortable_time(entry.at)}#{entry.kind}#{entry.id}"},
            "entry": packed(dumps(history_to_json(entry))),
            "expires": expiry(self.clock.now()),
        }
        self.table.put("recording in the history log", item)

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[HistoryKind] | None = None
    ) -> Iterator[HistoryEntry]:
        kinds = OF_SPECS | OF_COMMANDS | OF_ALERTS if kinds is None else kinds
        partitions = (self._partition(pk, since, until) for pk in sorted(set(map(_partition_of, kinds))))
        merged = heapq.merge(*partitions, key=lambda entry: entry.at, reverse=True)
        return (entry for entry in merged if entry.kind in kinds)

    def _partition(self, pk: str, since: datetime, until: datetime) -> Iterator[HistoryEntry]:
        items = self.table.query(
            "reading the history log",
            "pk = :pk AND sk BETWEEN :since AND :until",
            {":pk": {"S": pk}, ":since": {"S": sortable_time(since)}, ":until": {"S": sortable_time(until) + _LAST}},
            ScanIndexForward=False,
        )
        return (history_from_json(loads(unpacked(item["entry"]))) for item in items)


def _partition_of(kind: HistoryKind) -> str:
    return _SPECS if kind in OF_SPECS else _ALERTS if kind in OF_ALERTS else _COMMANDS
