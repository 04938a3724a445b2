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
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk"):
        for key in page["Items"]:
            is_open = key["pk"]["S"].startswith("INCIDENT#") and key["sk"]["S"] == "OPEN"
            # What waits for a channel whose turns were taken stands in `status` until a digest leaves.
            if is_open or key["pk"]["S"].startswith(("INCIDENT#turns/", "INCIDENT#undelivered/")):
                dynamodb.delete_item(TableName=table, Key=key)
