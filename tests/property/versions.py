"""Random changes of a spec, and accounts that hold more than it says: what people do every day, and what they must not.

Everything is plain data: a spec as its YAML would be read, policies as JSON.
"""

import copy
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

CI, HOME, OTHER, AWAY, REGION = "111111111111", "222222222222", "333333333333", "999999999999", "eu-central-1"
ACME, BETA = "o-a1b2c3d4e5", "o-b1b2c3d4e5"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
USERS = ("ci:user/ann", "ci:user/bob", "ci:user/new", "registry:user/carl", "ci:role/build", "ci:role/open")
OUTSIDER, CONTRACTOR = f"arn:aws:iam::{AWAY}:user/outsider", f"arn:aws:iam::{AWAY}:user/contractor"
IN_PATTERN = tuple(f"lab/r{number}" for number in range(6))
"""More repositories that fit the pattern of the first version."""
UNNAMED = ("shop/c", "lab/secret", "lab/one", "free/z", "own/fresh")
"""Repositories that the first version does not name, but for one that fits its pattern."""

type Json = dict[str, Any]


class Drawn(NamedTuple):
    """The accepted version, which a person accepted, the new one, and the accounts beside what the former gives.

    `changes`: what was done, in words; `max_removed`: how many grants may go, None for a share.
    """

    accepted: Json
    new: Json
    live: Json
    changes: tuple[str, ...]
    max_removed: int | None


def _reads(*who: str, actions: list[str] | None = None, **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": {"AWS": [*who]}, "Action": actions or PULL, **more}


def _house() -> Json:
    contract = {"DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}}
    letters = [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}]
    papers = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]
    return {
        "version": 1,
        "accounts": {"ci": {"id": CI}, "registry": {"id": HOME, "regions": [REGION]}},
        "organizations": {"acme": {"id": ACME}},
        "repositories": [
            {"name": "shop/a", "account": "registry", "pull": ["ci:user/ann", "ci:user/bob"]},
            {"name": "shop/b", "account": "registry", "pull": ["ci:user/ann", "ci:role/build"]},
            {"name": "base/img", "account": "registry", "pull": [{"organization": "acme"}]},
            {"name": "app/x", "account": "registry", "push": [_through("pusher", "ci:user/bob", _github(12))]},
            {"name": "app/old", "account": "registry", "push": [_through("old-pusher", {**_BY_NAME})]},
            {
                "name": "bank/l",
                "account": "registry",
                "beside": {"Statement": [_reads(CONTRACTOR, Condition=contract)]},
            },
            {"name": "lab/*", "account": "registry", "except": ["lab/secret"], "pull": ["registry:user/carl"]},
        ],
        "documents": [_literal("robot", "letters", letters, exclusive=True), _literal("clerk", "papers", papers)],
        "settings": {"mode": "enforce"},
    }


_BY_NAME: Json = {"github": "legacy/x", "branch": "main"}


def _through(role: str, *by: str | Json) -> Json:
    return {"role": role, "by": [*by]}


def _github(owner: int, repository: int = 345) -> Json:
    return {"github": "acme/x", "owner_id": owner, "repository_id": repository, "branch": "main"}


def _literal(user: str, name: str, statements: list[Json], **more: Any) -> Json:
    return {
        "kind": "identity-policy",
        "account": "ci",
        "user": user,
        "name": name,
        "document": {"Version": "2012-10-17", "Statement": statements},
        **more,
    }


type Change = Callable[[Random, Json], None]


def _some(rng: Random, spec: Json, *, pulling: bool = False) -> Json:
    found = [one for one in spec["repositories"] if not pulling or one.get("pull")]
    chosen: Json = rng.choice(found)
    return chosen


def _joins(rng: Random, spec: Json) -> None:
    entry = _some(rng, spec)
    who = rng.choice(USERS)
    entry["pull"] = [*entry.get("pull", []), *([who] if who not in entry.get("pull", []) else [])]


def _leaves(rng: Random, spec: Json) -> None:
    entry = _some(rng, spec, pulling=True)
    entry["pull"].remove(rng.choice(entry["pull"]))


def _retires(rng: Random, spec: Json) -> None:
    spec["repositories"].remove(_some(rng, spec))


def _comes(rng: Random, spec: Json) -> None:
    name = rng.choice([*UNNAMED, "own/empty", "own/other"])
    entry = {"name": name, "account": "registry", "pull": rng.sample(USERS, rng.randint(0, 2))}
    spec["repositories"].append(entry)


