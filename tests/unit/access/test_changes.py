"""The table of changes of access: each case is two versions of the spec, and who gains and loses what."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.versions.access_changes import access_changes
from tests import tables
from tests.unit.access.snapshots import short

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TABLE = tables.load(Path("tests/cases/access/changes.yaml").read_text())


def compiled(text: str) -> CompiledSpec:
    whole = tables.load(TABLE["start"] + text)
    loaded = load_spec(json.dumps(whole, default=datetime.isoformat).encode(), version="v1", now=NOW)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


def line(change: AccessChange) -> str:
    """A change in one line."""
    place = change.repository.removeprefix("repository/222222222222/eu-central-1/")
    via = f" via {' and '.join(map(short, change.through))}" if change.through else ""
    conditions = f" if {' and '.join(change.conditions)}" if change.conditions else ""
    return f"{short(change.principal)} {change.direction} {change.access} {place}{via}{conditions}"


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_changes_of_access(case: dict[str, Any]) -> None:
    before = None if case["before"] is None else compiled(case["before"])
    found = access_changes(before, compiled(case["after"]))
    assert sorted(map(line, found.changes)) == sorted(case["lines"])
    assert found.undecided == ()
    if "others" in case:
        assert [gain.text for gain in found.others] == case["others"]


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_the_way_back_is_the_opposite(case: dict[str, Any]) -> None:
    before = compiled(case["before"] or "repositories: []")
    after = compiled(case["after"])
    there, back = access_changes(before, after).changes, access_changes(after, before).changes
    assert {one for one in back if one.direction is Direction.GAINS} == {
        AccessChange(one.principal, one.repository, one.access, Direction.GAINS, one.through, one.conditions)
        for one in there
        if one.direction is Direction.LOSES
    }


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_version_and_itself(case: dict[str, Any]) -> None:
    assert access_changes(compiled(case["after"]), compiled(case["after"])) == AccessChanges(())


def test_what_there_is_no_time_for_is_named() -> None:
    text = "repositories: [{name: shop/a, account: registry, pull: [ci:user/ann]}]"
    found = access_changes(None, compiled(text), has_time=lambda: False)
    assert found == AccessChanges((), ("repository/222222222222/eu-central-1/shop/a",))
