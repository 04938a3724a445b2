"""Bugs planted into the layer: a fixed part, the same each time; `make prove` plants all."""

from pathlib import Path

import pytest

from tests.mutants.runner import Bug, Kind, bugs, caught, unchanged

PART = bugs()[::24]


def test_each_bug_has_a_name_of_its_own_and_a_place_to_change() -> None:
    planted = bugs()
    assert len({bug.name for bug in planted}) == len(planted) >= 200
    assert [bug.name for bug in planted if bug.source().count(bug.old) != 1] == []


@pytest.mark.parametrize("table", sorted({(bug.table, bug.of) for bug in PART}), ids=lambda table: table[0])
def test_the_layer_without_a_bug_passes(table: tuple[str, Kind], tmp_path: Path) -> None:
    assert not caught(unchanged(*table), tmp_path)


@pytest.mark.parametrize("bug", PART, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert caught(bug, tmp_path_factory.getbasetemp() / "mutants")
