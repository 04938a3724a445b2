"""Draws the inputs of the cases from fixed seeds with the generators and tables of the other tests; for `record` alone.

Each question has its own stream of inputs, the same each time, as texts: what a file, a snapshot or an event would say.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import count, zip_longest
from pathlib import Path
from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from local.testing import grown
from tests.fuzz import inputs as fuzzed
from tests.property import comparisons, corners, estates, grants, holes, policy_documents, universe, versions
from tests.property.test_findings import specs as specs_of_two
from tests.property.test_policy_relate import pairs as rewritten_pairs
from tests.unit.versions import rows

type Json = dict[str, Any]
type Inputs = dict[str, str]

_CASES = Path("tests/cases")
_EXAMPLES = 100
_REGION, _HOME, _AWAY, _OUTSIDE = rows.REGION, rows.HOME, "111111111111", "999999999999"
_ACCESS = (
    "pull",
    "pull",
    "push",
    "push",
    "delete",
    "admin",
    "ecr:PutImage",
    "ecr:DescribeImages",
    "ecr:GetRepositoryPolicy",
)


def drawn() -> dict[str, Iterator[Inputs]]:
    """The stream of inputs of each question."""
    return {
        "relate": _pairs(),
        "plan": _plans(),
        "judge": _judgements(),
        "findings": _findings(),
        "can-i": _questions(),
        "who-can": _broad_questions(),
        "event": _events(),
    }


def _examples(strategy: st.SearchStrategy[Any], number: int = _EXAMPLES) -> list[Any]:
    """The same examples each time."""
    found: list[Any] = []

    @settings(
        max_examples=number,
        database=None,
        derandomize=True,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(example: Any) -> None:
        found.append(copy.deepcopy(example))

    keep()
    return found


@cache
def _estates() -> list[tuple[Json, Json, list[holes.Hole]]]:
    """Accounts, a spec of them, and what of them could be hidden: the costliest to draw."""
    return _examples(st.tuples(estates.estates(), specs_of_two(), holes.holes()), 80)


@cache
def _grants() -> list[grants.Drawn]:
    return _examples(grants.specs(), 300)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _yaml(spec: Json) -> str:
    """A spec as people write it, in YAML."""
    unshared = json.loads(json.dumps(spec))
    return yaml.safe_dump(unshared, sort_keys=False, default_flow_style=None, width=120)


def _in_turn(*streams: Iterator[Inputs]) -> Iterator[Inputs]:
    """One of each stream, then the next; a stream that has ended is passed over."""
    return (one for together in zip_longest(*streams) for one in together if one is not None)


# Pairs of documents


def _pairs() -> Iterator[Inputs]:
    kinds = ("repository", "trust")
    wider = ((kinds[number % 2], *pair) for number, pair in enumerate(_examples(rewritten_pairs())))
    own = (("identity", *pair) for pair in _examples(rewritten_pairs(principals=False), 500))
    changed = ((_kind_of(one), one, other) for one, other in _examples(policy_documents.changes()))
    broken = (
        (_kind_of(one), one, other) for one, other in _examples(st.tuples(fuzzed.documents(), fuzzed.documents()), 60)
    )
    streams = (
        map(universe.pair, count()),
        map(corners.pair, count()),
        iter(_examples(comparisons.pairs())),
        wider,
        own,
        changed,
        map(_split, count()),
        broken,
    )
    pairs = (one for together in zip_longest(*streams) for one in together if one is not None)
    for kind, live, desired in pairs:
        yield {"kind": f"{kind}-policy", "live": _text(live), "desired": _text(desired)}


def _kind_of(document: Any) -> str:
    text = json.dumps(document)
    return "trust" if "sts:" in text and "rincipal" in text else "repository" if "rincipal" in text else "identity"


def _split(seed: int) -> tuple[str, Json, Json]:
    """A document of the accounts that nobody planned, in other words or split into more statements."""
    rng = Random(seed)
    image = rng.choice([one for one in grown.grown(12, seed=seed).images if one.policy is not None])
    one = json.loads(image.policy or "{}")
    other = policy_documents.rewritten(one, rng)
    if rng.random() < 0.7:
        given = other["Statement"] if isinstance(other["Statement"], list) else [other["Statement"]]
        other["Statement"] = [part for statement in given for part in _parts(rng, statement)]
    if rng.random() < 0.2:
        _loosen(rng, other)
    return "repository", one, other


def _parts(rng: Random, statement: Json) -> list[Json]:
    """The statement, or one for each of its actions."""
    actions = statement.get("Action")
    if not isinstance(actions, list) or rng.random() < 0.3:
        return [statement]
    return [statement | {"Action": action} for action in actions]


def _loosen(rng: Random, document: Json) -> None:
    given = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    more = rng.choice(
        (
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{_OUTSIDE}:root"}, "Action": "ecr:BatchGetImage"},
            {"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"},
        )
    )
    document["Statement"] = [*given, more]


# Specs against the accounts


def _plans() -> Iterator[Inputs]:
    for seed in count():
        rng = Random(seed)
        before, spec, live = _two_versions(rng, seed)
        snapshot = _in_sync(before or spec if rng.random() < 0.3 else spec, spec, live)
        if snapshot is None:
            continue
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            rng.choice(_TAMPERS)(rng, snapshot)
        inputs = {"spec": spec, "estate": json.dumps(snapshot)}
        if before is not None:
            inputs["before"] = before
        if circumstances := rng.choice(_CIRCUMSTANCES):
            inputs["given"] = json.dumps(circumstances)
        yield inputs


_CIRCUMSTANCES: tuple[Json, ...] = (
    *({},) * 10,
    {"refusals": 1},
    {"refusals": 3},
    {"roles differ": True},
    {"paced": True},
    {"judged": "another"},
    {"written": 5, "looked": 2},
    {"looked": 30},
    {"unread": [_AWAY]},
    {"unread": [f"{_HOME}/{_REGION}"]},
)


def _two_versions(rng: Random, seed: int) -> tuple[str | None, str, Json]:
    """A spec, perhaps with one that came before, and what the accounts hold beside it."""
    match rng.choice(("changed", "changed", "grants")):
        case "grants":
            return None, rng.choice(_grants()).text, {}
        case _:
            one = versions.drawn(seed)
            if rng.random() < 0.2:
                _closes(rng, one.new)
            return _yaml(one.accepted) if rng.random() < 0.5 else None, _yaml(one.new), one.live


def _closes(rng: Random, spec: Json) -> None:
    """A Deny for everybody in a statement beside the grants, which may meet ecr-warden's own calls."""
    entry = rng.choice(spec["repositories"])
    actions = rng.choice(("ecr:*", "ecr:PutImage", "ecr:SetRepositoryPolicy"))
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    entry["beside"] = {"Statement": [*entry.get("beside", {"Statement": []})["Statement"], deny]}


