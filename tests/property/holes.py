"""Parts of a random estate that were not read, and what each could have been: the extremes that there are.

Whatever a hidden part says, each answer lies between those of its fills. So the plain oracle is to try them all.
"""

import copy
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st

from tests.property.estates import AWAY, FULL, HOME, REPOSITORIES, Json, _inline, _managed

DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
LET = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
SHUT = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:*"}]}
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_FIELDS = (
    ("UserDetailList", "GroupList"),
    ("UserDetailList", "AttachedManagedPolicies"),
    ("RoleDetailList", "RolePolicyList"),
    ("RoleDetailList", "AttachedManagedPolicies"),
    ("GroupDetailList", "GroupPolicyList"),
    ("GroupDetailList", "AttachedManagedPolicies"),
)
_IAM, _SCOPE = "iam:GetAccountAuthorizationDetails", "ecr:GetAccountSetting"

type Edit = Callable[[Json], None]
"""Changes a snapshot in place."""
type Hole = tuple[Edit, Edit, Edit]
"""What hides a part of a snapshot, and the two extremes that may be there instead."""


def holes(*, lacking: bool = False) -> st.SearchStrategy[list[Hole]]:
    """One or two of the parts that every drawn estate has; `lacking`: what AWS always prints and is not there."""
    parts = st.sampled_from(_LACKING if lacking else _ALL)
    return st.lists(parts, min_size=1, max_size=2).map(lambda drawn: list(dict.fromkeys(drawn)))


def hidden(snapshot: Json, drawn: list[Hole]) -> Json:
    """The snapshot without these parts."""
    return _made(snapshot, [hide for hide, _, _ in drawn])


def fills(snapshot: Json, drawn: list[Hole]) -> Iterator[Json]:
    """Whole snapshots, with every extreme in place of each part."""
    for edits in product(*((widest, narrowest) for _, widest, narrowest in drawn)):
        yield _made(snapshot, list(edits))


def _made(snapshot: Json, edits: list[Edit]) -> Json:
    made = copy.deepcopy(snapshot)
    for edit in edits:
        edit(made)
    return made


def _not_read(entry: Json, call: str, region: str = "") -> None:
    entry.setdefault("unread", []).append({"what": call, "code": "denied"} | ({"region": region} if region else {}))


def _account(account: str) -> Hole:
    """Nobody knows who is in an account: anybody whom a policy may name and a role that none does, or no one."""

    def hide(made: Json) -> None:
        del made["accounts"][account]["iam"]
        _not_read(made["accounts"][account], _IAM)

    def widest(made: Json) -> None:
        iam = made["accounts"][account]["iam"]
        _somebody(iam)
        for entry in (*iam["UserDetailList"], *iam["RoleDetailList"]):
            _widen(entry)

    def narrowest(made: Json) -> None:
        made["accounts"][account]["iam"] |= {"UserDetailList": [], "RoleDetailList": []}

    return hide, widest, narrowest


def _somebody(iam: Json) -> None:
    """A role that no policy names."""
    account = next(one["Arn"].split(":")[4] for one in iam["Policies"])
    role = {"Arn": f"arn:aws:iam::{account}:role/unnamed", "RoleId": "AROA2"}
    iam["RoleDetailList"].append(role)
    _widen(role)


def _widen(entry: Json) -> None:
    """A user or role that may do everything, and whom everybody may assume."""
    key = "UserPolicyList" if ":user/" in entry["Arn"] else "RolePolicyList"
    entry |= {key: _inline(FULL), "AttachedManagedPolicies": [], "GroupList": []}
    entry.pop("PermissionsBoundary", None)
    if key == "RolePolicyList":
        entry["AssumeRolePolicyDocument"] = TRUST


def _list(account: str, key: str) -> Hole:
    """A list that AWS prints of every account: without it nobody knows who else is there."""

    def hide(made: Json) -> None:
        made["accounts"][account].get("iam", {}).pop(key, None)

    def widest(made: Json) -> None:
        iam = made["accounts"][account]["iam"]
        _somebody(iam)
        for entry in iam[key] if key in ("UserDetailList", "RoleDetailList") else ():
            _widen(entry)
        documents(iam, FULL)

    def narrowest(made: Json) -> None:
        iam = made["accounts"][account]["iam"]
        iam |= {key: []} if key in ("UserDetailList", "RoleDetailList") else {}
        documents(iam, DENY)

    def documents(iam: Json, value: Json) -> None:
        for entry in iam["GroupDetailList"] if key == "GroupDetailList" else ():
            entry |= {"GroupPolicyList": _inline(value), "AttachedManagedPolicies": []}
        if key == "Policies":
            iam["Policies"] = [_managed(one["Arn"], value) for one in iam["Policies"]]

    return hide, widest, narrowest


