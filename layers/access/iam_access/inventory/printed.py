"""What AWS prints of an account, as JSON: the parts of an object, and managed policies."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from iam_access.errors import NamedError
from iam_access.inventory.inventory import PolicyOfAws

TRUST = "AssumeRolePolicyDocument"
DOCUMENTS = (TRUST, "PolicyDocument", "Document")
"""The fields of users, groups, roles and versions that have a policy document."""
DETAILS, USER, ROLE, GROUP, MANAGED = "details", "user", "role", "group", "policy"
ALWAYS: Mapping[str, tuple[str, ...]] = {
    DETAILS: ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
    USER: ("GroupList", "AttachedManagedPolicies"),
    ROLE: (TRUST, "RolePolicyList", "AttachedManagedPolicies"),
    GROUP: ("GroupPolicyList", "AttachedManagedPolicies"),
    MANAGED: ("PolicyVersionList",),
}
"""What GetAccountAuthorizationDetails prints also where it is empty: what lacks of it was not read.

Of a user without inline policies AWS leaves UserPolicyList out, and what has no boundary has no PermissionsBoundary.
Source: https://docs.aws.amazon.com/cli/latest/reference/iam/get-account-authorization-details.html
"""
_DIGEST = "Digest"
_OF_AWS = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/.+")

type Json = Mapping[str, Any]


class SnapshotError(NamedError, code="snapshot"):
    """The file is not a snapshot."""


def slim(policy: dict[str, Any]) -> dict[str, Any]:
    """A managed policy without the versions that nobody can set, or that would change nobody's access if set.

    Those are all but the default of AWS's own, which have up to 190 of up to 150 kB, and of those that nothing has.
    """
    versions = policy["PolicyVersionList"]
    is_used = any(policy.get(key, 1) for key in ("AttachmentCount", "PermissionsBoundaryUsageCount"))
    if not isinstance(versions, list) or (is_used and not is_of_aws(text_of(policy, "Arn"))):
        return policy
    kept = [version for version in versions if not isinstance(version, dict) or is_default(version, policy)]
    return {**policy, "PolicyVersionList": kept}


def is_of_aws(arn: str) -> bool:
    """Whether it is a managed policy of AWS's own."""
    return _OF_AWS.fullmatch(arn) is not None


def policies_of_aws_in(iam: Json) -> set[str]:
    """The ARNs of AWS's own policies that users, groups and roles have, or are bounded by."""
    return {
        arn
        for key in ("UserDetailList", "GroupDetailList", "RoleDetailList")
        for holder in entries_of(iam, key)
        for arn in (*attached_to(holder), text_of(boundary_of(holder), "PermissionsBoundaryArn"))
        if is_of_aws(arn)
    }


def attached_to(holder: Json) -> Iterator[str]:
    """The ARNs of the managed policies that a user, group or role has."""
    return (text_of(one, "PolicyArn") for one in entries_of(holder, "AttachedManagedPolicies"))


def boundary_of(holder: Json) -> Json:
    """Its PermissionsBoundary, empty for what is none."""
    found = holder.get("PermissionsBoundary")
    return found if isinstance(found, dict) else {}


def is_default(version: Json, policy: Json) -> bool:
    """Whether a version is the one in effect."""
    return version.get("IsDefaultVersion") is True or (
        "DefaultVersionId" in policy and version.get("VersionId") == policy["DefaultVersionId"]
    )


def policy_of_aws(policy: PolicyOfAws, text: str | None = None) -> Json:
    """Its entry among an account's Policies: as a piece has it, or as a snapshot has it, with the text."""
    entry = {"Arn": policy.arn, "DefaultVersionId": policy.version}
    if text is None:
        return entry | {_DIGEST: policy.digest}
    return entry | {"PolicyVersionList": [{"VersionId": policy.version, "IsDefaultVersion": True, "Document": text}]}


def with_texts(entry: Json, read: Callable[[PolicyOfAws], str | None]) -> Json:
    """The entry of an account's piece with the texts of AWS's policies; `read`: None for one that is not known."""

    def whole(one: Any) -> Any:
        if not isinstance(one, dict) or _DIGEST not in one:
            return one
        policy = PolicyOfAws(text_of(one, "Arn"), text_of(one, "DefaultVersionId"), text_of(one, _DIGEST))
        text = read(policy)
        return one if text is None else policy_of_aws(policy, text)

    match entry:
        case {"iam": {"Policies": list(policies), **others}}:
            return {**entry, "iam": {**others, "Policies": [whole(policy) for policy in policies]}}
        case _:
            return entry


def text_of_document(document: object) -> str:
    """A policy document as text: what is none as it is, for whoever parses it to refuse."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def as_object(raw: object, place: str) -> Json:
    """An object; raises SnapshotError for anything else."""
    if not isinstance(raw, dict):
        raise SnapshotError(f"{place}: not an object")
    return raw


def as_list(raw: object, place: str) -> list[Any]:
    """A list; raises SnapshotError for anything else."""
    if not isinstance(raw, list):
        raise SnapshotError(f"{place}: not a list")
    return raw


def lacking(raw: Json, always: Iterable[str]) -> tuple[str, ...]:
    """Which of these were not read."""
    return tuple(key for key in always if raw.get(key) is None)


def entries_of(raw: Json, key: str, place: str = "iam") -> list[Json]:
    """The objects of a list, none if it is not there; raises SnapshotError for what is no such list."""
    found = raw.get(key)
    return [] if found is None else [as_object(entry, f"{place}.{key}") for entry in as_list(found, f"{place}.{key}")]


def text_of(raw: Json, key: str) -> str:
    """A text, "" for what is none."""
    found = raw.get(key)
    return found if isinstance(found, str) else ""
