"""What AWS keeps to itself, whatever the policies allow: its managed policies, the roles of IAM Identity Center, and
the aliases of its keys.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html,
https://repost.aws/knowledge-center/identity-center-aws-reserved-sso (the error of a protected role) and
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (UpdateAlias, DeleteAlias)
"""

import re

from ecr_warden.policy.request import Request


def _actions(service: str, *names: str) -> frozenset[str]:
    return frozenset(f"{service}:{name}".lower() for name in names)


_RESERVED = (
    (
        re.compile(r"arn:[^:]+:iam::aws:policy/.+"),
        _actions(
            "iam",
            *("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion"),
            *("SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy"),
        ),
        "a managed policy of AWS cannot be changed",
    ),
    (
        re.compile(r"arn:[^:]+:iam::[0-9]+:role/aws-reserved/.+"),
        _actions(
            "iam",
            *("AttachRolePolicy", "CreateRole", "CreateServiceLinkedRole", "DeleteRole", "DeleteRolePolicy"),
            *("DeleteRolePermissionsBoundary", "DeleteServiceLinkedRole", "DetachRolePolicy", "PassRole"),
            *("PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy"),
            *("UpdateRole", "UpdateRoleDescription"),
        ),
        "a role of IAM Identity Center is changed and passed by AWS alone",
    ),
    (
        re.compile(r"arn:[^:]+:kms:[^:]*:[0-9]+:alias/aws/.+"),
        _actions("kms", "CreateAlias", "DeleteAlias", "UpdateAlias"),
        "an alias that begins with aws/ is AWS's",
    ),
)


def reserved(request: Request) -> str:
    """Why the action is AWS's alone on this resource, or nothing."""
    action = request.action.lower()
    for resources, actions, reason in _RESERVED:
        if action in actions and resources.fullmatch(request.resource):
            return reason
    return ""
