"""The map in CONTRIBUTING.md shows every package of the layer and of the command, with files to begin with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## Where to find things\n")[2].partition("\n## ")[0]
TABLES = {
    root: re.findall(r"^\| `([\w/]+)` \| [^|]+ \| (.+) \|$", rows, re.MULTILINE)
    for root, rows in re.findall(r"^\| `([\w/]+)` \| holds \| begin with \|\n((?:\|.*\n)+)", MAP, re.MULTILINE)
}


def packages(root: str) -> set[str]:
    """Every package in one, by its path there."""
    folder = ROOT / root
    return {str(file.parent.relative_to(folder)) for file in folder.rglob("__init__.py")} - {"."}


def test_the_map_shows_the_layer_and_the_command() -> None:
    assert TABLES.keys() == {"layers/warden/ecr_warden", "cli/ecr_warden_cli"}


@pytest.mark.parametrize("root", TABLES)
def test_the_map_shows_every_package_and_no_other(root: str) -> None:
    shown = {name for name, _ in TABLES[root]}
    there = packages(root)
    lacks = [f"add a row for {root}/{name}" for name in sorted(there - shown)]
    gone = [f"take out the row of {root}/{name}" for name in sorted(shown - there)]
    assert lacks + gone == [], "CONTRIBUTING.md, Where to find things"


@pytest.mark.parametrize("root", TABLES)
def test_each_file_to_begin_with_is_in_its_package(root: str) -> None:
    begins = [(name, file) for name, files in TABLES[root] for file in re.findall(r"`([\w.]+)`", files)]
    assert len(begins) >= len(TABLES[root])
    assert [f"{root}/{name}/{file}" for name, file in begins if not (ROOT / root / name / file).is_file()] == []
