"""What is judged of a version against an oracle that carries it out and asks everybody everything.

Whatever the oracle finds that nobody may do unseen is held; what it finds harmless takes effect by itself.
"""

import json
import re
from functools import cache
from typing import NamedTuple

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.desired import CompiledSpec, Mode, RoleSettings, TargetSpec
from ecr_warden.core.judgement import Judgement, WaitCode
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.versions.changes import Versions
from ecr_warden.versions.judge import judge
from iam_access.document.document import Document
from tests.property.version_oracle import (
    KEPT,
    OUTSIDERS,
    Person,
    State,
    Version,
    carried_out,
    counted,
    gained,
    left_open,
    taken_over,
)
from tests.property.versions import CI, HOME, REGION, Drawn, Json, drawn
from tests.snapshots import estate_from_text
from tests.unit.versions.rows import NOW, snapshot_of

SEEDS = 100
PEOPLE = [
    *(Person(f"arn:aws:iam::{CI}:user/{name}") for name in ("ann", "bob", "new", "robot", "clerk")),
    Person(f"arn:aws:iam::{HOME}:user/carl"),
    Person(f"arn:aws:sts::{CI}:assumed-role/build/s"),
    Person("arn:aws:iam::444444444444:user/member", (("aws:principalorgid", "o-a1b2c3d4e5"),)),
]
EVERYBODY = [*PEOPLE, *OUTSIDERS]


class Tried(NamedTuple):
    """A pair of versions, how the new one is judged, and what the oracle demands: a code of each, and why."""

    drawn: Drawn
    judged: Judgement
    demanded: dict[WaitCode, str]
    is_harmless: bool


@cache
def tried(seed: int) -> Tried | None:
    """None where a change makes no valid spec."""
    one = drawn(seed)
    loaded = [
        load_spec(json.dumps(spec).encode(), version=f"v{n}", now=NOW, accepted=True)
        for n, spec in enumerate((one.accepted, one.new))
    ]
    versions = [found.compiled for found in loaded if isinstance(found, Valid)]
    if len(versions) < 2:
        return None
    old, new = versions
    accounts = sorted({*old.accounts, *new.accounts})
    entries = snapshot_of(Versions(old, old, new), accounts, _in_sync(one.live, old))
    estate = estate_from_text(json.dumps({"schema": 1, "accounts": entries}), at=NOW)
    judged = judge(Versions(old, old, new), LiveEstate(estate), removed_before=0, now=NOW, max_removed=one.max_removed)
    before = _state(entries)
    after = carried_out(before, _version(old), _version(new))
    # What repairs leave alone at most: every document with all that observed grants add to it.
    widest = [_version(version.with_observed) for version in (old, new)]
    left_alone = carried_out(before, widest[0], widest[0]), carried_out(before, *widest)
    demanded = _demanded(one, (before, after), left_alone, (_version(old), _version(new)))
    return Tried(one, judged, demanded, not demanded and _is_plain(one))


def _in_sync(live: Json, old: CompiledSpec) -> Json:
    """The accounts without what would differ from the accepted version, which is enforced, and with what it gives."""
    repositories: Json = {}
    for name, policy in live["repositories"].items():
        spec = old.spec_of(RepositoryTarget(HOME, REGION, name))
        if spec is None or old.mode_of(spec.target) is Mode.OBSERVE:
            repositories[name] = policy
        else:
            (value,) = spec.documents.values()
            repositories[name] = json.loads(value.text) if isinstance(value, Document) else None
    return {**live, "repositories": repositories}


def _version(spec: CompiledSpec) -> Version:
    targets = {
        str(target.target): (
            spec.mode_of(target.target) is Mode.ENFORCE,
            str(target.extent.value),
            _documents(target),
        )
        for target in spec.targets.values()
    }
    patterns = tuple(
        (
            one.name,
            one.excluded,
            (one.mode or spec.mode) is Mode.ENFORCE,
            json.loads(one.policy.text) if isinstance(one.policy, Document) else None,
        )
        for one in spec.patterns
    )
    return Version(spec.overall_mode is Mode.ENFORCE, targets, patterns)


