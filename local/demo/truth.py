"""The documents in the accounts, read and compared without any code of the product."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.aws.launcher import EmulatedAws
from local.demo.places import CI, LEGACY, PUSHER, REGION, REGISTRY, REPOSITORY, USERS
from local.demo.tampers import CUTOFF

type Snapshot = Mapping[str, str]


def read(aws: EmulatedAws) -> Snapshot:
    """All documents of both accounts by name, as text; a missing one has no entry."""
    ecr, iam = aws.client(REGISTRY, "ecr", REGION), aws.client(REGISTRY, "iam")
    found: dict[str, str] = {}
    for repository in (REPOSITORY, LEGACY):
        text = _or_none(lambda name=repository: ecr.get_repository_policy(repositoryName=name)["policyText"])
        if text is not None:
            found[f"repository policy of {repository}"] = text
    found |= _role(iam)
    users = aws.client(CI, "iam")
    for user in USERS:
        for policy in users.list_user_policies(UserName=user)["PolicyNames"]:
            given = users.get_user_policy(UserName=user, PolicyName=policy)["PolicyDocument"]
            found[f"inline policy {policy} of {user}"] = json.dumps(given)
        for attached in users.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
            found[f"attached policy of {user}: {attached['PolicyArn']}"] = "{}"
    return found


def read_ends(aws: EmulatedAws) -> Snapshot:
    """The same plus the cut-off, which the spec does not mention."""
    found = dict(read(aws))
    iam = aws.client(REGISTRY, "iam")
    document = _or_none(lambda: iam.get_role_policy(RoleName=PUSHER, PolicyName=CUTOFF)["PolicyDocument"])
    if document is not None:
        found[f"inline policy {CUTOFF} of {PUSHER}"] = json.dumps(document)
    return found


def ended_since(aws: EmulatedAws) -> str:
    """The time from which on the cut-off denies sessions; empty if it denies all older ones, or there is none."""
    iam = aws.client(REGISTRY, "iam")
    document = _or_none(lambda: iam.get_role_policy(RoleName=PUSHER, PolicyName=CUTOFF)["PolicyDocument"])
    match plain(document):
        case {"Statement": {"Condition": {"DateGreaterThanEquals": {"aws:TokenIssueTime": since}}}}:
            return str(since)
        case _:
            return ""


def _role(iam: Any) -> Iterator[tuple[str, str]]:
    role = _or_none(lambda: iam.get_role(RoleName=PUSHER)["Role"])
    if role is None:
        return
    yield f"trust policy of {PUSHER}", json.dumps(role["AssumeRolePolicyDocument"])
    settings = [
        role["Path"],
        role["MaxSessionDuration"],
        role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    ]
    yield f"settings of {PUSHER}", json.dumps(settings)
    for policy in iam.list_role_policies(RoleName=PUSHER)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=PUSHER, PolicyName=policy)["PolicyDocument"]
        if policy != CUTOFF or not _only_ends_sessions(document):
            yield f"inline policy {policy} of {PUSHER}", json.dumps(document)
    for attached in iam.list_attached_role_policies(RoleName=PUSHER)["AttachedPolicies"]:
        yield f"attached policy of {PUSHER}: {attached['PolicyArn']}", "{}"


def _only_ends_sessions(document: Any) -> bool:
    """Whether the document only denies everything to sessions issued before some time, or between two."""
    match plain(document)["Statement"]:
        case {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": _} as bounds, **more}:
            named = all([*bound] == ["aws:TokenIssueTime"] for bound in bounds.values())
            return named and {*bounds} <= {"DateLessThan", "DateGreaterThanEquals"} and not {*more} - {"Sid"}
        case _:
            return False


def same(left: Snapshot, right: Snapshot) -> bool:
    """Whether both have the same documents, whatever the order of keys and lists."""
    return not difference(left, right)


def difference(left: Snapshot, right: Snapshot) -> list[str]:
    """The names of documents that are only in one of them, or differ."""
    return sorted(
        name
        for name in {*left, *right}
        if name not in left or name not in right or plain(json.loads(left[name])) != plain(json.loads(right[name]))
    )


def plain(value: Any) -> Any:
    """A JSON value in which order does not count and a list of one equals its element."""
    match value:
        case dict():
            return {key: plain(one) for key, one in value.items()}
        case [one]:
            return plain(one)
        case list():
            return sorted((plain(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
        case _:
            return value


def _or_none[T](call: Any) -> Any:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "RepositoryPolicyNotFoundException"):
            return None
        raise
