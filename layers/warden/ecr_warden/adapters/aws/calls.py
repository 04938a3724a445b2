"""The CommandRecords port on the hub's table: `CALL#<id>` / `CALL` and `TARGET#<key>`, a command and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ecr_warden.adapters.aws.errors import HUB, code_of, translated
from ecr_warden.adapters.aws.items import expiry, packed, query
from ecr_warden.model.codec.base import dumps, loads
from ecr_warden.model.codec.entries import answer_from_json, answer_to_json
from ecr_warden.model.request import Answer, Call
from ecr_warden.ports.errors import CommandRepeated
from ecr_warden.ports.hub import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ANSWER = "TARGET#"


@dataclass(frozen=True, slots=True)
class DynamoCommandRecords:
    """Kept as long as the journal."""

    client: "DynamoDBClient"
    table: str
    clock: Clock

    def take(self, call: Call) -> None:
        item = {
            **_key(call.id, "CALL"),
            "caller": {"S": call.caller},
            "request": packed(call.text),
            "at": {"S": call.at.isoformat()},
            "expires": expiry(self.clock.now()),
        }
        with translated(HUB, f"recording command {call.id}"):
            try:
                self.client.put_item(TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(pk)")
            except ClientError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    message = f"command {call.id} was taken before"
                    raise CommandRepeated(message, remedy="give the command again") from error
                raise

    def answer(self, call_id: str, answer: Answer) -> None:
        item = {
            **_key(call_id, f"{_ANSWER}{answer.target}"),
            "answer": {"S": dumps(answer_to_json(answer))},
            "expires": expiry(self.clock.now()),
        }
        with translated(HUB, f"recording an answer to command {call_id}"):
            self.client.put_item(TableName=self.table, Item=item)

    def answers(self, call_id: str) -> Sequence[Answer]:
        items = query(
            self.client,
            f"reading what came of command {call_id}",
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :answer)",
            ExpressionAttributeValues={":pk": _key(call_id, "")["pk"], ":answer": {"S": _ANSWER}},
        )
        return [answer_from_json(loads(item["answer"]["S"])) for item in items]


def _key(call_id: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": sk}}
