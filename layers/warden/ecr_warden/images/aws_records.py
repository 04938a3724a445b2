"""The ImageRecords port on the hub's table: an item for each day of a repository, `IMAGES#<key>` / `<day>`."""

from collections.abc import Mapping

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.push import KEPT, Day, day_from_json, day_to_json


class DynamoImageRecords(Struct, frozen=True):
    """A write replaces its day, unless somebody else has replaced it meanwhile."""

    table: Table
    clock: Clock

    def days(self, repository: RepositoryTarget, since: str) -> Mapping[str, Day]:
        values = {":pk": {"S": f"IMAGES#{repository.key}"}, ":since": {"S": since}}
        items = self.table.query("reading what was pushed", "pk = :pk AND sk >= :since", values)
        return {item["sk"]["S"]: day_from_json(loads(unpacked(item["pushes"]))) for item in items}

    def keep(self, repository: RepositoryTarget, day: str, pushes: Day) -> bool:
        return self.table.put(
            "keeping what was pushed",
            {
                "pk": {"S": f"IMAGES#{repository.key}"},
                "sk": {"S": day},
                "pushes": packed(dumps(day_to_json(pushes))),
                "revision": {"N": str(pushes.revision)},
                "expires": expiry(self.clock.now(), KEPT),
            },
            ConditionExpression="attribute_not_exists(pk) OR revision = :before",
            ExpressionAttributeValues={":before": {"N": str(pushes.revision - 1)}},
        )
