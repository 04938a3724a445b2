"""Our own roles as they are deployed: a statement taken away for a while, and what was refused for the lack of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecr_warden.core.job import Queue
from local.aws.calls import Call
from local.demo.people import Keys, Somebody
from local.demo.places import CI, PUSH_USER, REGION, REGISTRY, ROLE
from local.testing.waiting import until
from tests.e2e.house import House, Moment

HUB = ("dispatch", "reconcile", "accept", "collect", "audit", "alert", "answer", "control")
_QUEUES = (
    *(name for queue in Queue for name in (queue.sqs_name, queue.exhausted)),
    *("ecr-warden-incidents", "ecr-warden-dlq"),
)
# IAM takes no trust policy without a statement.
_NOBODY = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
# Calls that IAM knows by another name, and those that ask for more than themselves.
_ASKS = {
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"},
    "iam:CreateRole": {"iam:CreateRole", "iam:TagRole"},
    "sts:AssumeRole": {"sts:AssumeRole", "sts:SetSourceIdentity"},
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a role's inline policy, of its trust policy (`trust`), or the only one of a `managed` policy.

    A role of a member stands in each.
    """

    role: str
    sid: str
    trust: bool = False
    managed: str = ""

    def __str__(self) -> str:
        return f"{self.role} {'trusts ' if self.trust else ''}{self.sid}"

    @property
    def accounts(self) -> tuple[str, ...]:
        """Where the role stands."""
        return (CI,) if self.role in HUB else (CI, REGISTRY)

    @property
    def role_name(self) -> str:
        """The role's name in IAM."""
        return f"ecr-warden-{self.role}"


def _document(iam: Any, statement: Statement) -> dict[str, Any]:
    if statement.trust:
        found = iam.get_role(RoleName=statement.role_name)["Role"]["AssumeRolePolicyDocument"]
    elif statement.managed:
        found = _managed(iam, statement)
    else:
        found = iam.get_role_policy(RoleName=statement.role_name, PolicyName=statement.role)["PolicyDocument"]
    assert isinstance(found, dict)
    return found


def _managed(iam: Any, statement: Statement) -> dict[str, Any]:
    """What stands in the managed policy while the role takes it."""
    attached = iam.list_attached_role_policies(RoleName=statement.role_name)["AttachedPolicies"]
    if statement.managed not in {one["PolicyName"] for one in attached}:
        return {"Statement": []}
    arn = _arn(iam, statement)
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document


def _arn(iam: Any, statement: Statement) -> str:
    ours = iam.list_policies(Scope="Local", PathPrefix="/ecr-warden/")["Policies"]
    [arn] = [one["Arn"] for one in ours if one["PolicyName"] == statement.managed]
    return str(arn)


def _put(iam: Any, statement: Statement, document: dict[str, Any]) -> None:
    name = statement.role_name
    if statement.trust:
        trusted = {**document, "Statement": document["Statement"] or [_NOBODY]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trusted))
    elif statement.managed and document["Statement"]:
        iam.attach_role_policy(RoleName=name, PolicyArn=_arn(iam, statement))
    elif statement.managed:
        iam.detach_role_policy(RoleName=name, PolicyArn=_arn(iam, statement))
    elif document["Statement"]:
        iam.put_role_policy(RoleName=name, PolicyName=statement.role, PolicyDocument=json.dumps(document))
    else:
        iam.delete_role_policy(RoleName=name, PolicyName=statement.role)


def actions_of(house: House, statement: Statement) -> set[str]:
    """What the statement allows, as it is deployed."""
    iam = house.stage.aws.client(statement.accounts[0], "iam")
    [found] = [one for one in _document(iam, statement)["Statement"] if one.get("Sid") == statement.sid]
    actions = found["Action"]
    return {*actions} if isinstance(actions, list) else {actions}


