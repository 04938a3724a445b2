"""Actions with evaluation rules of their own, and actions that AWS reserves to itself.

Reserved: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html,
https://repost.aws/knowledge-center/identity-center-aws-reserved-sso (the error of a protected role),
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html (UnmodifiableEntity) and
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (UpdateAlias, DeleteAlias)
"""

import re
from functools import lru_cache

from iam_access.catalogue import has_resources
from iam_access.evaluate.request import Request
from iam_access.evaluate.request_principal import CallerKind
from iam_access.text.ascii_case import ascii_lower


def _actions(service: str, *names: str) -> frozenset[str]:
    return frozenset(f"{service}:{name}".lower() for name in names)


_ROLE_ACTIONS = _actions(
    "sts",
    *("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "TagSession", "SetSourceIdentity", "SetContext"),
)
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
        "only AWS can change or pass a role of IAM Identity Center",
    ),
    (
        re.compile(r"arn:[^:]+:iam::[0-9]+:role/aws-service-role/.+"),
        _actions(
            "iam",
            *("AttachRolePolicy", "DeleteRole", "DeleteRolePolicy", "DeleteRolePermissionsBoundary"),
            *("DetachRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy", "UpdateAssumeRolePolicy"),
        ),
        "only the service that it is linked to can change a service-linked role",
    ),
    (
        re.compile(r"arn:[^:]+:kms:[^:]*:[0-9]+:alias/aws/.+"),
        _actions("kms", "CreateAlias", "DeleteAlias", "UpdateAlias"),
        "aliases that begin with aws/ are reserved to AWS",
    ),
)


@lru_cache(maxsize=1024)
def is_plain(action: str) -> bool:
    """Do the policies alone decide on it? Not those with rules of their own."""
    return ascii_lower(action).partition(":")[0] not in ("iam", "kms", "sts") and has_resources(action)


def needs_no_permission(request: Request) -> bool:
    """Does it work whatever the policies say, even a Deny?

    Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html and, for users and the root
    user, https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
    """
    match request.action.lower():
        case "sts:getcalleridentity":
            return True
        case "sts:getsessiontoken":
            return request.principal.kind in (CallerKind.USER, CallerKind.ROOT)
        case _:
            return False


def needs_trust_policy(request: Request) -> bool:
    """Must a role's trust policy allow it?"""
    return request.action.lower() in _ROLE_ACTIONS


def assumes_role(request: Request) -> bool:
    """Is it sts:AssumeRole itself?"""
    return request.action.lower() == "sts:assumerole"


def needs_key_policy(request: Request) -> bool:
    """Must a KMS key's policy allow it?

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """
    return request.action.lower().startswith("kms:") and ":key/" in request.resource


def reserved(request: Request) -> str:
    """Why only AWS can perform the action on this resource, whatever the policies allow; empty if others can."""
    action = request.action.lower()
    for resources, actions, reason in _RESERVED:
        if action in actions and resources.fullmatch(request.resource):
            return reason
    return ""
