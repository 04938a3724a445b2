"""Stolen credentials: what whoever holds those of a hub function may do, each refusal beside somebody who may.

Every attempt fails for what it asks, only reads, or only says something, so that nothing changes where it is let
through. What depends on a row's key is for tests/template: the emulator knows no dynamodb:LeadingKeys.
"""

from collections.abc import Callable, Mapping

import pytest
from botocore.exceptions import ClientError

from ecr_warden.core.job import Queue
from local.demo.people import Keys, Somebody
from local.demo.places import CI, PULL_USER, REGISTRY, REPOSITORY
from tests.e2e.house import House
from tests.e2e.roles import DENIED, HUB, credentials_of

ROOT = "the account's administrator"
_WRONG = {"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
_SPEC_ROW = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}

type Attempt = Callable[[Somebody, Mapping[str, str]], object]


def _enter(role: str) -> Attempt:
    named = {"SourceIdentity": "ecrw-1"} if role == "write" else {}
    arn = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/ecr-warden-{role}"
    return lambda thief, _: thief.client("sts").assume_role(
        RoleArn=arn, RoleSessionName="ecrw-1", ExternalId="demo-external-id", **named
    )


def _get(bucket: str, key: str) -> Attempt:
    return lambda thief, hub: thief.client("s3").get_object(Bucket=hub[bucket], Key=key)


def _put(bucket: str, key: str) -> Attempt:
    return lambda thief, hub: thief.client("s3").put_object(Bucket=hub[bucket], Key=key, Body=b"x", **_WRONG)


def _queue(hub: Mapping[str, str], name: str) -> str:
    return hub["JobsQueueUrl"].replace(Queue.REPAIR.sqs_name, name)


def _send(queue: Queue) -> Attempt:
    def send(thief: Somebody, hub: Mapping[str, str]) -> object:
        return thief.client("sqs").send_message(QueueUrl=_queue(hub, queue.sqs_name), MessageBody="x")

    return send


def _outcome(thief: Somebody, _: Mapping[str, str]) -> object:
    entry = {"EventBusName": "ecr-warden-outcomes", "Source": "ecr-warden", "DetailType": "x", "Detail": "{"}
    return thief.client("events").put_events(Entries=[entry])


