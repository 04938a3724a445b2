"""The least that an urgent alert costs: powertools' Logger, the same clients, the same calls and post, no decision."""

import os
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger

logger = Logger()
session = boto3.Session()
TABLE = os.environ["WARDEN_TABLE"]
TITLE = "rule ecr-warden-forward-iam was deleted"


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """Make the calls of one alert: collect, say on each channel, keep."""
    dynamodb, sqs = session.client("dynamodb"), session.client("sqs")
    text = f"CRITICAL open: {TITLE}\nby {event['by']}"
    collected: Any = {"pk": {"S": "INCIDENT#bare"}, "sk": {"S": "ALERT"}}
    dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": collected | {"alert": {"S": text}}}}]})
    query(dynamodb, "open")
    sqs.send_message(QueueUrl=os.environ["WARDEN_INCIDENTS_QUEUE_URL"], MessageBody="{}", DelaySeconds=60)
    put(dynamodb, "open")
    for what in ("incident", "open", "collected", "acknowledged"):
        query(dynamodb, what)
    dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}, ConsistentRead=True)
    for say in (chat, bus, e_mail):
        query(dynamodb, "turns")
        put(dynamodb, "turn")
        say(text)
    put(dynamodb, "incident")
    dynamodb.batch_write_item(RequestItems={TABLE: [{"DeleteRequest": {"Key": collected}}]})
    query(dynamodb, "open")
    put(dynamodb, "history")


def chat(text: str) -> None:
    """Post it to the webhook, whose URL is a parameter."""
    name = os.environ["WARDEN_WEBHOOK"].removeprefix("ssm:")
    url = session.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": text}}]
    answer = urllib3.PoolManager(retries=False).request("POST", url, json={"text": text, "blocks": blocks})
    assert answer.status == 200, answer.status


def bus(text: str) -> None:
    """Publish it as an incident event."""
    entry: Any = {"Source": "ecr-warden", "DetailType": "ecr-warden incident", "Detail": '{"bare": true}'}
    events = session.client("events")
    answer = events.put_events(Entries=[entry | {"EventBusName": os.environ["WARDEN_OUTCOMES_BUS"]}])
    assert not answer["FailedEntryCount"], text


def e_mail(text: str) -> None:
    """Publish it to the topic."""
    session.client("sns").publish(TopicArn=os.environ["WARDEN_ALERT_TOPIC"], Subject=TITLE, Message=text)
    logger.info("message sent", extra={"first_line": TITLE})


def query(dynamodb: Any, what: str) -> None:
    """One read of the table, of what alert reads there."""
    values = {":pk": {"S": "INCIDENT#bare"}, ":sk": {"S": what}}
    dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues=values,
        ConsistentRead=True,
    )


def put(dynamodb: Any, what: str) -> None:
    """One write to the table."""
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "INCIDENT#bare"}, "sk": {"S": what}})
