"""The calls that have power over identities, as tables that load nothing else.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
"""

from collections.abc import Mapping

CREDENTIALS = ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile")
"""What lets others act as a user. With another password or key of its own a user can do no more than before."""
TAKING_OVER = frozenset({*CREDENTIALS, "iam:UpdateAssumeRolePolicy"})
"""What lets the caller act as a user or role, and gives nothing that it does not have."""
_USER = (
    *("iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:DeleteUserPermissionsBoundary"),
    *("iam:PutUserPermissionsBoundary", *CREDENTIALS),
)
_ROLE = (
    *("iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"),
    *("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
)
_GROUP = ("iam:AddUserToGroup", "iam:PutGroupPolicy", "iam:AttachGroupPolicy")
_POLICY = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
POWERS: Mapping[str, tuple[str, ...]] = {"user": _USER, "role": _ROLE, "group": _GROUP, "policy": _POLICY}
"""By what it is called on: what changes what others may do, or who may act as them."""
CHANGES = tuple(action for actions in POWERS.values() for action in actions)
"""All of these."""
ATTACHING = frozenset({"iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"})
"""What gives what the policies allow that may be attached."""
WRITING = ATTACHING | {"iam:CreatePolicyVersion", "iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy"}
"""What gives anything. Of every other call it is not shown."""
