"""Small snapshots for tests, said in a few words."""

from datetime import datetime
from typing import Any

from ecr_warden.core.codec.accounts import account_from_pieces
from ecr_warden.core.estate import Estate
from iam_access.inventory.accounts import Parsed
from local.testing.printed import complete

type Json = dict[str, Any]

HOME, AWAY = "222222222222", "111111111111"
TOKEN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str | list[str], resource: str = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def user(name: str, *statements: Json, account: str = HOME, **more: Any) -> Json:
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    return {
        "Arn": f"arn:aws:iam::{account}:user/{name}",
        "UserId": f"AIDA{name.upper()}",
        "UserPolicyList": policies,
        "GroupList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        **more,
    }


def role(name: str, trusted: Json | str, *statements: Json, account: str = HOME, **more: Any) -> Json:
    trust = document({"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"})
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    return {
        "Arn": f"arn:aws:iam::{account}:role/{name}",
        "RoleId": f"AROA{name.upper()}",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": policies,
        "AttachedManagedPolicies": [],
        "Tags": [],
        **more,
    }


def managed(name: str, *versions: Json, account: str = HOME) -> Json:
    """A managed policy; the first version is the default one."""
    listed = [
        {"VersionId": f"v{len(versions) - number}", "IsDefaultVersion": number == 0, "Document": one}
        for number, one in enumerate(versions)
    ]
    return {"Arn": f"arn:aws:iam::{account}:policy/{name}", "PolicyVersionList": listed}


def snapshot(*identities: Json, policies: list[Json] | None = None, groups: list[Json] | None = None) -> Json:
    """One account with a repository `app` without a policy."""
    iam = {
        "UserDetailList": [one for one in identities if ":user/" in one["Arn"]],
        "RoleDetailList": [one for one in identities if ":role/" in one["Arn"]],
        "GroupDetailList": groups or [],
        "Policies": policies or [],
    }
    registry = {"repositories": [{"repositoryName": "app", "policy": None}], "registryPolicy": None}
    return complete({"schema": 1, "accounts": {HOME: {"iam": iam, "ecr": {"eu-central-1": registry}}}})


def of_pieces(given: Json, at: datetime) -> Estate:
    """The estate of a snapshot as the hub has it: of the pieces that it keeps."""
    parsed = Parsed()
    accounts = {}
    for name, account in given["accounts"].items():
        pieces = {name: {key: one for key, one in account.items() if key != "ecr"}}
        pieces |= {f"{name}/{region}": registry for region, registry in account.get("ecr", {}).items()}
        accounts[name] = account_from_pieces(name, pieces, parsed)
    return Estate(at, accounts)


def short(arn: str) -> str:
    """`user/ci/builder` for an ARN of IAM or STS; any other text unchanged."""
    is_identity = arn.startswith(("arn:aws:iam::", "arn:aws:sts::"))
    return arn.split(":", 5)[5] if is_identity else arn
