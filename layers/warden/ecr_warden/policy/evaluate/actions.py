"""Actions that IAM treats in a way of their own.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/ (list_amazonelasticcontainerregistry.html,
list_awssecuritytokenservice.html): an action without a resource type is asked for on `*`.
"""

from ecr_warden.policy.request import Request
from ecr_warden.policy.request_principal import CallerKind

_ECR_WITHOUT_RESOURCE = (
    *("GetAuthorizationToken", "DescribeRegistry", "GetAccountSetting", "PutAccountSetting"),
    *("GetRegistryPolicy", "PutRegistryPolicy", "DeleteRegistryPolicy"),
    *("GetRegistryScanningConfiguration", "PutRegistryScanningConfiguration", "PutReplicationConfiguration"),
    *("CreatePullThroughCacheRule", "DescribePullThroughCacheRules", "DeletePullThroughCacheRule"),
    *("UpdatePullThroughCacheRule", "ValidatePullThroughCacheRule"),
    *("CreateRepositoryCreationTemplate", "DescribeRepositoryCreationTemplates"),
    *("DeleteRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate"),
)
_STS_WITHOUT_RESOURCE = ("GetCallerIdentity", "GetSessionToken", "GetAccessKeyInfo", "DecodeAuthorizationMessage")
_WITHOUT_RESOURCE = frozenset(
    {f"ecr:{name}".lower() for name in _ECR_WITHOUT_RESOURCE}
    | {f"sts:{name}".lower() for name in _STS_WITHOUT_RESOURCE}
)
_ROLE_ACTIONS = frozenset(
    f"sts:{name}".lower()
    for name in (
        *("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"),
        *("TagSession", "SetSourceIdentity", "SetContext"),
    )
)


def has_no_resource(request: Request) -> bool:
    """Is this an action that no resource can be named for?"""
    return request.action.lower() in _WITHOUT_RESOURCE


def needs_no_permission(request: Request) -> bool:
    """Does it work whatever the policies say, a Deny included?

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


def asks_trust_policy(request: Request) -> bool:
    """Is it the trust policy of a role that must allow it?"""
    return request.action.lower() in _ROLE_ACTIONS


def assumes_role(request: Request) -> bool:
    """Is it sts:AssumeRole itself?"""
    return request.action.lower() == "sts:assumerole"


def asks_key_policy(request: Request) -> bool:
    """Is it a KMS key's policy that must allow it?

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """
    return request.action.lower().startswith("kms:") and ":key/" in request.resource
