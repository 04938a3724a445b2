"""What people, tools and AWS do to accounts that were as a spec says: changes of a snapshot in place."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from local.testing import grown
from tests.property import policy_documents

type Json = dict[str, Any]
type Tamper = Callable[[Random, Json], None]

HOME, AWAY, OUTSIDE, REGION = "222222222222", "111111111111", "999999999999", "eu-central-1"
"""The accounts of the specs, one that they do not name, and the region."""


def parts(rng: Random, statement: Json) -> list[Json]:
    """The statement, or one for each of its actions."""
    actions = statement.get("Action")
    if not isinstance(actions, list) or rng.random() < 0.3:
        return [statement]
    return [statement | {"Action": action} for action in actions]


def _people(snapshot: Json) -> list[Json]:
    return [one for account in snapshot["accounts"].values() for key in LISTS for one in account["iam"].get(key, ())]


def _repositories(snapshot: Json) -> list[Json]:
    accounts = snapshot["accounts"].values()
    return [one for account in accounts for place in account.get("ecr", {}).values() for one in place["repositories"]]


LISTS = ("UserDetailList", "RoleDetailList")


def _slots(snapshot: Json) -> list[tuple[Json, str]]:
    """Every place with a document: what holds it, and under which key."""
    found = [(one, "policy") for one in _repositories(snapshot) if isinstance(one.get("policy"), dict)]
    for one in _people(snapshot):
        found += [(one, "AssumeRolePolicyDocument")] if "AssumeRolePolicyDocument" in one else []
        held = (*one.get("UserPolicyList", ()), *one.get("RolePolicyList", ()))
        found += [(policy, "PolicyDocument") for policy in held]
    return [(holder, key) for holder, key in found if isinstance(holder[key], dict)]


def _rewrites(rng: Random, snapshot: Json) -> None:
    for holder, key in rng.sample(slots := _slots(snapshot), min(3, len(slots))):
        holder[key] = policy_documents.rewritten(holder[key], rng)


def _splits(rng: Random, snapshot: Json) -> None:
    for holder, key in rng.sample(slots := _slots(snapshot), min(3, len(slots))):
        given = holder[key]["Statement"]
        given = given if isinstance(given, list) else [given]
        holder[key] = holder[key] | {"Statement": [part for one in given for part in parts(rng, one)]}


def _widens(rng: Random, snapshot: Json) -> None:
    holder, key = rng.choice(_slots(snapshot) or [({"x": {"Statement": []}}, "x")])
    given = holder[key]["Statement"]
    more: Json = {"Effect": "Allow", "Action": "ecr:*" if key != "AssumeRolePolicyDocument" else "sts:AssumeRole"}
    named = {"AWS": rng.choice((f"arn:aws:iam::{OUTSIDE}:user/eve", f"arn:aws:iam::{AWAY}:root", "*"))}
    more |= {"Resource": "*"} if key == "PolicyDocument" else {"Principal": named}
    holder[key] = holder[key] | {"Statement": [*(given if isinstance(given, list) else [given]), more]}


def _narrows(rng: Random, snapshot: Json) -> None:
    for holder, key in rng.sample(slots := _slots(snapshot), min(2, len(slots))):
        given = holder[key]["Statement"]
        if isinstance(given, list) and len(given) > 1:
            holder[key] = holder[key] | {"Statement": given[1:]}
        elif isinstance(given, list) and given and isinstance(given[0].get("Action"), list):
            holder[key] = holder[key] | {"Statement": [given[0] | {"Action": given[0]["Action"][:1]}]}


def _limits_in_time(rng: Random, snapshot: Json) -> None:
    for holder, key in rng.sample(slots := _slots(snapshot), min(3, len(slots))):
        until = json.dumps(holder[key]).replace("2026-12-31T", "2028-12-31T").replace("2027-", "2029-")
        holder[key] = json.loads(until)


def _breaks(rng: Random, snapshot: Json) -> None:
    holder, key = rng.choice(_slots(snapshot) or [({}, "x")])
    holder[key] = rng.choice(("{", '{"Statement": []}', '{"Statement": [{"Effect": "Maybe"}]}'))


def _deletes_documents(rng: Random, snapshot: Json) -> None:
    for one in (*_repositories(snapshot), *_people(snapshot)):
        if rng.random() < 0.3:
            for key in ("policy", "UserPolicyList", "RolePolicyList"):
                if key in one:
                    one[key] = None if key == "policy" else []


def _deletes_things(rng: Random, snapshot: Json) -> None:
    for account in snapshot["accounts"].values():
        for key in LISTS:
            account["iam"][key] = [one for one in account["iam"][key] if rng.random() < 0.7]
        for place in account.get("ecr", {}).values():
            place["repositories"] = [one for one in place["repositories"] if rng.random() < 0.8]


def _changes_a_role(rng: Random, snapshot: Json) -> None:
    for one in _people(snapshot):
        if ":role/ecr-warden/" in one["Arn"]:
            match rng.choice(("path", "no boundary", "boundary", "attached", "tags", "own")):
                case "path":
                    one["Arn"] = one["Arn"].replace(":role/ecr-warden/", ":role/team/")
                case "no boundary":
                    one.pop("PermissionsBoundary", None)
                case "boundary":
                    one["PermissionsBoundary"] = {"PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess"}
                case "attached":
                    one["AttachedManagedPolicies"] = [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
                case "tags":
                    one["Tags"] = [{"Key": "ecr-warden", "Value": "managed"}]
                case _:
                    one["RolePolicyList"] = [*one.get("RolePolicyList", ()), _inline("extra")]


def _adds_policies(rng: Random, snapshot: Json) -> None:
    for one in _people(snapshot):
        if rng.random() < 0.3:
            key = "UserPolicyList" if ":user/" in one["Arn"] else "RolePolicyList"
            one[key] = [*one.get(key, ()), _inline(rng.choice(("ecr-warden-old", "own", "ecr-warden-push")))]


def _leaves_orphans(rng: Random, snapshot: Json) -> None:
    account = rng.choice(sorted(snapshot["accounts"]))
    iam = snapshot["accounts"][account]["iam"]
    iam["UserDetailList"].append(
        {"Arn": f"arn:aws:iam::{account}:user/gone", "UserPolicyList": [_inline("ecr-warden-pull"), _inline("own")]}
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{AWAY}:root"}, "Action": "sts:AssumeRole"}
    iam["RoleDetailList"].append(
        {
            "Arn": f"arn:aws:iam::{account}:role/ecr-warden/gone-pusher",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "RolePolicyList": [_inline("ecr-warden-push")],
            "Tags": [{"Key": "ecr-warden", "Value": rng.choice(("managed", "managed", "mine"))}],
        }
    )


def _adds_repositories(rng: Random, snapshot: Json) -> None:
    images = grown.grown(10, seed=rng.randrange(10_000)).images
    for account in snapshot["accounts"].values():
        for place in account.get("ecr", {}).values():
            for image in images[:4]:
                name = rng.choice(("lab/", "shop/", "free/", "app/")) + image.name.rpartition("/")[2]
                policy = None if image.policy is None else json.loads(image.policy)
                place["repositories"].append({"repositoryName": name, "policy": policy})


def _recreates(rng: Random, snapshot: Json) -> None:
    """Somebody whom a policy names was deleted: AWS shows their ID."""
    for holder, key in _slots(snapshot):
        text = json.dumps(holder[key])
        for user in ("ann", "bob", "carl"):
            for account in (AWAY, HOME):
                text = text.replace(f'"arn:aws:iam::{account}:user/{user}"', '"AIDAQHBJ5XEXAMPLE0001"')
        holder[key] = json.loads(text)


def _lets_services_in(rng: Random, snapshot: Json) -> None:
    """What AWS Lambda adds to a policy by itself, and something that looks like it."""
    for one in _repositories(snapshot):
        if isinstance(one.get("policy"), dict) and rng.random() < 0.6:
            source = f"arn:aws:lambda:{REGION}:{rng.choice((HOME, AWAY, OUTSIDE))}:function:*"
            own = {
                "Sid": "LambdaECRImageRetrievalPolicy",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Condition": {"StringLike": {"aws:sourceArn": source}},
            }
            given = one["policy"]["Statement"]
            one["policy"]["Statement"] = [*(given if isinstance(given, list) else [given]), own]


def _hides(rng: Random, snapshot: Json) -> None:
    for account in snapshot["accounts"].values():
        for region, place in account.get("ecr", {}).items():
            for one in place["repositories"]:
                if rng.random() < 0.3 and "policy" in one:
                    del one["policy"]
                    denied = {"what": "ecr:GetRepositoryPolicy", "repository": one["repositoryName"]}
                    account.setdefault("unread", []).append(denied | {"region": region, "code": "AccessDenied"})


def _inline(name: str) -> Json:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
    return {"PolicyName": name, "PolicyDocument": document}


HARMLESS: tuple[Tamper, ...] = (_rewrites, _splits)
TAMPERS: tuple[Tamper, ...] = (
    *(_rewrites, _splits, _widens, _widens, _narrows, _limits_in_time, _breaks, _deletes_documents, _deletes_things),
    *(_changes_a_role, _adds_policies, _leaves_orphans, _adds_repositories, _recreates, _lets_services_in, _hides),
)


CIRCUMSTANCES: tuple[tuple[Json, Tamper | None], ...] = (
    *(({}, None),) * 10,
    ({"refusals": 1}, _widens),
    ({"refusals": 3}, _deletes_documents),
    ({"roles differ": True}, _deletes_documents),
    ({"paced": True}, _narrows),
    ({"paced": True}, _deletes_documents),
    ({"judged": "another"}, _adds_policies),
    ({"written": 5}, _recreates),
    ({"looked": 2, "recreated": False}, _widens),
    ({"looked": 30}, _widens),
    ({"recreated": True}, _rewrites),
    ({"unread": [AWAY]}, _rewrites),
    ({"unread": [f"{HOME}/{REGION}"]}, _rewrites),
)
"""What came before, and what is done so that it matters."""
