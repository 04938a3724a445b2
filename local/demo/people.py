"""Somebody: real users and role sessions of the accounts, with credentials of their own."""

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
    """Whoever calls AWS. `words` is for people, `principal` a shell-like pattern of the caller's ARN."""

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
    """Who tampers, one in each account, and somebody of an account that nobody knows."""

    registry_admin: Somebody
    ci_admin: Somebody
    outsider: Somebody


def make_people(aws: EmulatedAws) -> People:
    """Make the users and the role; an administrator of each account tampers, neither is its root."""
    mallory = _user(aws, REGISTRY, "mallory", _EVERYTHING)
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    carol = _user(aws, CI, "carol", {**assume, "Resource": f"arn:aws:iam::{CI}:role/Platform"})
    outsider = _user(aws, OUTSIDE, "stranger", {**assume, "Resource": ROLE})
    return People(mallory, _session(aws, carol, "Platform"), outsider)


def existing(aws: EmulatedAws, account: str, name: str) -> Somebody:
    """A user that is there already, under a new access key."""
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
