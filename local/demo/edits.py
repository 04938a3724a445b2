"""How people change documents: read, edit, write, with their own credentials."""

import json
from collections.abc import Callable
from typing import Any

from local.demo.people import Somebody
from local.demo.places import PUSHER

type Document = dict[str, Any]
type Edit = Callable[[Document], None]


def allow(action: str | list[str], **more: Any) -> Document:
    """A statement."""
    return {"Effect": "Allow", "Action": action, **more}


def policy(*statements: Document) -> str:
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def as_list(value: Any) -> list[Any]:
    """A value as a list, where IAM accepts one or a list."""
    return list(value) if isinstance(value, list) else [value]


def edit_repository(somebody: Somebody, repository: str, edit: Edit) -> None:
    """Change the repository's policy."""
    ecr = somebody.client("ecr")
    document = json.loads(ecr.get_repository_policy(repositoryName=repository)["policyText"])
    edit(document)
    ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps(document))


def edit_trust(somebody: Somebody, edit: Edit) -> None:
    """Change the push role's trust policy."""
    iam = somebody.client("iam")
    document = iam.get_role(RoleName=PUSHER)["Role"]["AssumeRolePolicyDocument"]
    edit(document)
    iam.update_assume_role_policy(RoleName=PUSHER, PolicyDocument=json.dumps(document))


def edit_role_policy(somebody: Somebody, name: str, edit: Edit) -> None:
    """Change an inline policy of the push role."""
    iam = somebody.client("iam")
    document = iam.get_role_policy(RoleName=PUSHER, PolicyName=name)["PolicyDocument"]
    edit(document)
    iam.put_role_policy(RoleName=PUSHER, PolicyName=name, PolicyDocument=json.dumps(document))


def edit_user_policy(somebody: Somebody, user: str, name: str, edit: Edit) -> None:
    """Change an inline policy of a user."""
    iam = somebody.client("iam")
    document = iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
    edit(document)
    iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(document))


def delete_role(somebody: Somebody) -> None:
    """Delete the push role, after its policies."""
    iam = somebody.client("iam")
    for attached in iam.list_attached_role_policies(RoleName=PUSHER)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=PUSHER, PolicyArn=attached["PolicyArn"])
    for name in iam.list_role_policies(RoleName=PUSHER)["PolicyNames"]:
        iam.delete_role_policy(RoleName=PUSHER, PolicyName=name)
    iam.delete_role(RoleName=PUSHER)
