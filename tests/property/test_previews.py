"""The previews of one version say the same of one estate: `diff`, `apply`, `plan FILE` and what is held."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.collect.estate import Piece
from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.naming import spelled
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.changes import Versions
from ecr_warden.versions.judge import judge
from tests.cli.command import Command
from tests.cli.test_hub import over
from tests.property.versions import drawn
from tests.snapshots import estate_from_text
from tests.unit.versions.rows import NOW, snapshot_of
from tests.usecases.world import World

SEEDS, FEW = 300, 40
_CHANGE = re.compile(r"(?!nobody |\d+ (gain|loss|other ))\S.* (gains?|loses?) .*|\S+[:/]\S+: .*")
_WITHOUT = ("without a change of pull or push", "will be left as it is", "its policy will be revoked")
_OBSERVED = "; this is only observed: it says mode: observe"

type Json = dict[str, Any]

SEEN = [pytest.param(seed, marks=pytest.mark.thorough if seed >= FEW else ()) for seed in range(SEEDS)]


def said(output: str) -> list[str]:
    """The lines on who gains and who loses."""
    lines = filter(_CHANGE.fullmatch, output.splitlines())
    return sorted(line for line in lines if not line.endswith(_WITHOUT) and "changes from" not in line)


def compiled(spec: Json) -> CompiledSpec | None:
    loaded = load_spec(json.dumps(spec).encode(), version="v1", now=NOW)
    return loaded.compiled if isinstance(loaded, Valid) else None


def hub_of(observed: Json, accepted: CompiledSpec, entries: Json) -> Command:
    """The command over a hub that observes the same spec, and has read the accounts."""
    world = World(accepted=accepted)
    world.specs.compiled, world.specs.base = accepted, None
    world.specs.file = SpecVersion("v1", json.dumps(observed).encode())
    for account, whole in entries.items():
        pieces = {account: {key: value for key, value in whole.items() if key != "ecr"}}
        pieces |= {f"{account}/{region}": piece for region, piece in whole.get("ecr", {}).items()}
        for part, piece in pieces.items():
            world.estate_store.put(Piece(part, NOW, piece))
    return over(world)


@pytest.mark.parametrize("seed", SEEN)
def test_all_say_the_same_gains_and_losses(seed: int, tmp_path: Path) -> None:
    one = drawn(seed)
    observed = {**one.new, "settings": {**one.new.get("settings", {}), "mode": "observe"}}
    new, before, made = map(compiled, (one.new, observed, one.accepted))
    if new is None or before is None:
        return  # no version, so there is nothing to say of it
    entries = snapshot_of(Versions(None, made, new), sorted(new.accounts), one.live)
    texts = {"new": one.new, "observed": observed, "estate": {"schema": 1, "accounts": entries}}
    files = {name: tmp_path / f"{name}.json" for name in texts}
    for name, text in texts.items():
        files[name].write_text(json.dumps(text))
    command = hub_of(observed, before, entries)
    estate = ("--snapshot", str(files["estate"]))
    versions, live = Versions(None, before, new), LiveEstate(estate_from_text(files["estate"].read_text(), at=NOW))
    held = judge(versions, live, removed_before=0, now=NOW)
    diff = command("diff", str(files["observed"]), str(files["new"]), *estate, "--baseline", "/dev/null")
    outputs = {
        "diff": diff.out,
        "plan": command("plan", str(files["new"]), *estate).out,
        "apply": command("apply", str(files["new"])).out,
    }
    previews = {verb: said(output) for verb, output in outputs.items()}
    # As `held` and `accept` print it.
    hold = sorted(spelled(line, new.aliases) for line in (*held.gains, *held.loses))
    if versions.only_observe:
        assert hold == []
        assert all(_OBSERVED in output for output in outputs.values() if said(output))
        hold = previews["diff"]
    assert previews == dict.fromkeys(outputs, hold)
