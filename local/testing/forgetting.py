"""What a test has the hub forget: many tampers in the same way would be a fight, and many messages a digest."""

from collections.abc import Callable
from typing import Any

_WAITING = "INCIDENT#undelivered/"


def forget_repairs(dynamodb: Any, table: str) -> None:
    """As if all repairs were long ago. `dynamodb`: a client of boto3."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk, repairs"):
        for item in page["Items"]:
            if "repairs" in item:
                key = {"pk": item["pk"], "sk": item["sk"]}
                dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE repairs")


def forget_messages(dynamodb: Any, table: str) -> None:
    """As if all messages were long ago: no digest stands for the next ones, and no incident goes on."""
    _forget(
        dynamodb,
        table,
        lambda pk, sk: (
            pk.startswith(("INCIDENT#turns/", "INCIDENT#standing", "INCIDENT#facts", "INCIDENT#ends"))
            or (pk.startswith("INCIDENT#") and sk == "OPEN")
        ),
    )


def forget_waiting(dynamodb: Any, table: str) -> None:
    """As if no channel had refused a message: call it last, as a message that leaves meanwhile waits no more."""
    _forget(dynamodb, table, lambda pk, _: pk.startswith(_WAITING))


def is_waiting(dynamodb: Any, table: str) -> bool:
    """Whether an alert waits for a channel."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk")
    found = (key for page in pages for key in page["Items"])
    return any(key["pk"]["S"].startswith(_WAITING) and key["sk"]["S"].startswith("ALERT#") for key in found)


def _forget(dynamodb: Any, table: str, is_gone: Callable[[str, str], bool]) -> None:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk"):
        for key in page["Items"]:
            if is_gone(key["pk"]["S"], key["sk"]["S"]):
                dynamodb.delete_item(TableName=table, Key=key)
