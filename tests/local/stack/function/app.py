"""Puts what it was called with into the table, by its own role."""

import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """From the default bus to the FIFO queue, from the queue to the table; fails each item once on request."""
    del context
    if "Records" not in event:
        body = {"MessageBody": json.dumps(event), "MessageGroupId": "one", "MessageDeduplicationId": event["id"]}
        boto3.client("sqs").send_message(QueueUrl=os.environ["JOBS"], **body)
        return {}
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    switch = boto3.client("ssm").get_parameter(Name="/stack/writes")["Parameter"]["Value"]
    failed = []
    for record in event["Records"]:
        if record["attributes"]["ApproximateReceiveCount"] == "1":
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        item = {"pk": json.loads(record["body"])["detail-type"], "sk": "1", "switch": switch}
        table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
        boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message="done")
    return {"batchItemFailures": failed}
