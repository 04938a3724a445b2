"""Every planted bug, area by area, and the figures in build/mutants.json."""

import json
from argparse import ArgumentParser
from pathlib import Path

from msgspec import Struct

from tests.mutants.areas import ROOT, Area, areas, chosen, survivors
from tests.mutants.runner import Found, plant

_REPORT = ROOT / "build" / "mutants.json"


class Figures(Struct):
    """Of one area: bugs planted, noticed, not noticed because nobody could, and not noticed yet.

    `alone`: by path of tests, where there are several, the bugs that no other path of the area notices, by name.
    """

    area: str
    planted: int
    caught: int
    change_nothing: int
    not_yet: int
    alone: dict[str, list[str]]

    @property
    def share(self) -> int:
        """Percent noticed of those that change anything, rounded down."""
        return 100 * self.caught // max(1, self.planted - self.change_nothing)


def main(arguments: list[str]) -> int:
    """1 if a bug that is not listed survives, an area is below its floor, or tests fail without a bug."""
    parser = ArgumentParser(prog="python -m tests.mutants", description="plants bugs and runs the tests on each")
    parser.add_argument("--area", action="append", help="only of this area (several times: of these)")
    parser.add_argument("--bug", action="append", help="only this bug, by its name (several times: these)")
    parser.add_argument("--most", type=int, help="at most so many bugs of each area")
    options = parser.parse_args(arguments)
    wanted = [
        (area, [bug for bug in chosen(area) if not options.bug or bug.name in options.bug][: options.most])
        for area in areas()
        if not options.area or area.name in options.area
    ]
    known = survivors()
    # What nobody can notice is not tried: that would take longer than all others.
    tried = [(area, [bug for bug in bugs if bug.name not in known or not known[bug.name].why]) for area, bugs in wanted]
    found = plant([(area, bugs) for area, bugs in tried if bugs], known)
    lines = [f"fails without a bug: {test}" for test in found.broken]
    for _, bug, fate in found.fates:
        place = f"{Path(bug.file).relative_to(ROOT)}:{bug.line} {bug.text}"
        if fate == "caught" and bug.name in known:
            print(f"{bug.name} is noticed by now, and may leave survivors.yaml: {place}")
        elif fate != "caught" and bug.name not in known:
            lines.append(f"{bug.name} {fate}: {place}")
    figures = [figures_of(area, len(bugs), found) for area, bugs in wanted]
    _show(figures)
    if options.area or options.bug or options.most:
        for line in lines:
            print(line)
        return 1 if lines else 0
    lines += [
        f"{one.area}: {one.share} % noticed, below {area.floor} % as it was"
        for one, (area, _) in zip(figures, wanted, strict=True)
        if one.share < area.floor
    ]
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps([*map(_to_json, figures)], indent=2) + "\n")
    for line in lines:
        print(line)
    return 1 if lines else 0


def figures_of(area: Area, planted: int, found: Found) -> Figures:
    """Of an area of which so many were planted."""
    fates = [(bug, fate) for name, bug, fate in found.fates if name == area.name]
    caught = sum(fate == "caught" for _, fate in fates)
    alone = {path: [bug.name for bug, _ in fates if found.by.get(bug.name) == [path]] for path in area.tests}
    alone = alone if len(alone) > 1 else {}
    return Figures(area.name, planted, caught, planted - len(fates), len(fates) - caught, alone)


def _to_json(one: Figures) -> dict[str, object]:
    return {
        "area": one.area,
        "planted": one.planted,
        "caught": one.caught,
        "changeNothing": one.change_nothing,
        "notYet": one.not_yet,
        "alone": one.alone,
    }


def _show(figures: list[Figures]) -> None:
    total = Figures(
        "all",
        sum(one.planted for one in figures),
        sum(one.caught for one in figures),
        sum(one.change_nothing for one in figures),
        sum(one.not_yet for one in figures),
        {},
    )
    print(f"{'':28}{'planted':>8}{'noticed':>8}{'change nothing':>16}{'not yet':>9}{'share':>8}")
    for one in (*figures, total):
        print(f"{one.area:28}{one.planted:8}{one.caught:8}{one.change_nothing:16}{one.not_yet:9}{one.share:6} %")
        for path, names in one.alone.items():
            print(f"  alone by {path}: {len(names)} {' '.join(names)}".rstrip())
