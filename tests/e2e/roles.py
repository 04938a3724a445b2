"""Sessions of our own roles as they are deployed, and what was refused to them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from local.aws.calls import Call
from local.demo.people import Keys, Somebody
from local.demo.places import CI, PUSH_USER, ROLE
from local.testing.waiting import until
from tests.e2e.house import House, Moment

HUB = ("dispatch", "reconcile", "accept", "collect", "audit", "alert", "images", "answer", "control")
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


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


def refused(house: House, since: Moment) -> list[Call]:
    """The calls of our roles that AWS denied."""
    return [call for call in house.stage.aws.calls(since.mark) if role_of(call) and call.error in DENIED]


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