def _in_sync(holding: str, spec: str, live: Json) -> Json | None:
    """The accounts as one spec has them; None if one of the specs is not valid."""
    try:
        found = [rows.versions_of(None, holding, text) for text in dict.fromkeys((holding, spec))]
    except AssertionError:
        return None
    accounts = sorted({account for one in found for account in one.new.accounts})
    return {"schema": 1, "accounts": rows.snapshot_of(found[0], accounts, live)}


def _people(snapshot: Json) -> list[Json]:
    return [one for account in snapshot["accounts"].values() for key in _LISTS for one in account["iam"].get(key, ())]


def _repositories(snapshot: Json) -> list[Json]:
    accounts = snapshot["accounts"].values()
    return [one for account in accounts for place in account.get("ecr", {}).values() for one in place["repositories"]]


_LISTS = ("UserDetailList", "RoleDetailList")


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
        holder[key] = holder[key] | {"Statement": [part for one in given for part in _parts(rng, one)]}


def _widens(rng: Random, snapshot: Json) -> None:
    holder, key = rng.choice(_slots(snapshot) or [({"x": {"Statement": []}}, "x")])
    given = holder[key]["Statement"]
    more = {"Effect": "Allow", "Action": "ecr:*" if key != "AssumeRolePolicyDocument" else "sts:AssumeRole"}
    named = {"AWS": rng.choice((f"arn:aws:iam::{_OUTSIDE}:user/eve", f"arn:aws:iam::{_AWAY}:root", "*"))}
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
        for key in _LISTS:
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
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{_AWAY}:root"}, "Action": "sts:AssumeRole"}
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
            for account in (_AWAY, _HOME):
                text = text.replace(f'"arn:aws:iam::{account}:user/{user}"', '"AIDAQHBJ5XEXAMPLE0001"')
        holder[key] = json.loads(text)


