"""The SweepRecords port on the hub's table: `SWEEP` / `PART#<part>`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.adapters.aws.items import packed, query, unpacked
from ecr_warden.model.codec.base import dumps, loads, moment, text, texts
from ecr_warden.model.look import Look

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PARTS = {"S": "SWEEP"}
# An item holds 400 KB; packed names of some 10,000 repositories stay below half of that.
_PACKED_AT_MOST = 350_000


@dataclass(frozen=True, slots=True)
class DynamoSweepRecords:
    """One item a part, replaced by each look."""

    client: "DynamoDBClient"
    table: str

    def note(self, look: Look) -> None:
        targets = packed(dumps({"fine": sorted(look.fine), "due": sorted(look.due)}))
        item: dict[str, Any] = {
            "pk": _PARTS,
            "sk": {"S": f"PART#{look.part}"},
            "at": {"S": look.at.isoformat()},
            "version": {"S": look.version},
        }
        if len(targets["B"]) <= _PACKED_AT_MOST:
            item["targets"] = targets
        with translated(HUB, f"remembering the look at {look.part}"):
            self.client.put_item(TableName=self.table, Item=item)

    def all(self) -> Sequence[Look]:
        items = query(
            self.client,
            "reading when the sweeps looked",
            TableName=self.table,
            KeyConditionExpression="pk = :parts",
            ExpressionAttributeValues={":parts": _PARTS},
        )
        return list(map(_look, items))


def _look(item: Any) -> Look:
    targets = loads(unpacked(item["targets"])) if "targets" in item else {"fine": [], "due": []}
    return Look(
        part=text(item["sk"]["S"]).removeprefix("PART#"),
        at=moment(item["at"]["S"]),
        version=text(item["version"]["S"]),
        fine=frozenset(texts(targets["fine"])),
        due=frozenset(texts(targets["due"])),
    )