def _documents(target: TargetSpec) -> Json:
    names = {at: "" if isinstance(target.target, RepositoryTarget) else at.name or "trust" for at in target.granted}
    found: Json = {}
    for at, value in target.documents.items():
        if isinstance(value, RoleSettings):
            found["role"] = True
        else:
            found[names[at]] = json.loads(value.text) if isinstance(value, Document) else None
    return found | {names[at]: KEPT for at in target.observed}


def _state(entries: Json) -> State:
    state = State({}, {}, {})
    for account in entries.values():
        for one in account.get("ecr", {}).get("eu-central-1", {}).get("repositories", ()):
            state.repositories[one["repositoryName"]] = one["policy"]
        for kind in ("User", "Role"):
            for one in account["iam"][f"{kind}DetailList"]:
                held = one.get(f"{kind}PolicyList", ())
                state.own[one["Arn"]] = {policy["PolicyName"]: policy["PolicyDocument"] for policy in held}
                if "AssumeRolePolicyDocument" in one:
                    state.trusts[one["Arn"]] = one["AssumeRolePolicyDocument"]
    return state


def _demanded(
    one: Drawn, states: tuple[State, State], left_alone: tuple[State, State], versions: tuple[Version, Version]
) -> dict[WaitCode, str]:
    found: dict[WaitCode, str] = {}
    (before, after), (old, new) = states, versions
    outsiders = [person for person in OUTSIDERS if not _is_known(one.accepted, person)]
    gains = {person: gained(*some, person) for some in (states, left_alone) for person in outsiders}
    if any(gains.values()):
        found[WaitCode.OUTSIDE_GAINS] = repr(gains)
    taken = taken_over(before, after, versions, EVERYBODY)
    if taken:
        found[WaitCode.TAKES_OVER] = repr(taken)
    if left := left_open(before, after, old, new):
        found[WaitCode.STAYS_OPEN] = repr(left)
    gone = {each for each in counted(before, after, PEOPLE, old) if each[2] not in taken}
    if len(gone) > (5 if one.max_removed is None else one.max_removed):
        found[WaitCode.REMOVES_MUCH] = repr(gone)
    return found


def _is_known(spec: Json, person: Person) -> bool:
    """Whether a version's grants name the organization or the owner."""
    text = json.dumps([entry.get(key) for entry in spec["repositories"] for key in ("pull", "push")])
    is_owner = any(f"@{one}/" in str(person) and f'"owner_id": {one},' in text for one in (13, 66))
    return is_owner or (bool(person.context) and "beta" in spec["organizations"])


def _is_plain(one: Drawn) -> bool:
    """Whether nothing but grants and documents differs, and nothing that is not to be lost at all."""
    same = ("accounts", "organizations", "settings", "also_allowed")
    modes = [{entry["name"]: entry.get("mode") for entry in spec["repositories"]} for spec in (one.accepted, one.new)]
    is_same = all(one.accepted.get(key) == one.new.get(key) for key in same)
    # Another ID of an owner waits, also beside a name that is known, whose jobs get in already.
    owners = [
        set(re.findall('"github": "([^/]+).{0,90}?"owner_id": ([0-9]+)', json.dumps(spec)))
        for spec in (one.accepted, one.new)
    ]
    return (
        is_same
        and one.max_removed != 0
        and "observe" not in {*modes[0].values(), *modes[1].values()}
        and owners[1] <= owners[0]
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_nobody_may_do_unseen_is_held(seed: int) -> None:
    found = tried(seed)
    if found is not None:
        codes = {one.code for one in found.judged.held}
        assert found.demanded.keys() <= codes, (found.drawn.changes, found.demanded, found.judged.held)


def test_what_harms_nobody_takes_effect_by_itself() -> None:
    every = [found for seed in range(SEEDS) if (found := tried(seed)) is not None]
    harmless = [found for found in every if found.is_harmless]
    held = [(found.drawn.changes, found.judged.held) for found in harmless if found.judged.held]
    assert len(every) > SEEDS * 0.8
    assert len(harmless) > SEEDS * 0.2
    assert len(held) <= len(harmless) * 0.05, held