def _lets_services_in(rng: Random, snapshot: Json) -> None:
    """What AWS Lambda adds to a policy by itself, and something that looks like it."""
    for one in _repositories(snapshot):
        if isinstance(one.get("policy"), dict) and rng.random() < 0.6:
            source = f"arn:aws:lambda:{_REGION}:{rng.choice((_HOME, _AWAY, _OUTSIDE))}:function:*"
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


_TAMPERS: tuple[Callable[[Random, Json], None], ...] = (
    *(_rewrites, _splits, _widens, _widens, _narrows, _limits_in_time, _breaks, _deletes_documents, _deletes_things),
    *(_changes_a_role, _adds_policies, _leaves_orphans, _adds_repositories, _recreates, _lets_services_in, _hides),
)


# Versions


def _judgements() -> Iterator[Inputs]:
    return _in_turn(_small_judgements(), _small_judgements(10_000), _table_judgements())


def _small_judgements(first: int = 0) -> Iterator[Inputs]:
    """The versions of tests/property/versions.py; the baseline is the accepted one, another, or none."""
    for seed in count(first):
        rng = Random(seed)
        one = versions.drawn(seed)
        texts = {"baseline": _yaml(one.accepted), "accepted": _yaml(one.accepted), "new": _yaml(one.new)}
        match rng.choice(("same", "same", "same", "same", "other", "none", "first")):
            case "other":
                texts["baseline"] = _yaml(versions.drawn(seed + 1).accepted)
            case "none":
                del texts["baseline"]
            case "first":
                del texts["baseline"], texts["accepted"]
        if rng.random() < 0.08:
            texts["new"] = _yaml(
                one.new | {"repositories": [], "documents": []} if rng.random() < 0.3 else _fewer(rng, one.new)
            )
        snapshot = _in_sync(texts.get("accepted", texts["new"]), texts["new"], one.live)
        if snapshot is None:
            continue
        for _ in range(rng.choice((0, 0, 1))):
            rng.choice(_TAMPERS)(rng, snapshot)
        if rng.random() < 0.9:
            texts["estate"] = json.dumps(snapshot)
        if more := rng.choice(({},) * 5 + ({"removed": 4}, {"unread": [_AWAY]}, {"unread": [f"{_HOME}/{_REGION}"]})):
            texts["given"] = json.dumps(more)
        yield texts


def _fewer(rng: Random, spec: Json) -> Json:
    """Without one of the accounts and whatever names it."""
    kept = [one for one in spec["repositories"] if "ci:" not in json.dumps(one) and "account: ci" not in _yaml(one)]
    accounts = {name: one for name, one in spec["accounts"].items() if name != "ci"}
    return spec | {"accounts": accounts, "repositories": kept, "documents": []}


def _table_judgements() -> Iterator[Inputs]:
    """The rows of tests/cases/versions/judge.yaml, alone and with another row's edits."""
    rng = Random(1)
    for number in range(4 * len(rows.ROWS)):
        row = rows.ROWS[number % len(rows.ROWS)]
        try:
            baseline, accepted, new = rows.texts_of(row)
            if number >= len(rows.ROWS):
                new = rows.edited(new, rng.choice(rows.ROWS).get("edit", []))
            compiled = rows.versions_of(baseline, accepted, new)
        except AssertionError:
            continue
        named = [one for one in (compiled.accepted, compiled.new) if one is not None]
        accounts = sorted({account for one in named for account in one.accounts})
        live = row.get("live", {})
        texts = {
            "new": new,
            "estate": json.dumps({"schema": 1, "accounts": rows.snapshot_of(compiled, accounts, live)}),
        }
        texts |= {name: text for name, text in (("baseline", baseline), ("accepted", accepted)) if text is not None}
        texts["given"] = json.dumps({"removed": row.get("removed_before", 0), "unread": list(live.get("unread", ()))})
        yield texts


# Proofs


def _findings() -> Iterator[Inputs]:
    return _in_turn(_small_findings(), _table_findings())


