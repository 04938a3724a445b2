"""What a test has the hub forget: many tampers in the same way would be a fight, and repairs of it are spaced out."""

from typing import Any


def forget_repairs(dynamodb: Any, table: str) -> None:
    """As if all repairs were long ago. `dynamodb`: a client of boto3."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk, repairs"):
        for item in page["Items"]:
            if "repairs" in item:
                key = {"pk": item["pk"], "sk": item["sk"]}
                dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE repairs")