def _pushes(rng: Random, spec: Json) -> None:
    by = [rng.choice(["ci:user/ann", _github(12), _github(12, 777), _github(13)])]
    name = f"app/{rng.choice('yz')}"
    spec["repositories"].append({"name": name, "account": "registry", "push": [{"role": f"push-{name[4:]}", "by": by}]})


def _pushes_observed(rng: Random, spec: Json) -> None:
    """Through the role of what is enforced, or through one of its own."""
    pushers: list[str | Json] = ["ci:user/new", "ci:user/ann", _github(12), _github(13), {**_BY_NAME}]
    by = rng.choice(pushers)
    name, role = f"app/{rng.choice('uvw')}", rng.choice(["pusher", "pusher", "tester"])
    entry = {"name": name, "account": "registry", "mode": "observe", "push": [_through(role, by)]}
    spec["repositories"].append(entry)


def _identifies(rng: Random, spec: Json) -> None:
    for entry in spec["repositories"]:
        for push in entry.get("push", []):
            for one in push["by"]:
                if isinstance(one, dict) and one.get("github") == "legacy/x" and "owner_id" not in one:
                    one.update(owner_id=rng.choice([66, 66, 12]), repository_id=345)


def _deserts(rng: Random, spec: Json) -> None:
    for entry in spec["repositories"]:
        if "*" in entry["name"]:
            entry["pull"] = rng.choice([[], ["ci:user/bob"], entry.get("pull", [])])
            pushers = rng.choice([[], ["ci:user/ann"], ["ci:user/bob"], [_github(12)], [_github(12), "ci:user/ann"]])
            entry["push"] = [{"role": "lab-pusher", "by": pushers}] if pushers else []


def _shares(rng: Random, spec: Json) -> None:
    organization = rng.choice(["acme", "acme", "beta"])
    if organization == "beta":
        spec["organizations"]["beta"] = {"id": BETA}
    entry = _some(rng, spec)
    entry["pull"] = [*entry.get("pull", []), {"organization": organization}]


def _lets_in(rng: Random, spec: Json) -> None:
    entry = _some(rng, spec)
    old = entry.get("beside", {"Statement": []})["Statement"]
    entry["beside"] = {"Statement": [*old, _reads(rng.choice([OUTSIDER, CONTRACTOR, f"arn:aws:iam::{CI}:user/ann"]))]}


def _puts_off(rng: Random, spec: Json) -> None:
    for entry in spec["repositories"]:
        for statement in entry.get("beside", {}).get("Statement", []):
            if "Condition" in statement:
                statement["Condition"]["DateLessThan"]["aws:CurrentTime"] = rng.choice(
                    ["2026-12-01T00:00:00Z", "2027-12-31T00:00:00Z"]
                )


def _observes(rng: Random, spec: Json) -> None:
    rng.choice([_some(rng, spec), spec["settings"], spec["accounts"]["ci"]])["mode"] = "observe"


def _enforces(rng: Random, spec: Json) -> None:
    spec["settings"]["mode"] = "enforce"
    for one in (*spec["repositories"], *spec["accounts"].values()):
        one.pop("mode", None)


def _names_otherwise(rng: Random, spec: Json) -> None:
    for entry in spec["repositories"]:
        if "*" in entry["name"]:
            entry["name"] = rng.choice(["lab/*", "lab/n*", "labs/*", "la*"])
            entry["except"] = rng.choice([["lab/secret"], ["lab/secret", "lab/new"], []])
            entry["except"] = [one for one in entry["except"] if one.startswith(entry["name"][:-1])]


def _gathers(rng: Random, spec: Json) -> None:
    spec["repositories"] = [one for one in spec["repositories"] if not one["name"].startswith("shop/")]
    spec["repositories"].append({"name": "shop/*", "account": "registry", "pull": ["ci:user/ann", "ci:user/bob"]})


def _takes_all(rng: Random, spec: Json) -> None:
    prefix = rng.choice(["free/*", "none/*"])
    spec["repositories"].append({"name": prefix, "account": "registry"})


def _rewords(rng: Random, spec: Json) -> None:
    document = rng.choice(spec["documents"])
    document["document"]["Statement"][0]["Action"] = rng.choice(["s3:GetObject", ["s3:GetObject", "s3:PutObject"]])