@contextmanager
def without(house: House, statement: Statement) -> Iterator[None]:
    """The role without the statement; CloudTrail does not report this change, which is only the test's preparation."""
    before: list[tuple[Any, dict[str, Any]]] = []
    try:
        with unseen(house):
            for account in statement.accounts:
                iam = house.stage.aws.client(account, "iam")
                whole = _document(iam, statement)
                rest = [one for one in whole["Statement"] if one.get("Sid") != statement.sid]
                if rest != whole["Statement"]:  # some stand where the stack's parameters ask for them
                    before.append((iam, whole))
                    _put(iam, statement, {**whole, "Statement": rest})
            assert before
        yield
    finally:
        with unseen(house):
            for iam, whole in before:
                _put(iam, statement, whole)


@contextmanager
def unseen(house: House) -> Iterator[None]:
    """While it lasts no event comes to the hub."""
    house.stage.events(on=False)
    try:
        yield
    finally:
        house.stage.events(on=True)


def role_of(call: Call) -> str:
    """The role of ours that made the call, without `ecr-warden-`; empty if it was none."""
    return call.principal.partition(":assumed-role/ecr-warden-")[2].partition("/")[0]


def refused(house: House, since: Moment, role: str) -> list[Call]:
    """The calls of a role of ours that AWS denied."""
    return [call for call in house.stage.aws.calls(since.mark) if role_of(call) == role and call.error in DENIED]


def asked(call: Call) -> set[str]:
    """The IAM actions that the call asks for."""
    action = f"{call.service}:{call.action}"
    return _ASKS.get(action, {action})


def refresh(house: House, function: str) -> None:
    """Let a function start anew, so that it holds neither sessions nor secrets."""
    client = house.stage.aws.client(CI, "lambda", REGION)
    name = f"ecr-warden-{function}"
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    count = int(variables.get("STARTS", "0")) + 1
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "STARTS": str(count)}}
    )


def heal(house: House) -> None:
    """After a failure: what is left of it in the queues is dropped; the next test's sweep finishes its runs."""
    sqs = house.stage.aws.client(CI, "sqs", REGION)
    for name in _QUEUES:
        sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    _close_incidents(house)
    _end_pauses(house)


def _close_incidents(house: House) -> None:
    """Forget what was collected: with the queue its flush is gone, and what comes later must not wait for it."""
    table, client = house.stage.hub["Table"], house.stage.aws.client(CI, "dynamodb", REGION)
    scan = client.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :incidents)",
        ExpressionAttributeValues={":incidents": {"S": "INCIDENT#"}},
    )
    for item in [item for page in scan for item in page["Items"]]:
        client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def _end_pauses(house: House) -> None:
    table, client = house.stage.hub["Table"], house.stage.aws.client(CI, "dynamodb", REGION)
    for item in client.scan(TableName=table, FilterExpression="attribute_exists(paused)")["Items"]:
        key = {"pk": item["pk"], "sk": item["sk"]}
        client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE paused")


def push_session(house: House) -> Keys:
    """A session of the push role by who may push, begun after every cut-off that a repair of its trust has left."""
    sts = house.stage.aws.user_client(CI, PUSH_USER, "sts")

    def begun() -> Keys | None:
        given = sts.assume_role(RoleArn=ROLE, RoleSessionName="ci")["Credentials"]
        try:
            house.stage.aws.assumed_client(given, "ecr").get_authorization_token()
        except ClientError:
            return None
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    return until(begun, what="a session that is not cut off", pause=0.2)


def credentials_of(house: House, role: str) -> Somebody:
    """Whoever holds the credentials of a hub function's role, which its trust policy is opened for."""
    aws = house.stage.aws
    iam = aws.client(CI, "iam")
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CI}:root"}, "Action": "sts:AssumeRole"}
    opened = {**document, "Statement": [*document["Statement"], root]}
    with unseen(house):
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
        given = aws.client(CI, "sts").assume_role(RoleArn=f"arn:aws:iam::{CI}:role/{role}", RoleSessionName="stolen")
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
    keys = given["Credentials"]
    return Somebody(
        "thief",
        f"a thief of {role}",
        CI,
        "*",
        Keys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]),
        aws,
    )
