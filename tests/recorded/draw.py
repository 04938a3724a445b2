"""Draws the inputs of the cases from fixed seeds with the generators and tables of the other tests; for `record` alone.

Each question has its own stream of inputs, the same each time, as texts: what a file, a snapshot or an event would say.
"""

import copy
import json
from collections.abc import Iterator, Mapping
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
from local.testing.printed import complete, complete_account
from tests import tables
from tests.fuzz import inputs as fuzzed
from tests.property import corners, estates, grants, holes, policy_documents, universe, versions
from tests.property.test_findings import specs as specs_of_two
from tests.property.test_policy_relate import pairs as rewritten_pairs
from tests.recorded.tampering import AWAY, CIRCUMSTANCES, HARMLESS, HOME, LISTS, OUTSIDE, REGION, TAMPERS, parts
from tests.unit.versions import rows

type Json = dict[str, Any]
type Inputs = dict[str, str]

_CASES = Path("tests/cases")
_EXAMPLES = 500
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
    return _examples(st.tuples(estates.estates(), specs_of_two(), holes.holes()), 600)


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
        other["Statement"] = [part for statement in given for part in parts(rng, statement)]
    if rng.random() < 0.2:
        _loosen(rng, other)
    return "repository", one, other


def _loosen(rng: Random, document: Json) -> None:
    given = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    more = rng.choice(
        (
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OUTSIDE}:root"}, "Action": "ecr:BatchGetImage"},
            {"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"},
        )
    )
    document["Statement"] = [*given, more]


# Specs against the accounts


def _plans() -> Iterator[Inputs]:
    for seed in count():
        rng = Random(seed)
        before, spec, live = _two_versions(rng, seed)
        tampers = TAMPERS
        if rng.random() < 0.25:
            before, live, tampers = None, {}, HARMLESS
        snapshot = _in_sync(before or spec if rng.random() < 0.3 else spec, spec, live)
        if snapshot is None:
            continue
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            rng.choice(tampers)(rng, snapshot)
        inputs = {"spec": spec, "estate": json.dumps(snapshot)}
        if before is not None:
            inputs["before"] = before
        circumstances, tamper = rng.choice(CIRCUMSTANCES)
        if tamper is not None:
            tamper(rng, snapshot)
            inputs |= {"estate": json.dumps(snapshot), "given": json.dumps(circumstances)}
        yield inputs


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


# Versions


def _judgements() -> Iterator[Inputs]:
    return _in_turn(_small_judgements(), _small_judgements(10_000), _table_judgements())


def _small_judgements(first: int = 0) -> Iterator[Inputs]:
    """The versions of tests/property/versions.py; the baseline is the accepted one, another, or none."""
    for seed in count(first):
        rng = Random(seed)
        one = versions.drawn(seed)
        if rng.random() < 0.1:
            one.accepted["settings"]["widening"] = "approve"
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
                one.new | {"repositories": [], "documents": []} if rng.random() < 0.3 else _fewer(one.new)
            )
        snapshot = _in_sync(texts.get("accepted", texts["new"]), texts["new"], one.live)
        if snapshot is None:
            continue
        for _ in range(rng.choice((0, 0, 1))):
            rng.choice(TAMPERS)(rng, snapshot)
        if rng.random() < 0.9:
            texts["estate"] = json.dumps(snapshot)
        if more := rng.choice(({},) * 5 + ({"removed": 4}, {"unread": [AWAY]}, {"unread": [f"{HOME}/{REGION}"]})):
            texts["given"] = json.dumps(more)
        yield texts


def _fewer(spec: Json) -> Json:
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
            given["live"] = [f"repository/{HOME}/{REGION}/shop/app", f"user/{AWAY}/ann"]
        if rng.random() < 0.5:
            given["administrators"] = {HOME: [], AWAY: [f"arn:aws:iam::{AWAY}:user/ann"]}
        yield {"spec": _yaml(spec), "estate": json.dumps(seen), "given": json.dumps(given)}


def _table_findings() -> Iterator[Inputs]:
    """The cases of tests/cases/access/findings.yaml, alone and two at a time."""
    table = tables.load((_CASES / "access/findings.yaml").read_text())
    cases = list(table["cases"].values())
    rng = Random(1)
    for number in range(3 * len(cases)):
        one = cases[number % len(cases)]
        other = rng.choice(cases) if number >= len(cases) else {}
        spec = tables.load(one.get("spec", table["spec"]))
        spec |= {"also_allowed": one.get("also_allowed", [])} if one.get("also_allowed") else {}
        known = {key: (one | other)[key] for key in ("administrators", "upstreams", "live") if key in one | other}
        estate = json.dumps({"schema": 1, "accounts": _accounts_of(table, one, other)})
        yield {"spec": json.dumps(spec, default=datetime.isoformat), "estate": estate, "given": json.dumps(known)}


def _accounts_of(table: Json, *cases: Json) -> Json:
    accounts: Json = {name: {"iam": copy.deepcopy(iam)} for name, iam in table["iam"].items()}
    registry = copy.deepcopy(table["ecr"])
    home = accounts[HOME]
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
    home["ecr"] = {REGION: registry}
    for account in cases[0].get("without", []):
        del accounts[account]
    return {name: complete_account(entry) for name, entry in accounts.items()}


# Questions about access


def _snapshots() -> Iterator[tuple[Json, str | None]]:
    """Accounts, each with a spec of them if there is one."""
    table = tables.load((_CASES / "access/estates.yaml").read_text())
    listed = [(complete({"schema": 1, "accounts": one["accounts"]}), None) for one in table]
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
    people = [one["Arn"] for account in accounts for key in LISTS for one in account.get("iam", {}).get(key, ())]
    roles = [arn for arn in people if ":role/" in arn]
    sessions = [f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/{arn.rpartition('/')[2]}/s" for arn in roles[:2]]
    others = [f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{OUTSIDE}:user/eve", "lambda.amazonaws.com"]
    provider = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
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
            record["recipientAccountId"] = rng.choice((HOME, AWAY, OUTSIDE))
        case "error":
            record["errorCode"] = rng.choice(("AccessDenied", "NoSuchEntity", "ThrottlingException"))
        case "region":
            record["awsRegion"] = rng.choice(("eu-central-1", "us-east-1", "us-gov-west-1", "somewhere"))
        case "missing" if record:
            del record[rng.choice(sorted(record))]


_NAMES: Mapping[str, tuple[Any, ...]] = {
    "repositoryName": ("shop/checkout", "lab/one", "x", "Not A Name", ""),
    "registryId": (HOME, AWAY, "1", None),
    "roleName": ("ecr-pusher", "ECR-Pusher", "ecr-warden-write", "ecr-warden-other", "a/b"),
    "userName": ("push-user", "mallory", "", None),
    "newUserName": ("push-user-old", "push-user", None),
    "policyArn": (
        f"arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        f"arn:aws:iam::{HOME}:policy/team",
    ),
}
