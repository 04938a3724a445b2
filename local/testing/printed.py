"""What AWS always prints of accounts, also where it is empty: for tests and measurements that say only the rest."""

from collections.abc import Collection
from typing import Any

type Json = dict[str, Any]

NOBODY: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""A trust policy by which nobody gets in: every role has one."""

_ATTACHED: Json = {"AttachedManagedPolicies": []}
# Of users without inline policies AWS leaves UserPolicyList out.
_IAM: dict[str, Json] = {
    "UserDetailList": {"GroupList": [], **_ATTACHED, "Tags": []},
    "GroupDetailList": {"GroupPolicyList": [], **_ATTACHED},
    "RoleDetailList": {"AssumeRolePolicyDocument": NOBODY, "RolePolicyList": [], **_ATTACHED, "Tags": []},
    "Policies": {},
}
_OVER_ALL: dict[str, Json] = {
    "ecr:GetRegistryPolicy": {"registryPolicy": None},
    "ecr:GetAccountSetting": {"accountSettings": {"REGISTRY_POLICY_SCOPE": "V2"}},
}


def complete(snapshot: Json) -> Json:
    """The snapshot with all that AWS always prints; what it notes as unread stays away."""
    return {**snapshot, "accounts": {name: complete_account(one) for name, one in snapshot["accounts"].items()}}


def complete_account(entry: Json) -> Json:
    """An account's entry of a snapshot."""
    made = dict(entry)
    if "iam" in entry:
        made["iam"] = complete_iam(entry["iam"])
    if "ecr" in entry:
        unread = entry.get("unread", ())
        made["ecr"] = {
            region: complete_registry(one, [note["what"] for note in unread if note.get("region") == region])
            for region, one in entry["ecr"].items()
        }
    return made


def complete_iam(iam: Json) -> Json:
    """An answer of GetAccountAuthorizationDetails."""
    return iam | {key: _each(iam.get(key, []), more) for key, more in _IAM.items()}


def complete_registry(entry: Json, failed: Collection[str] = ()) -> Json:
    """The entry of a region; `failed`: the calls that did."""
    made: Json = {}
    for call, more in _OVER_ALL.items():
        made |= {} if call in failed else more
    if "repositories" in entry:
        policy: Json = {} if "ecr:GetRepositoryPolicy" in failed else {"policy": None}
        entry = entry | {"repositories": _each(entry["repositories"], policy)}
    return made | entry


def complete_piece(part: str, entry: Json) -> Json:
    """The entry of a kept piece."""
    return (
        complete_registry(entry, [note["what"] for note in entry.get("unread", ())])
        if "/" in part
        else complete_account(entry)
    )


def _each(entries: Any, more: Json) -> Any:
    """The entries with what they lack; what is no list of objects as it is."""
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        return entries
    return [one | {key: value for key, value in more.items() if key not in one} for one in entries]
