"""Random small estates as snapshots, and who can by brute force: every principal, every chain, every context.

The brute force asks the tests' own oracle (iam_oracle) about plain JSON; it shares no code with the engine.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st

from local.testing.printed import complete
from tests.property.iam_oracle import verdict

type Json = dict[str, Any]

HOME, AWAY = "222222222222", "111111111111"
REPOSITORIES = ("shop/app", "shop/web")
ARNS = tuple(f"arn:aws:ecr:eu-central-1:{HOME}:repository/{name}" for name in REPOSITORIES)
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
TOKEN = "ecr:GetAuthorizationToken"
_USERS = (f"arn:aws:iam::{AWAY}:user/ann", f"arn:aws:iam::{HOME}:user/bob")
_ROLES = (f"arn:aws:iam::{AWAY}:role/build", f"arn:aws:iam::{HOME}:role/push", f"arn:aws:iam::{HOME}:role/admin")
_ACTIONS = ("*", "ecr:*", "ecr:Batch*", *PULL, TOKEN, "sts:AssumeRole", "sts:*")
_RESOURCES = ("*", *ARNS, f"arn:aws:ecr:*:{HOME}:repository/shop/*", *_ROLES, "arn:aws:iam::*:role/p*")
_NAMED = (
    "*",
    *_USERS,
    *_ROLES,
    f"arn:aws:iam::{AWAY}:root",
    f"arn:aws:iam::{HOME}:root",
    HOME,
    "AIDAQHBJ5XEXAMPLE0001",
)
_VPCES, _MFAS = ((), ("a",), ("b",), ("ab",), ("other",)), ((), ("true",), ("false",))
CONTEXTS: tuple[Json, ...] = tuple(
    {key: list(values) for key, values in (("aws:SourceVpce", vpce), ("aws:MultiFactorAuthPresent", mfa)) if values}
    for vpce, mfa in product(_VPCES, _MFAS)
)


def contexts(who: str) -> tuple[Json, ...]:
    """What a call of the user or role may carry.

    A role's session has temporary credentials, with which the key of MFA is always there
    (reference_policies_condition-keys#condition-keys-multifactorauthpresent); with a user's access key it is not.
    """
    return tuple(one for one in CONTEXTS if ":user/" in who or "aws:MultiFactorAuthPresent" in one)


def _some(values: tuple[str, ...], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


def _conditions() -> st.SearchStrategy[Json]:
    return st.sampled_from(
        (
            {"StringEquals": {"aws:SourceVpce": "a"}},
            {"StringLike": {"aws:SourceVpce": ["a*", "c"]}},
            {"StringNotEquals": {"aws:SourceVpce": "a"}},
            {"StringEqualsIfExists": {"aws:SourceVpce": ["b"]}},
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            {"Null": {"aws:MultiFactorAuthPresent": "true"}},
            {"StringEquals": {"aws:PrincipalAccount": HOME}},
            {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{AWAY}:*"}},
            {"StringEquals": {"aws:username": "bob"}},
        )
    )


@st.composite
def _statements(draw: st.DrawFn, *, principals: bool, kind: str) -> Json:
    made: Json = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))}
    if principals:
        element = draw(st.sampled_from(("Principal", "Principal", "Principal", "NotPrincipal")))
        # Whether naming a role in NotPrincipal spares its sessions AWS leaves open: docs/who-can.md.
        names = _NAMED if element == "Principal" else tuple(name for name in _NAMED if name not in _ROLES)
        made[element] = draw(st.just("*") | st.fixed_dictionaries({"AWS": _some(names)}))
    if kind == "trust":
        made["Action"] = draw(st.sampled_from(("sts:AssumeRole", "sts:*")))
    else:
        made[draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))] = draw(_some(_ACTIONS))
    if not principals:
        made[draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource")))] = draw(_some(_RESOURCES))
    if draw(st.integers(0, 3)) == 0:
        made["Condition"] = draw(_conditions())
    return made


def _documents(*, principals: bool = False, kind: str = "") -> st.SearchStrategy[Json]:
    return st.builds(
        lambda statements: {"Version": "2012-10-17", "Statement": statements},
        st.lists(_statements(principals=principals, kind=kind), min_size=1, max_size=3),
    )


FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_OWN = st.just(FULL) | _documents()


def _maybe(strategy: st.SearchStrategy[Any], one_in: int) -> st.SearchStrategy[Any]:
    return st.integers(1, one_in).flatmap(lambda drawn: strategy if drawn == 1 else st.none())


@st.composite
def estates(draw: st.DrawFn) -> Json:
    """A snapshot of two accounts with every kind of policy, and two repositories."""
    accounts: Json = {}
    for account in (AWAY, HOME):
        managed = f"arn:aws:iam::{account}:policy/shared"
        limit = f"arn:aws:iam::{account}:policy/limit"
        policies = [_managed(managed, draw(_OWN)), _managed(limit, draw(_OWN))]
        groups = [
            {
                "Arn": f"arn:aws:iam::{account}:group/team",
                "GroupName": "team",
                "GroupPolicyList": _inline(draw(_documents())),
            }
        ]
        users: list[Json] = []
        roles: list[Json] = []
        for arn in (*_USERS, *_ROLES):
            if f"::{account}:" not in arn:
                continue
            is_user = ":user/" in arn
            entry: Json = {"Arn": arn, "UserId" if is_user else "RoleId": "AIDA1" if is_user else "AROA1"}
            entry["UserPolicyList" if is_user else "RolePolicyList"] = _inline(*draw(st.lists(_OWN, max_size=1)))
            if draw(st.booleans()):
                entry["AttachedManagedPolicies"] = [{"PolicyArn": managed, "PolicyName": "shared"}]
            if draw(st.integers(0, 3)) == 0:
                entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": limit}
            if is_user:
                entry["GroupList"] = draw(st.sampled_from(([], ["team"])))
            else:
                entry["AssumeRolePolicyDocument"] = draw(_documents(principals=True, kind="trust"))
            (users if is_user else roles).append(entry)
        accounts[account] = {
            "iam": {"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": policies}
        }
        if draw(st.integers(0, 3)) == 0:
            accounts[account]["serviceControlPolicies"] = [[FULL], [FULL, draw(_documents())]]
    home = accounts[HOME]
    home["ecr"] = {
        "eu-central-1": {
            "repositories": [
                {"repositoryName": name, "policy": draw(_maybe(_documents(principals=True), 2))}
                for name in REPOSITORIES
            ],
            "registryPolicy": draw(_maybe(_documents(principals=True), 3)),
        }
    }
    if draw(st.integers(0, 4)) == 0:
        home["resourceControlPolicies"] = [[FULL, draw(_documents(principals=True))]]
    return complete({"schema": 1, "takenAt": "2026-11-24T22:00:00Z", "accounts": accounts})


def _managed(arn: str, document: Json) -> Json:
    old = {"VersionId": "v1", "IsDefaultVersion": False, "Document": FULL}
    new = {"VersionId": "v2", "IsDefaultVersion": True, "Document": document}
    return {"Arn": arn, "PolicyVersionList": [old, new]}


def _inline(*documents: Json) -> list[Json]:
    return [{"PolicyName": f"inline{number}", "PolicyDocument": one} for number, one in enumerate(documents)]


def directly(estate: Json, name: str, actions: tuple[str, ...]) -> dict[str, str]:
    """`yes`, `conditional` or `no` for every user and role, without assuming another role."""
    arn = f"arn:aws:ecr:eu-central-1:{HOME}:repository/{name}"
    people = {entry["Arn"]: entry for entry in identities_of(estate)}
    asks = [(action, "*" if action == TOKEN else arn) for action in actions]
    return {who: _answer(estate, people, who, asks) for who in people}


def who_can(estate: Json, name: str, actions: tuple[str, ...]) -> dict[str, str]:
    """`yes` or `conditional` for every user and role that can, by brute force."""
    people = {entry["Arn"]: entry for entry in identities_of(estate)}
    direct = directly(estate, name, actions)
    assumes = {
        (who, role): _answer(estate, people, who, [("sts:AssumeRole", role)])
        for who in people
        for role in people
        if ":role/" in role and who != role
    }
    found: dict[str, str] = {}
    for answer, enough in (("yes", {"yes"}), ("conditional", {"yes", "conditional"})):
        able = {who for who, one in direct.items() if one in enough}
        while True:
            more = {who for (who, role), one in assumes.items() if role in able and one in enough} - able
            if not more:
                break
            able |= more
        able |= {who for who in people if _federating(estate, people, who, name, actions) in enough}
        for who in able:
            found.setdefault(who, answer)
    return found


def _federating(estate: Json, people: Json, who: str, name: str, actions: tuple[str, ...]) -> str:
    """What a user can by a session of a federated user, which has whatever the user lets it have, and never MFA.

    Only long-term credentials open it.
    """
    if ":user/" not in who:
        return "no"
    session, own = f"arn:aws:sts::{who.split(':')[4]}:federated-user/xx", _own_policies(estate, people, who)
    by_key = [one for one in CONTEXTS if "aws:MultiFactorAuthPresent" not in one]
    opens = [_is_allowed(who, "sts:GetFederationToken", session, context, own) for context in by_key]
    asks = [(action, f"arn:aws:ecr:eu-central-1:{HOME}:repository/{name}") for action in actions]
    acts = [
        all(_allowed(estate, people, who, *ask, context, session=session) for ask in asks)
        for context in CONTEXTS
        if context.get("aws:MultiFactorAuthPresent") == ["false"]
    ]
    return "no" if not any(opens) or not any(acts) else "yes" if all(opens) and all(acts) else "conditional"


def identities_of(estate: Json) -> Iterator[Json]:
    """The entry of every user and role."""
    for account in estate["accounts"].values():
        iam = account.get("iam", {"UserDetailList": [], "RoleDetailList": []})
        yield from (*iam["UserDetailList"], *iam["RoleDetailList"])


def _answer(estate: Json, people: Json, who: str, asks: list[tuple[str, str]]) -> str:
    held = [all(_allowed(estate, people, who, *ask, context) for ask in asks) for context in contexts(who)]
    return "yes" if all(held) else "conditional" if any(held) else "no"


def _allowed(
    estate: Json, people: Json, who: str, action: str, resource: str, context: Json, *, session: str = ""
) -> bool:
    """`session`: of a federated user, opened by the user."""
    account = who.split(":")[4]
    policies = _own_policies(estate, people, who)
    if ":role/" in resource:
        policies["trust"] = people[resource]["AssumeRolePolicyDocument"]
        policies["rcp"] = estate["accounts"][resource.split(":")[4]].get("resourceControlPolicies", [])
    elif resource != "*":
        home = estate["accounts"][HOME]
        registry = home["ecr"]["eu-central-1"]
        repository = next(one for one in registry["repositories"] if resource.endswith(f"/{one['repositoryName']}"))
        hung = [one for one in (repository["policy"], registry["registryPolicy"]) if one]
        if hung:
            policies["resource"] = {
                "Version": "2012-10-17",
                "Statement": [one for each in hung for one in each["Statement"]],
            }
        policies["rcp"] = home.get("resourceControlPolicies", [])
    # An action without a resource: only `*` and what is negated match this text.
    asked = resource if resource != "*" else f"none::::{account}:none"
    return _is_allowed(who, action, asked, context, policies, session=session)


def _own_policies(estate: Json, people: Json, who: str) -> Json:
    account = who.split(":")[4]
    entry, iam = people[who], estate["accounts"][account]["iam"]
    managed = {one["Arn"]: one["PolicyVersionList"][1]["Document"] for one in iam["Policies"]}
    identity = [one["PolicyDocument"] for key in ("UserPolicyList", "RolePolicyList") for one in entry.get(key, [])]
    identity += [managed[one["PolicyArn"]] for one in entry.get("AttachedManagedPolicies", [])]
    for group in iam["GroupDetailList"] if entry.get("GroupList") else []:
        identity += [one["PolicyDocument"] for one in group["GroupPolicyList"]]
    policies: Json = {"identity": identity, "scp": estate["accounts"][account].get("serviceControlPolicies", [])}
    if "PermissionsBoundary" in entry:
        policies["boundary"] = managed[entry["PermissionsBoundary"]["PermissionsBoundaryArn"]]
    return policies


def _is_allowed(who: str, action: str, resource: str, context: Json, policies: Json, *, session: str = "") -> bool:
    account = who.split(":")[4]
    of_role = f"arn:aws:sts::{account}:assumed-role/{who.rsplit('/', maxsplit=1)[-1]}/session"
    request = {"principal": who if ":user/" in who else of_role, "action": action, "resource": resource}
    if session:
        request |= {"principal": session, "issuer": who}
    return verdict({**request, "context": context}, policies) == "Allowed"


def administrators(estate: Json, account: str, *, unlimited: bool = False) -> set[str]:
    """Every user and role that can change what identities of the account may do, itself or through roles.

    `unlimited`: only those who can write or attach a policy in every context, and whoever can act as one of these.
    """
    people = {entry["Arn"]: entry for entry in identities_of(estate)}
    calls = [(arn, call) for arn in people if f"::{account}:" in arn for call in _changes(people[arn], account)]
    own = [who for who in people if f"::{account}:" in who]
    can = Counter(
        call
        for call in {(who, *call) for who in own for target, call in calls if target != who or call[0] in _WRITING}
        for context in contexts(call[0])
        if _is_allowed(*call, context, _own_policies(estate, people, call[0]))
    )
    writes = {who for (who, action, _), held in can.items() if action in _WRITING and held == len([*contexts(who)])}
    able = writes if unlimited else {who for who, *_ in can}
    assumes = {
        (who, role)
        for who in people
        for role in people
        if ":role/" in role and who != role and _answer(estate, people, who, [("sts:AssumeRole", role)]) != "no"
    }
    taken_over = {(who, resource) for who, action, resource in can if action in _TAKING_OVER}
    becomes = assumes | taken_over if unlimited else assumes
    while more := {who for who, other in becomes if other in able} - able:
        able = able | more
    return able


_WRITING = {
    *("iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy", "iam:CreatePolicyVersion"),
    *("iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"),
}
_TAKING_OVER = {"iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:UpdateAssumeRolePolicy"}


def _changes(entry: Json, account: str) -> Iterator[tuple[str, str]]:
    arn = entry["Arn"]
    kind = "User" if ":user/" in arn else "Role"
    actions = [f"Put{kind}Policy", f"Attach{kind}Policy"]
    actions += ["CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile"] if kind == "User" else []
    actions += ["UpdateAssumeRolePolicy"] if kind == "Role" else []
    if "PermissionsBoundary" in entry:
        actions += [f"Delete{kind}PermissionsBoundary", f"Put{kind}PermissionsBoundary"]
    yield from ((f"iam:{action}", arn) for action in actions)
    for held in entry.get("AttachedManagedPolicies", []):
        yield from (
            (f"iam:{action}", held["PolicyArn"]) for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion")
        )
    group = f"arn:aws:iam::{account}:group/team"
    if entry.get("GroupList"):
        yield from ((f"iam:{action}", group) for action in ("PutGroupPolicy", "AttachGroupPolicy"))
    if kind == "User":
        yield "iam:AddUserToGroup", group


def applied(estate: Json, edits: list[Json]) -> Json:
    """The snapshot with the changes made that an answer prints (`missing` of can-i's JSON)."""
    made = copy.deepcopy(estate)
    for edit in sorted(edits, key=lambda one: -(one["remove"] or {"statement": 0})["statement"]):
        if edit["remove"]:
            statements = _document(made, edit["remove"]["policy"], edit["holder"])["Statement"]
            statements[edit["remove"]["statement"] - 1] = None
        else:
            _add(made, edit)
    kept: Json = _without_gaps(made)
    return kept


def _without_gaps(value: Any) -> Any:
    """The value without the statements that were taken out."""
    if isinstance(value, dict):
        return {key: _without_gaps(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_gaps(one) for one in value if one is not None]
    return value


def _document(estate: Json, name: str, holder: str) -> Any:
    account = holder if holder.isdigit() else holder.split(":")[4]
    entry = estate["accounts"][account]
    iam = entry["iam"]
    identity: Json = next((one for one in identities_of(estate) if one["Arn"] == holder), {})
    kind, _, rest = name.partition(" policy ")
    if name.startswith(("policy ", "permissions boundary ")):
        arn = name.rsplit(maxsplit=1)[-1] if " of group" not in name else name.split()[1]
        policy = next(one for one in iam["Policies"] if one["Arn"] == arn)
        return policy["PolicyVersionList"][1]["Document"]
    if name.startswith("identity policy") and " of group" in name:
        return iam["GroupDetailList"][0]["GroupPolicyList"][int(rest.split()[0][-1])]["PolicyDocument"]
    if name.startswith("identity policy"):
        listed = identity.get("UserPolicyList") or identity["RolePolicyList"]
        return listed[int(rest[-1])]["PolicyDocument"]
    if name.startswith("trust policy"):
        return identity["AssumeRolePolicyDocument"]
    if "control policy" in name:
        level, index = (int(one) - 1 for one in name.split()[3].split("."))
        return entry["serviceControlPolicies" if kind == "service control" else "resourceControlPolicies"][level][index]
    registry = estate["accounts"][HOME]["ecr"]["eu-central-1"]
    if name.startswith("registry policy"):
        return registry["registryPolicy"]
    return next(one for one in registry["repositories"] if one["repositoryName"] == name.rsplit(maxsplit=1)[-1])[
        "policy"
    ]


def _add(estate: Json, edit: Json) -> None:
    holder, side = edit["holder"], edit["side"]
    account = holder if holder.isdigit() else holder.split(":")[4]
    entry = estate["accounts"][account]
    iam = entry["iam"]
    document = {"Version": "2012-10-17", "Statement": [edit["add"]]}
    identity: Json = next((one for one in identities_of(estate) if one["Arn"] == holder), {})
    match side:
        case "identity policy":
            key = "UserPolicyList" if ":user/" in holder else "RolePolicyList"
            identity[key] = [*identity[key], {"PolicyName": "added", "PolicyDocument": document}]
        case "permissions boundary":
            arn = identity["PermissionsBoundary"]["PermissionsBoundaryArn"]
            policy = next(one for one in iam["Policies"] if one["Arn"] == arn)
            policy["PolicyVersionList"][1]["Document"]["Statement"].append(edit["add"])
        case "trust policy":
            identity["AssumeRolePolicyDocument"]["Statement"].append(edit["add"])
        case "repository policy":
            name = holder.partition(":repository/")[2]
            repositories = entry["ecr"]["eu-central-1"]["repositories"]
            repository = next(one for one in repositories if one["repositoryName"] == name)
            if repository["policy"]:
                repository["policy"]["Statement"].append(edit["add"])
            else:
                repository["policy"] = document
        case "service control policy":
            entry["serviceControlPolicies"][edit["level"] - 1].append(document)
        case _:
            entry["resourceControlPolicies"][edit["level"] - 1].append(document)