def _denies(rng: Random, spec: Json) -> None:
    document = rng.choice(spec["documents"])
    document["document"]["Statement"].append({"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"})


def _excludes(rng: Random, spec: Json) -> None:
    rng.choice(spec["documents"])["exclusive"] = rng.random() < 0.5


def _drops(rng: Random, spec: Json) -> None:
    spec["documents"].remove(rng.choice(spec["documents"]))


def _intends(rng: Random, spec: Json) -> None:
    who = rng.choice(["registry:role/scan", "registry:role/*", f"arn:aws:iam::{AWAY}:role/scan"])
    spec["also_allowed"] = [{"principals": [who], "reason": "scanning"}]


def _grows(rng: Random, spec: Json) -> None:
    spec["accounts"]["other"] = {"id": OTHER}


def _opens(rng: Random, spec: Json) -> None:
    entry = _some(rng, spec)
    entry["pull"] = [*entry.get("pull", []), {"account": "ci"}]


def _writes_otherwise(rng: Random, spec: Json) -> None:
    rng.shuffle(spec["repositories"])
    for entry in spec["repositories"]:
        rng.shuffle(entry.get("pull", []))


CHANGES: dict[str, tuple[Change, int]] = {
    "somebody joins": (_joins, 6),
    "somebody leaves": (_leaves, 5),
    "a repository is retired": (_retires, 3),
    "a repository comes": (_comes, 6),
    "a job pushes": (_pushes, 4),
    "a job pushes what is only observed": (_pushes_observed, 3),
    "a name gets an ID": (_identifies, 2),
    "everybody leaves a pattern": (_deserts, 1),
    "an organization pulls": (_shares, 3),
    "a statement lets somebody in": (_lets_in, 2),
    "a contract has another end": (_puts_off, 2),
    "something is observed": (_observes, 1),
    "everything is enforced": (_enforces, 1),
    "a pattern has another name": (_names_otherwise, 2),
    "names become a pattern": (_gathers, 1),
    "a pattern gives nobody anything": (_takes_all, 1),
    "a literal document has other actions": (_rewords, 2),
    "a literal document denies more": (_denies, 1),
    "an identity is exclusive, or no longer": (_excludes, 1),
    "a literal document goes": (_drops, 1),
    "access is intended": (_intends, 1),
    "an account is added": (_grows, 1),
    "a whole account pulls": (_opens, 1),
    "it is written otherwise": (_writes_otherwise, 2),
}


def drawn(seed: int) -> Drawn:
    """A pair of versions, and the accounts."""
    rng = Random(seed)
    accepted = _house()
    first = _changed(rng, accepted, rng.choice([0, 0, 1, 2]))
    new = copy.deepcopy(accepted)
    changes = _changed(rng, new, rng.choice([1, 1, 1, 2]))
    return Drawn(accepted, new, _live(rng), (*first, "then", *changes), rng.choice([*[None] * 10, 0, 50]))


def _changed(rng: Random, spec: Json, times: int) -> list[str]:
    names = rng.choices([*CHANGES], weights=[weight for _, weight in CHANGES.values()], k=times)
    for name in names:
        CHANGES[name][0](rng, spec)
    return names


def _live(rng: Random) -> Json:
    """What lies in repositories and identities that the first version does not name."""
    policies = [None, None, _document(_reads(f"arn:aws:iam::{CI}:user/ann")), _document(_reads(OUTSIDER))]
    repositories = {name: rng.choice(policies) for name in UNNAMED if name == "lab/one" or rng.random() < 0.7}
    trusts = [_trust(CI), _trust(CI), _trust(AWAY)]
    repositories |= dict.fromkeys(IN_PATTERN)
    identities: Json = {
        f"arn:aws:iam::{CI}:role/build": {"trust": rng.choice(trusts)},
        f"arn:aws:iam::{CI}:role/open": {"trust": _trust(AWAY)},
        f"arn:aws:iam::{CI}:user/ann": {},
        f"arn:aws:iam::{CI}:user/bob": {},
    }
    extra = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    for user, name in (("new", "ecr-warden-pull"), ("new", "own"), ("clerk", "more")):
        if rng.random() < 0.2:
            identities.setdefault(f"arn:aws:iam::{CI}:user/{user}", {})[name] = extra
    return {"repositories": repositories, "identities": identities}


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def _trust(account: str) -> Json:
    return _document(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    )
