"""What a test has the hub forget: many tampers in the same way would be a fight, and many messages a digest."""

from typing import Any


def forget_repairs(dynamodb: Any, table: str) -> None:
    """As if all repairs were long ago. `dynamodb`: a client of boto3."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk, repairs"):
        for item in page["Items"]:
            if "repairs" in item:
                key = {"pk": item["pk"], "sk": item["sk"]}
                dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE repairs")


def forget_messages(dynamodb: Any, table: str) -> None:
    """As if all messages were long ago: whoever reads waits for none, and no digest stands for the next ones."""
    # What waits for a channel last: a message that leaves meanwhile has its turn again, and waits no more.
    for is_gone in (_is_open_or_a_turn, _waits):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk"):
            for key in filter(is_gone, page["Items"]):
                dynamodb.delete_item(TableName=table, Key=key)


def _is_open_or_a_turn(key: Any) -> bool:
    pk = str(key["pk"]["S"])
    return pk.startswith("INCIDENT#turns/") or (pk.startswith("INCIDENT#") and str(key["sk"]["S"]) == "OPEN")


def _waits(key: Any) -> bool:
    return str(key["pk"]["S"]).startswith("INCIDENT#undelivered/")
