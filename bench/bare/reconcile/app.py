"""The least that a function of this kind costs: powertools' Logger, the same clients, the same calls, no decision."""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger

logger = Logger()
session = boto3.Session()
TABLE, REGION = os.environ["WARDEN_TABLE"], os.environ["AWS_REGION"]
ACCOUNT, NAME = "222222222222", "shop/checkout"


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """Make the calls of one event of reconcile: with `repair` those of a write too."""
    dynamodb, s3, sts = session.client("dynamodb"), session.client("s3"), session.client("sts")
    accepted = dynamodb.get_item(TableName=TABLE, Key=key("SPEC", "ACCEPTED"), ConsistentRead=True)["Item"]
    manifest = json.loads(compiled(s3, accepted["compiled"]["S"]))
    for kind in ("targets", "takenOver"):
        compiled(s3, manifest["leaves"][kind][f"{ACCOUNT}/{REGION}"][0])
    mark(dynamodb, "begun")
    reader = ecr(sts, "ecr-warden-read", {})
    try:
        text = reader.get_repository_policy(registryId=ACCOUNT, repositoryName=NAME)["policyText"]
    except reader.exceptions.RepositoryPolicyNotFoundException:
        text = ""
    if event.get("repair"):
        repair(dynamodb, sts, reader, event["repair"])
        if replaced := accepted.get("replaced"):
            compiled(s3, replaced["S"])
    mark(dynamodb, "ended")
    mark(dynamodb, "finished")
    logger.info("done", extra={"length": len(text)})


def repair(dynamodb: Any, sts: Any, reader: Any, text: str) -> None:
    """Write a text as reconcile does: switch, journal, write session, read again, write, read, announce, journal."""
    ssm, events = session.client("ssm"), session.client("events")
    read(dynamodb, "pauses")
    ssm.get_parameter(Name=os.environ["WARDEN_WRITES_PARAMETER"])
    read(dynamodb, "accepted before the write")
    mark(dynamodb, "open")
    writer = ecr(sts, "ecr-warden-write", {"SourceIdentity": "ecrw-bare"})
    ssm.get_parameter(Name=os.environ["WARDEN_WRITES_PARAMETER"])
    read(dynamodb, "target")
    try:
        writer.get_repository_policy(registryId=ACCOUNT, repositoryName=NAME)
    except writer.exceptions.RepositoryPolicyNotFoundException:
        logger.debug("absent")
    writer.set_repository_policy(registryId=ACCOUNT, repositoryName=NAME, policyText=text)
    reader.get_repository_policy(registryId=ACCOUNT, repositoryName=NAME)
    read(dynamodb, "last sweep")
    read(dynamodb, "replaced version")
    entry: Any = {"Source": "bench", "DetailType": "Run", "Detail": "{}"}
    events.put_events(Entries=[entry | {"EventBusName": os.environ["WARDEN_OUTCOMES_BUS"]}])
    mark(dynamodb, "closed")


def ecr(sts: Any, role: str, more: dict[str, str]) -> Any:
    """A client of the member account."""
    given = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/ecr-warden/{role}",
        RoleSessionName="ecrw-bare",
        ExternalId=os.environ["WARDEN_EXTERNAL_ID"],
        **more,
    )["Credentials"]
    return session.client(
        "ecr",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def compiled(s3: Any, digest: str) -> bytes:
    """A part of the compiled spec."""
    body: bytes = s3.get_object(Bucket=os.environ["WARDEN_STATE_BUCKET"], Key=f"compiled/{digest}")["Body"].read()
    return body


def read(dynamodb: Any, what: str) -> None:
    """One read of the table, of what reconcile reads there."""
    dynamodb.get_item(TableName=TABLE, Key=key("BARE", what), ConsistentRead=True)


def mark(dynamodb: Any, what: str) -> None:
    """One write to the table."""
    dynamodb.update_item(
        TableName=TABLE,
        Key=key("BARE", "STATE"),
        UpdateExpression="SET what = :what",
        ExpressionAttributeValues={":what": {"S": what}},
        ReturnValues="ALL_NEW",
    )


def key(pk: str, sk: str) -> dict[str, Any]:
    """A key of the table."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}
