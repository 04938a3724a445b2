"""Commands and answers, in the hub's table."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.core.failures import CommandRepeated
from ecr_warden.state.commands import Call, CommandResult, answer_from_json, answer_to_json

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

    def answer(self, call_id: str, answer: CommandResult) -> None:
        self.table.put(
            f"recording an answer to command {call_id}",
            {
                **_key(call_id, f"{_ANSWER}{answer.target}"),
                "answer": {"S": dumps(answer_to_json(answer))},
                "expires": expiry(self.clock.now()),
            },
        )

    def answers(self, call_id: str) -> Sequence[CommandResult]:
        items = self.table.query(
            f"reading the answers to command {call_id}",
            "pk = :pk AND begins_with(sk, :answer)",
            {":pk": _key(call_id, "")["pk"], ":answer": {"S": _ANSWER}},
        )
        return [answer_from_json(loads(item["answer"]["S"])) for item in items]


def _key(call_id: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": sk}}
