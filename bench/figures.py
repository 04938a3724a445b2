"""A measured figure and its target; the table for people and the files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.aws.launcher import ROOT

JSON_FILE, MARKDOWN_FILE = ROOT / "bench" / "results.json", ROOT / "bench" / "results.md"
_HEAD = ("what", "measured", "target", "")
_INTRODUCTION = (
    "Measured by `make bench` in one run, on the emulator of local/ with authorization on.\n"
    "Counts and sizes are exact. Times depend on the machine and its other load: compare only figures of one run, and\n"
    "read ratios, not times.\n"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `target`: its maximum, None if it has none. Unit: "calls", "ms", "x", "MB" or ""."""

    group: str
    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""

    @property
    def missed(self) -> bool:
        """Whether it is more than its target."""
        return self.target is not None and self.value > self.target

    def row(self) -> tuple[str, str, str, str]:
        """The figure as text for people."""
        target = "" if self.target is None else f"<= {_number(self.target, self.unit)}"
        verdict = "" if self.target is None else "MISSED" if self.missed else "ok"
        return self.name, f"{_number(self.value, self.unit)}{' ' + self.note if self.note else ''}", target, verdict


def _number(value: float, unit: str) -> str:
    match unit:
        case "calls" | "":
            return f"{value:g}"
        case "ms":
            return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
        case _:
            return f"{value:.2f} {unit}"


def groups(figures: Sequence[Figure]) -> list[tuple[str, list[Figure]]]:
    """The figures by group, in the order of each group's first figure."""
    names = dict.fromkeys(figure.group for figure in figures)
    return [(name, [figure for figure in figures if figure.group == name]) for name in names]


def table(figures: Sequence[Figure]) -> str:
    """The table for a terminal."""
    width = max(len(figure.name) for figure in figures) + 2
    lines = []
    for name, members in groups(figures):
        lines += ["", name]
        for what, measured, target, verdict in (figure.row() for figure in members):
            lines.append(f"  {what:<{width}}{measured:<34}{target:<12}{verdict}".rstrip())
    return "\n".join(lines)


def markdown(figures: Sequence[Figure]) -> str:
    """The table as a Markdown page."""
    lines = ["# Results", "", _INTRODUCTION]
    for name, members in groups(figures):
        lines += [f"## {name}", "", f"| {' | '.join(_HEAD)} |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(figure.row())} |" for figure in members]
        lines.append("")
    return "\n".join(lines)


def write(figures: Sequence[Figure], json_file: Path = JSON_FILE, markdown_file: Path = MARKDOWN_FILE) -> None:
    """Write both files."""
    rows = [
        {
            "group": figure.group,
            "name": figure.name,
            "value": round(figure.value, 3),
            "unit": figure.unit,
            "target": figure.target,
        }
        for figure in figures
    ]
    json_file.write_text(json.dumps({"figures": rows}, indent=1) + "\n")
    markdown_file.write_text(markdown(figures))