def _field(account: str, kind: str, key: str) -> Hole:
    """A list that every user, role or group has: there may be a policy in it, or for a user a group with one."""
    own = f"{kind.removesuffix('DetailList')}PolicyList"

    def edit(change: Callable[[Json], None]) -> Edit:
        def made(snapshot: Json) -> None:
            for entry in snapshot["accounts"][account].get("iam", {}).get(kind, [])[:1]:
                change(entry)

        return made

    def fill(value: Json) -> Callable[[Json], None]:
        def change(entry: Json) -> None:
            entry[key] = []
            entry[own] = [*entry[own], {"PolicyName": "more", "PolicyDocument": value}]

        return change

    return edit(lambda entry: entry.pop(key, None)), edit(fill(FULL)), edit(fill(DENY))


def _without_trust(account: str) -> Hole:
    """A role without its trust policy, which every role has."""

    def hide(made: Json) -> None:
        for entry in made["accounts"][account].get("iam", {}).get("RoleDetailList", [])[:1]:
            entry.pop("AssumeRolePolicyDocument", None)

    return hide, *_of_first("RoleDetailList", account, _trust)[1:]


def _of_first(kind: str, account: str, change: Callable[[Json, Any], None]) -> Hole:
    """A policy of the first user or role of an account."""

    def edit(value: Any) -> Edit:
        def made(snapshot: Json) -> None:
            for entry in snapshot["accounts"][account].get("iam", {}).get(kind, [])[:1]:
                change(entry, value)

        return made

    return edit("{"), edit(TRUST if change is _trust else FULL), edit(SHUT if change is _trust else DENY)


def _own(entry: Json, value: Any) -> None:
    entry["UserPolicyList" if ":user/" in entry["Arn"] else "RolePolicyList"] = _inline(value)


def _trust(entry: Json, value: Any) -> None:
    entry["AssumeRolePolicyDocument"] = value


def _shared(account: str, name: str) -> Hole:
    """A managed policy, which identities have as a policy or as a boundary."""
    arn = f"arn:aws:iam::{account}:policy/{name}"

    def edit(*instead: Json) -> Edit:
        def change(made: Json) -> None:
            if "Policies" in (iam := made["accounts"][account].get("iam", {})):
                iam["Policies"] = [one for one in iam["Policies"] if one["Arn"] != arn]
                iam["Policies"] += [_managed(arn, document) for document in instead]

        return change

    return edit(), edit(FULL), edit(DENY)


def _repository(name: str) -> Hole:
    def edit(value: Any) -> Edit:
        def change(made: Json) -> None:
            registry = made["accounts"][HOME]["ecr"]["eu-central-1"]
            next(one for one in registry["repositories"] if one["repositoryName"] == name)["policy"] = value

        return change

    return edit("{"), edit(LET), edit(SHUT)


def _registry(key: str, *values: Any) -> Hole:
    def edit(value: Any) -> Edit:
        return lambda made: made["accounts"][HOME]["ecr"]["eu-central-1"].update({key: value})

    hide, widest, narrowest = map(edit, values)
    return hide, widest, narrowest


def _scope_unread(made: Json) -> None:
    made["accounts"][HOME]["ecr"]["eu-central-1"].pop("accountSettings", None)
    _not_read(made["accounts"][HOME], _SCOPE, "eu-central-1")


def _pop(key: str, name: str = "") -> Edit:
    """Leaves a field of the registry out, or of a repository."""

    def hide(made: Json) -> None:
        registry = made["accounts"][HOME]["ecr"]["eu-central-1"]
        held = [one for one in registry["repositories"] if one["repositoryName"] == name] if name else [registry]
        for entry in held:
            entry.pop(key, None)

    return hide


def _older_scope(made: Json) -> None:
    """A pull is not a registry call: the policy is as none."""
    made["accounts"][HOME]["ecr"]["eu-central-1"]["registryPolicy"] = None


_ALL: list[Hole] = [
    *(_account(account) for account in (HOME, AWAY)),
    *(_of_first(kind, account, _own) for kind in ("UserDetailList", "RoleDetailList") for account in (HOME, AWAY)),
    *(_of_first("RoleDetailList", account, _trust) for account in (HOME, AWAY)),
    *(_shared(account, name) for account in (HOME, AWAY) for name in ("shared", "limit")),
    *map(_repository, REPOSITORIES),
    _registry("registryPolicy", "{", LET, SHUT),
    (_scope_unread, lambda _: None, _older_scope),
]
_LACKING: list[Hole] = [
    *(_list(account, key) for account in (HOME, AWAY) for key in _LISTS),
    *(_field(account, kind, key) for account in (HOME, AWAY) for kind, key in _FIELDS),
    *map(_without_trust, (HOME, AWAY)),
    *((_pop("policy", name), *_repository(name)[1:]) for name in REPOSITORIES),
    (_pop("registryPolicy"), *_registry("registryPolicy", "", LET, SHUT)[1:]),
    (_pop("accountSettings"), lambda _: None, _older_scope),
]
"""What AWS always prints, each left out."""
