"""The session policy of a write session: it limits the write role to one plan.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (Policy: at most 2,048 characters)
"""

import json
from collections.abc import Iterator

from ecr_warden.core.address import AddressKind
from ecr_warden.core.kinds import Operation
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget, target_arn

MAX_CHARACTERS = 2048


def session_policy(plan: Plan) -> str:
    """The policy document that allows a plan's writes and the reads before them, on its target only."""
    actions = sorted({action for change in plan.changes for action in _actions(change)})
    statement = {"Effect": "Allow", "Action": actions, "Resource": _resources(plan.target)}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    assert len(text) <= MAX_CHARACTERS, "a session policy names one target and some fifteen actions at most"
    return text


def _resources(target: Target) -> list[str]:
    if isinstance(target, RepositoryTarget):
        return [target_arn(target)]
    # The identity's path is not known here, but its name is unique in the account.
    return [target_arn(target), target_arn(target, path="/*/")]


def _actions(change: Change) -> Iterator[str]:
    target, removes = change.address.target, change.operation is Operation.DELETE
    match change.address.kind:
        case AddressKind.REPOSITORY_POLICY:
            yield "ecr:GetRepositoryPolicy"
            yield "ecr:DeleteRepositoryPolicy" if removes else "ecr:SetRepositoryPolicy"
        case AddressKind.ROLE:
            yield from _role_actions(change)
        case AddressKind.TRUST_POLICY:
            yield from ("iam:GetRole", "iam:UpdateAssumeRolePolicy")
        case AddressKind.IDENTITY_POLICY:
            assert isinstance(target, RoleTarget | UserTarget)
            noun = target.identity_kind.capitalize()
            yield f"iam:Get{noun}Policy"
            yield f"iam:{'Delete' if removes else 'Put'}{noun}Policy"
        case AddressKind.ATTACHED_POLICY:
            assert isinstance(target, RoleTarget | UserTarget)
            yield f"iam:Detach{target.identity_kind.capitalize()}Policy"


def _role_actions(change: Change) -> Iterator[str]:
    if isinstance(change.after, NewRole):
        # CreateRole with a boundary and tags requires their actions too.
        yield from ("iam:CreateRole", "iam:TagRole", "iam:PutRolePermissionsBoundary")
    elif change.operation is Operation.DELETE:
        yield from ("iam:GetRole", "iam:DeleteRole")
    else:
        yield from ("iam:GetRole", "iam:UpdateRole", "iam:PutRolePermissionsBoundary")
