"""The people of the demo: users and role sessions with their own credentials."""

import json
from dataclasses import dataclass
from typing import Any

from local.aws.launcher import EmulatedAws
from local.demo.places import CI, OUTSIDE, REGION, REGISTRY, ROLE

_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key; the token is empty for a user."""

    key: str
    secret: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A caller. `words`: for the screen; `principal`: a shell-like pattern of the caller's ARN."""

    name: str
    words: str
    account: str
    principal: str
    keys: Keys
    aws: EmulatedAws

    def client(self, service: str) -> Any:
        """A client with this person's credentials."""
        return self.aws.client_with(self.keys.key, self.keys.secret, self.keys.token, service, REGION)


@dataclass(frozen=True, slots=True)
class People:
    """An administrator of each account, who tampers, and a user of an account that the spec does not name."""

    registry_admin: Somebody
    ci_admin: Somebody
    outsider: Somebody


def make_people(aws: EmulatedAws) -> People:
    """Create the users and the role; the administrators who tamper are not the accounts' roots."""
    mallory = _user(aws, REGISTRY, "mallory", _EVERYTHING)
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    carol = _user(aws, CI, "carol", {**assume, "Resource": f"arn:aws:iam::{CI}:role/Platform"})
    outsider = _user(aws, OUTSIDE, "outsider", {**assume, "Resource": ROLE})
    return People(mallory, _session(aws, carol, "Platform"), outsider)


def existing(aws: EmulatedAws, account: str, name: str) -> Somebody:
    """An existing user, with a new access key."""
    keys = Keys(*aws.user_keys(account, name))
    return Somebody(name, f"user {name} of {account}", account, f"arn:aws:iam::{account}:user/{name}", keys, aws)


def _user(aws: EmulatedAws, account: str, name: str, may: dict[str, str]) -> Somebody:
    iam = aws.client(account, "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="job", PolicyDocument=_policy(may))
    return existing(aws, account, name)


def _session(aws: EmulatedAws, person: Somebody, role: str) -> Somebody:
    """The person in a role of the same account that may do everything."""
    account = person.account
    iam = aws.client(account, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=role, PolicyName="everything", PolicyDocument=_policy(_EVERYTHING))
    arn = f"arn:aws:iam::{account}:role/{role}"
    given = person.client("sts").assume_role(RoleArn=arn, RoleSessionName=person.name)["Credentials"]
    keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    words = f"{person.name}, in role {role} of {account},"
    return Somebody(person.name, words, account, f"*:assumed-role/{role}/{person.name}", keys, aws)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