def _small_findings() -> Iterator[Inputs]:
    for seed, (snapshot, spec, hidden) in enumerate(_estates()):
        rng = Random(seed)
        seen = holes.hidden(snapshot, hidden) if rng.random() < 0.2 else snapshot
        given: Json = {}
        if rng.random() < 0.3:
            given["live"] = [f"repository/{_HOME}/{_REGION}/shop/app", f"user/{_AWAY}/ann"]
        if rng.random() < 0.5:
            given["administrators"] = {_HOME: [], _AWAY: [f"arn:aws:iam::{_AWAY}:user/ann"]}
        yield {"spec": _yaml(spec), "estate": json.dumps(seen), "given": json.dumps(given)}


def _table_findings() -> Iterator[Inputs]:
    """The cases of tests/cases/access/findings.yaml, alone and two at a time."""
    table = yaml.safe_load((_CASES / "access/findings.yaml").read_text())
    cases = list(table["cases"].values())
    rng = Random(1)
    for number in range(3 * len(cases)):
        one = cases[number % len(cases)]
        other = rng.choice(cases) if number >= len(cases) else {}
        spec = yaml.safe_load(one.get("spec", table["spec"]))
        spec |= {"also_allowed": one.get("also_allowed", [])} if one.get("also_allowed") else {}
        known = {key: (one | other)[key] for key in ("administrators", "upstreams", "live") if key in one | other}
        estate = json.dumps({"schema": 1, "accounts": _accounts_of(table, one, other)})
        yield {"spec": json.dumps(spec, default=datetime.isoformat), "estate": estate, "given": json.dumps(known)}


def _accounts_of(table: Json, *cases: Json) -> Json:
    accounts: Json = {name: {"iam": copy.deepcopy(iam)} for name, iam in table["iam"].items()}
    registry = copy.deepcopy(table["ecr"])
    home = accounts[_HOME]
    for case in cases:
        for account, lists in case.get("iam", {}).items():
            iam = accounts.setdefault(account, {"iam": {}})["iam"]
            for name, entries in lists.items():
                iam[name] = [*iam.get(name, []), *entries]
        for name, value in case.get("ecr", {}).items():
            registry[name] = [*registry.get(name, []), *value] if isinstance(value, list) else value
        home["unread"] = [*home.get("unread", []), *case.get("denied", [])]
        home |= {"oidcProviders": case["providers"]} if "providers" in case else {}
        for account, organization in case.get("organizations", {}).items():
            accounts[account]["organization"] = organization
    home["ecr"] = {_REGION: registry}
    for account in cases[0].get("without", []):
        del accounts[account]
    return accounts


# Questions about access


def _snapshots() -> Iterator[tuple[Json, str | None]]:
    """Accounts, each with a spec of them if there is one."""
    table = yaml.safe_load((_CASES / "access/estates.yaml").read_text())
    listed = [({"schema": 1, "accounts": one["accounts"]}, None) for one in table]
    for number, (snapshot, spec, hidden) in enumerate(_estates()):
        if number % 3 == 0:
            yield holes.hidden(snapshot, hidden), _yaml(spec)
        elif number % 3 == 1:
            yield snapshot, _yaml(spec)
        elif number % 6 == 2 and listed:
            yield listed.pop(0)
        else:
            yield grown.grown(10, seed=number).snapshot(), None


def _questions() -> Iterator[Inputs]:
    for number, (snapshot, _) in enumerate(_snapshots()):
        rng = Random(number)
        text = json.dumps(snapshot)
        people, places = _principals(snapshot, text), _places(snapshot)
        for _ in range(5):
            if not places:
                continue
            access, where = rng.choice(_ACCESS), rng.choice(places)
            roles = [arn for arn in people if ":role/" in arn]
            if rng.random() < 0.12 and roles:
                access, where = "assume", rng.choice(roles)
            yield {"estate": text, "access": access, "repository": where, "principal": rng.choice(people)}