ATTEMPTS: Mapping[str, Attempt] = {
    "enter a member to read": _enter("read"),
    "enter a member to write": _enter("write"),
    "read the spec": _get("SpecBucket", "access.yaml"),
    "replace the spec": _put("SpecBucket", "access.yaml"),
    "delete the spec": lambda thief, hub: thief.client("s3").delete_object(
        Bucket=hub["SpecBucket"], Key="access.yaml", VersionId="none"
    ),
    "read a compiled spec": _get("StateBucket", "compiled/none.json"),
    "replace a compiled spec": _put("StateBucket", "compiled/none.json"),
    "read the stored estate": _get("StateBucket", "estate/none.json.gz"),
    "replace the stored estate": _put("StateBucket", "estate/none.json.gz"),
    "replace the last audit": _put("StateBucket", "audit/none.json.gz"),
    "read which spec is accepted": lambda thief, hub: thief.client("dynamodb").get_item(
        TableName=hub["Table"], Key=_SPEC_ROW
    ),
    "empty the table": lambda thief, hub: thief.client("dynamodb").scan(TableName=hub["Table"], Limit=1),
    "drop the table": lambda thief, hub: thief.client("dynamodb").delete_table(TableName=f"{hub['Table']}-none"),
    "send a job": _send(Queue.REPAIR),
    "have a spec looked at": _send(Queue.ACCEPT),
    "have an account read": _send(Queue.COLLECT),
    "have access audited": _send(Queue.AUDIT),
    "take a job": lambda thief, hub: thief.client("sqs").receive_message(
        QueueUrl=hub["JobsQueueUrl"], VisibilityTimeout=0
    ),
    "drop all jobs": lambda thief, hub: thief.client("sqs").purge_queue(
        QueueUrl=_queue(hub, "ecr-warden-incidents-dlq")
    ),
    "say what ecr-warden did": _outcome,
    "send an e-mail": lambda thief, hub: thief.client("sns").publish(TopicArn=hub["AlertTopicArn"], Message="x"),
    "read the webhook": lambda thief, _: thief.client("ssm").get_parameter(Name="/ecr-warden/webhook"),
    "read the stop switch": lambda thief, hub: thief.client("ssm").get_parameter(Name=hub["WritesParameter"]),
    "turn the stop switch": lambda thief, hub: thief.client("ssm").put_parameter(
        Name=hub["WritesParameter"], Value="stopped", Type="String"
    ),
    "ask the hub": lambda thief, _: thief.client("lambda").invoke(FunctionName="ecr-warden-answer", Payload="{}"),
    "command the hub": lambda thief, _: thief.client("lambda").invoke(FunctionName="ecr-warden-control", Payload="{}"),
    "send an event of CloudTrail to dispatch": lambda thief, _: thief.client("lambda").invoke(
        FunctionName="ecr-warden-dispatch", Payload="{}"
    ),
    "disable a rule": lambda thief, _: thief.client("events").disable_rule(Name="ecr-warden-none"),
    "widen its own role": lambda thief, _: thief.client("iam").put_role_policy(
        RoleName="ecr-warden-none", PolicyName="more", PolicyDocument="{}"
    ),
    "write a user of the hub's account": lambda thief, _: thief.client("iam").put_user_policy(
        UserName=PULL_USER, PolicyName="more", PolicyDocument="{"
    ),
    "read a repository policy from the hub": lambda thief, _: thief.client("ecr").get_repository_policy(
        registryId=REGISTRY, repositoryName=REPOSITORY
    ),
}
MAY: Mapping[str, set[str]] = {
    "dispatch": {
        *("send a job", "have a spec looked at", "have an account read", "have access audited"),
        "read which spec is accepted",
    },
    "reconcile": {
        *("enter a member to read", "enter a member to write", "read a compiled spec", "read which spec is accepted"),
        *("send a job", "have a spec looked at", "have an account read"),
        *("take a job", "say what ecr-warden did", "read the stop switch"),
    },
    "accept": {
        *("read the spec", "read a compiled spec", "replace a compiled spec"),
        *("read which spec is accepted", "say what ecr-warden did"),
        *("send a job", "have an account read", "have access audited"),
    },
    "collect": {
        *("enter a member to read", "read a compiled spec", "read which spec is accepted"),
        *("read the stored estate", "replace the stored estate", "say what ecr-warden did"),
        *("send a job", "have an account read", "have access audited"),
    },
    "audit": {
        *("read a compiled spec", "read which spec is accepted", "read the stored estate", "replace the last audit"),
        *("have a spec looked at", "say what ecr-warden did"),
    },
    # Incident events alone, which the embedded AWS does not tell from others (local/README.md).
    "alert": {"send an e-mail", "read the webhook", "read which spec is accepted", "say what ecr-warden did"},
    "images": {"read a compiled spec", "read which spec is accepted", "say what ecr-warden did"},
    "answer": {
        *("enter a member to read", "read the spec", "read a compiled spec", "read the stored estate"),
        *("read which spec is accepted", "read the stop switch"),
    },
    "control": {
        *("read a compiled spec", "read which spec is accepted"),
        *("send a job", "have a spec looked at", "say what ecr-warden did"),
    },
}
# No function needs these; an administrator of the hub's account may do them.
NOBODY = ATTEMPTS.keys() - set[str]().union(*MAY.values())


def allowed(attempt: Attempt, thief: Somebody, hub: Mapping[str, str]) -> bool:
    """Whether authorization lets it through."""
    try:
        attempt(thief, hub)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


def done(house: House, thief: Somebody) -> set[str]:
    """The attempts that authorization lets through."""
    return {name for name, attempt in ATTEMPTS.items() if allowed(attempt, thief, house.stage.hub)}


@pytest.mark.parametrize("function", HUB)
def test_whoever_stole_the_credentials_of_a_function_may_do_what_the_function_does_and_nothing_else(
    deployed: House, function: str
) -> None:
    assert done(deployed, credentials_of(deployed, f"ecr-warden-{function}")) == MAY[function]


def test_what_no_function_may_do_an_administrator_of_the_hub_may(deployed: House) -> None:
    administrator = Somebody("root", ROOT, CI, "*", Keys(CI, "test"), deployed.stage.aws)
    assert NOBODY - done(deployed, administrator) == {"read a repository policy from the hub"}
