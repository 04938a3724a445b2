"""The member stack's fence as it stands: what its write role may write, read from that role's own policies.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws.errors import IAM, translated
from ecr_warden.adapters.aws.reading import observed_document
from ecr_warden.model.observed import Present
from ecr_warden.model.target import RoleTarget, UserTarget
from ecr_warden.planning.write_scope import OWNER_LISTS, ROLE_LIST, WriteScope
from ecr_warden.policy.document import Document, DocumentKind

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PAGE = 1000
_WRITE_ROLE = ":role/ecr-warden/ecr-warden-write"
# The Sids of the lists' statements: each a managed policy of its own now, inline before.
_LISTS = {
    "OwnersInlinePolicies": OWNER_LISTS[0],
    "OwnersInlinePolicies2": OWNER_LISTS[1],
    "OwnersInlinePolicies3": OWNER_LISTS[2],
    "NamedRoles": ROLE_LIST,
}


def read_fence(iam: "IAMClient", account: str) -> WriteScope:
    """Who is there and whom the member stack covers; raises PortError."""
    arns: dict[str, str] = {}
    managed: dict[str, Mapping[str, Any]] = {}
    write_role: Mapping[str, Any] | None = None
    with translated(IAM, f"reading whom the member stack of {account} covers"):
        pages = iam.get_paginator("get_account_authorization_details").paginate(
            Filter=["User", "Role", "LocalManagedPolicy"], PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            arns |= {UserTarget(account, user["UserName"]).key: user["Arn"] for user in page["UserDetailList"]}
            for role in page["RoleDetailList"]:
                arns[RoleTarget(account, role["RoleName"]).key] = role["Arn"]
                if role["Arn"].endswith(_WRITE_ROLE):
                    write_role = role
            managed |= {policy["Arn"]: policy for policy in page["Policies"]}
    if write_role is None:
        return WriteScope(arns, None)
    lists: dict[str, tuple[str, ...]] = {}
    for document in _documents(write_role, managed):
        for statement in document.statements:
            name = _LISTS.get(statement.sid or "")
            if name is not None and statement.resources is not None:
                lists[name] = statement.resources.values
    return WriteScope(arns, lists)


def _documents(role: Mapping[str, Any], managed: Mapping[str, Mapping[str, Any]]) -> Iterator[Document]:
    """The role's policies, inline and the account's own; what cannot be understood covers nobody."""
    raw = [policy["PolicyDocument"] for policy in role.get("RolePolicyList", ())]
    for attached in role.get("AttachedManagedPolicies", ()):
        versions = managed.get(attached["PolicyArn"], {}).get("PolicyVersionList", ())
        raw += [version["Document"] for version in versions if version["IsDefaultVersion"]]
    for text in raw:
        observed = observed_document(text, DocumentKind.IDENTITY)
        if isinstance(observed, Present) and isinstance(observed.value, Document):
            yield observed.value
