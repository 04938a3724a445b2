"""The Journal port on the hub's table: by target, by day, and by a run's id, which begins with its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.adapters.aws.items import RUN, day_key, day_of, run_key, unpacked
from ecr_warden.model.codec.base import loads
from ecr_warden.model.codec.entries import entry_from_json, entry_of
from ecr_warden.model.codec.runs import open_run_from_json, run_report_from_json
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.run import OpenRun, RunEntry
from ecr_warden.model.target import Target, parse_target
from ecr_warden.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoJournal:
    """Reads alone; DynamoState writes."""

    client: "DynamoDBClient"
    table: str
    clock: Clock

    def of_target(self, target: Target, *, limit: int) -> Sequence[RunEntry]:
        items = self._newest(run_key(target, "")["pk"]["S"], limit)
        return [entry_of(_run(item)) for item in items]

    def latest(self, *, days: int, limit: int) -> Sequence[RunEntry]:
        found: list[RunEntry] = []
        today = self.clock.now()
        for back in range(days + 1):
            if len(found) < limit:
                items = self._newest(day_of(today - timedelta(days=back)), limit - len(found))
                found += [entry_from_json(loads(item["entry"]["S"])) for item in items]
        return found

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        line = self._get(day_key(run_id))
        if line is None:
            return None
        target = parse_target(entry_from_json(loads(line["entry"]["S"])).target)
        item = self._get(run_key(target, run_id))
        return None if item is None else _run(item)

    def _newest(self, pk: str, limit: int) -> list[Any]:
        items: list[Any] = []
        start: dict[str, Any] = {}
        while len(items) < limit:
            with translated(HUB, "reading the journal"):
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :run)",
                    ExpressionAttributeValues={":pk": {"S": pk}, ":run": {"S": RUN}},
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    Limit=limit - len(items),
                    **start,
                )
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return items

    def _get(self, key: dict[str, Any]) -> Any:
        with translated(HUB, "reading the journal"):
            return self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")


def _run(item: Any) -> OpenRun | RunReport:
    if "report" in item:
        return run_report_from_json(loads(unpacked(item["report"])))
    return open_run_from_json(loads(unpacked(item["opened"])))