def _principals(snapshot: Json, text: str) -> list[str]:
    """Users and roles, mostly; sessions, roots, services and others now and then."""
    accounts = snapshot["accounts"].values()
    people = [one["Arn"] for account in accounts for key in _LISTS for one in account.get("iam", {}).get(key, ())]
    roles = [arn for arn in people if ":role/" in arn]
    sessions = [f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/{arn.rpartition('/')[2]}/s" for arn in roles[:2]]
    others = [f"arn:aws:iam::{_HOME}:root", f"arn:aws:iam::{_OUTSIDE}:user/eve", "lambda.amazonaws.com"]
    provider = f"arn:aws:iam::{_HOME}:oidc-provider/token.actions.githubusercontent.com"
    return [*people, *people, *sessions, *others, *([provider] if "githubusercontent" in text else [])]


def _places(snapshot: Json) -> list[str]:
    return [
        f"{account}/{region}/{one['repositoryName']}"
        for account, entry in snapshot["accounts"].items()
        for region, place in entry.get("ecr", {}).items()
        for one in place.get("repositories") or ()
    ]


def _broad_questions() -> Iterator[Inputs]:
    for number, (snapshot, spec) in enumerate(_snapshots()):
        rng = Random(number)
        for where in rng.sample(places := _places(snapshot), min(2, len(places))):
            inputs = {"estate": json.dumps(snapshot), "access": rng.choice(_ACCESS), "repository": where}
            inputs |= {"escalation": "yes"} if rng.random() < 0.3 else {}
            yield inputs | ({"spec": spec} if spec is not None and inputs["access"] in ("pull", "push") else {})


# Events


def _events() -> Iterator[Inputs]:
    """Every event of the other tests, and then such events with another call, caller, account, name or error."""
    triggers = _CASES / "triggers"
    known = [json.loads(path.read_text()) for path in sorted(Path("events").glob("*.json"))]
    known += [one["event"] for one in json.loads((triggers / "events.json").read_text())]
    known += [json.loads(line)["event"] for line in (triggers / "records.jsonl").read_text().splitlines()]
    callers = [one["record"].get("userIdentity") for one in json.loads((triggers / "identities.json").read_text())]
    yield from ({"event": json.dumps(one)} for one in known)
    calls = [record for one in known if isinstance(record := _record(one), dict) and "eventName" in record]
    for seed in count():
        rng = Random(seed)
        event = copy.deepcopy(rng.choice(known))
        record = _record(event)
        if not isinstance(record, dict):
            continue
        for _ in range(rng.choice((1, 1, 2, 3))):
            _vary(rng, record, rng.choice(calls), callers)
        yield {"event": json.dumps(event)}


def _record(event: Any) -> Any:
    return event.get("detail", event) if isinstance(event, dict) else None


def _vary(rng: Random, record: Json, other: Mapping[str, Any], callers: list[Any]) -> None:
    match rng.choice(("call", "call", "caller", "caller", "names", "names", "account", "error", "region", "missing")):
        case "call":
            record |= {key: copy.deepcopy(other.get(key)) for key in ("eventSource", "eventName", "requestParameters")}
        case "caller":
            record["userIdentity"] = copy.deepcopy(rng.choice(callers))
        case "names" if isinstance(record.get("requestParameters"), dict):
            for name in record["requestParameters"]:
                if name in _NAMES:
                    record["requestParameters"][name] = rng.choice(_NAMES[name])
        case "account":
            record["recipientAccountId"] = rng.choice((_HOME, _AWAY, _OUTSIDE))
        case "error":
            record["errorCode"] = rng.choice(("AccessDenied", "NoSuchEntity", "ThrottlingException"))
        case "region":
            record["awsRegion"] = rng.choice(("eu-central-1", "us-east-1", "us-gov-west-1", "somewhere"))
        case "missing" if record:
            del record[rng.choice(sorted(record))]


_NAMES: Mapping[str, tuple[Any, ...]] = {
    "repositoryName": ("shop/checkout", "lab/one", "x", "Not A Name", ""),
    "registryId": (_HOME, _AWAY, "1", None),
    "roleName": ("ecr-pusher", "ECR-Pusher", "ecr-warden-write", "ecr-warden-other", "a/b"),
    "userName": ("push-user", "mallory", "", None),
    "newUserName": ("push-user-old", "push-user", None),
    "policyArn": (
        f"arn:aws:iam::{_HOME}:policy/ecr-warden/ecr-warden-boundary",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        f"arn:aws:iam::{_HOME}:policy/team",
    ),
}
