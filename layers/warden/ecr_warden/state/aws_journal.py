"""The Journal port on the hub's table: by target, by day, and by run ID, which begins with the day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.table import Table, unpacked
from ecr_warden.core.codec.base import loads
from ecr_warden.core.codec.runs import open_run_from_json, run_report_from_json
from ecr_warden.core.run import OpenRun, RunEntry, RunReport, entry_from_json
from ecr_warden.core.target import Target, parse_target
from ecr_warden.state.aws_items import RUN, day_key, day_of, run_key, second_of
from ecr_warden.state.journal import MOST_ALIKE, Page

_READING = "reading the journal"
# Sorts after any ID of the same second.
_LAST = "~"


class DynamoJournal(Struct, frozen=True):
    """Reads only; DynamoState writes."""

    table: Table

    def of_target(self, target: Target, since: datetime, until: datetime, *, limit: int) -> Page:
        items, more = self._newest(run_key(target, "")["pk"]["S"], since, until, limit)
        return Page([RunEntry.of(_run(item)) for item in items], more)

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        found: list[RunEntry] = []
        more = 0
        day = until
        while day_of(day) >= day_of(since):
            items, left = self._newest(day_of(day), since, until, limit - len(found))
            found += [entry_from_json(loads(item["entry"]["S"])) for item in items]
            more += left
            day -= timedelta(days=1)
        return Page(found, more)

    def beginning_with(self, text: str) -> Sequence[str]:
        with translated(HUB, _READING):
            answer = self.table.client.query(
                TableName=self.table.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :run)",
                ExpressionAttributeValues={":pk": day_key(text)["pk"], ":run": {"S": f"{RUN}{text}"}},
                Limit=MOST_ALIKE,
                ConsistentRead=True,
            )
        return [item["sk"]["S"].removeprefix(RUN) for item in answer["Items"]]

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        line = self.table.get(_READING, day_key(run_id))
        if line is None:
            return None
        target = parse_target(entry_from_json(loads(line["entry"]["S"])).target)
        item = self.table.get(_READING, run_key(target, run_id))
        return None if item is None else _run(item)

    def _newest(self, pk: str, since: datetime, until: datetime, limit: int) -> tuple[list[Any], int]:
        """At most `limit` items, newest first, and how many more there are."""
        items: list[Any] = []
        more = 0
        start: dict[str, Any] = {}
        while True:
            taking = limit - len(items)
            # A run's ID begins with the second in which it began.
            how: dict[str, Any] = {"Limit": taking} if taking else {"Select": "COUNT"}
            with translated(HUB, _READING):
                answer = self.table.client.query(
                    TableName=self.table.name,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
                    ExpressionAttributeValues={
                        ":pk": {"S": pk},
                        ":since": {"S": f"{RUN}{second_of(since)}"},
                        ":until": {"S": f"{RUN}{second_of(until)}{_LAST}"},
                    },
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    **how,
                    **start,
                )
            if taking:
                items += answer["Items"]
            else:
                more += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return items, more
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _run(item: Any) -> OpenRun | RunReport:
    if "report" in item:
        return run_report_from_json(loads(unpacked(item["report"])))
    return open_run_from_json(loads(unpacked(item["opened"])))
