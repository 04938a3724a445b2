"""Bugs planted into the engine, who can, the proof and ended sessions: the tables catch all; see build/mutants.json."""

import json
from pathlib import Path

import pytest

from tests.mutants.runner import Bug, Kind, bugs, caught

_REPORT = Path(__file__).parents[2] / "build" / "mutants.json"


@pytest.mark.parametrize("table", sorted({(bug.table, bug.of) for bug in bugs()}), ids=lambda table: table[0])
def test_the_layer_without_a_bug_passes(table: tuple[str, Kind], tmp_path: Path) -> None:
    name, of = table
    file = "canonical.py" if of == "policy" else "policy/canonical.py"
    assert not caught(Bug("none", file, name, "", "", of), tmp_path)


def test_every_planted_bug_is_caught(tmp_path: Path) -> None:
    planted = bugs()
    assert len({bug.name for bug in planted}) == len(planted) >= 30
    missed = [bug.name for bug in planted if not caught(bug, tmp_path)]
    _REPORT.parent.mkdir(exist_ok=True)
    report = {"planted": len(planted), "caught": len(planted) - len(missed), "missed": missed}
    _REPORT.write_text(json.dumps(report, indent=2) + "\n")
    assert missed == []
