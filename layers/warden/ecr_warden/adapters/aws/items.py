"""Keys and values of the hub's one table that several adapters share.

`TARGET#<key>` / `STATE` and `RUN#<id>`; `DAY#<yyyymmdd>` / `RUN#<id>`, the line of a run under the day that its id
begins with; `CALL#<id>` / `CALL` and `TARGET#<key>`; `SPEC`; `SWEEP` / `PART#<part>`; `AUDIT#SPEC` and
`AUDIT#COMMAND` / `<time>#<kind>#<id>`; `INCIDENT#<key>`.
"""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.model.target import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

JOURNAL_KEPT = timedelta(days=365)
RUN = "RUN#"

_DAY = re.compile(r"[0-9]{8}(?=T)")


def state_key(target: Target) -> dict[str, Any]:
    return {"pk": {"S": f"TARGET#{target.key}"}, "sk": {"S": "STATE"}}


def run_key(target: Target, run_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"TARGET#{target.key}"}, "sk": {"S": f"{RUN}{run_id}"}}


def day_key(run_id: str) -> dict[str, Any]:
    """Where a run is found by its id alone: no index, and a day's runs in their order."""
    day = _DAY.match(run_id)
    return {"pk": {"S": f"DAY#{day.group() if day else 'none'}"}, "sk": {"S": f"{RUN}{run_id}"}}


def day_of(at: datetime) -> str:
    return f"DAY#{at.astimezone(UTC):%Y%m%d}"


def second_of(at: datetime) -> str:
    """What the ids of runs begin with that began in this second."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def expiry(now: datetime) -> dict[str, str]:
    return {"N": str(int((now + JOURNAL_KEPT).timestamp()))}


def packed(text: str) -> dict[str, bytes]:
    # An item holds 400 KB; ten documents and their pre-images fit many times over when packed.
    return {"B": gzip.compress(text.encode(), mtime=0)}


def unpacked(value: Any) -> bytes:
    return gzip.decompress(value["B"])


def query(client: "DynamoDBClient", what: str, **asked: Any) -> Iterator[Any]:
    """All items of a consistent query, each page read when it is asked for; raises PortError, `what` was tried."""
    start: dict[str, Any] = {}
    while True:
        with translated(HUB, what):
            page = client.query(ConsistentRead=True, **asked, **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
