"""`make bench`: measures everything in one run, prints it and writes bench/results.json and bench/results.md.

With names of parts (`make bench ONLY="cold-start memory"`) only those are measured and printed; nothing is written,
because figures of two runs do not stand beside one another.
"""

import argparse
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from bench import (
    answers,
    changes,
    cold_start,
    counting,
    dense,
    detection,
    flood,
    growth,
    importing,
    open_to_all,
    organization,
    pace,
    policy,
    repair,
    report,
    scale,
    timing,
    who_can,
)
from bench.figures import JSON_FILE, MARKDOWN_FILE, Figure, table, write
from local.aws.deploy import build
from local.aws.launcher import ROOT, EmulatedAws
from local.testing.installed import Installed, install
from local.testing.runtime_api import layers_in

_ALONE: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "policy": policy.run,
    "who-can": who_can.run,
    "open-to-all": open_to_all.run,
    "dense": dense.run,
    "report": report.run,
    "scale": scale.run,
    "import": importing.run,
    "diff": changes.run,
    "answers": answers.run,
    "organization": organization.run,
    "flood": flood.flood,
    "pace": pace.paces,
}
# On one hub, in this order. The first needs all functions at work, the others have them paused.
_REPAIR = "repair"
_PAUSED: Mapping[str, Callable[[Installed], Iterator[Figure]]] = {
    "calls": counting.count,
    "memory": timing.memory,
    "cold-start": cold_start.cold,
    "plain": counting.plain,
    "growth": growth.growth,
}
PARTS = (*_ALONE, _REPAIR, *_PAUSED, "detection")


def main() -> None:
    """Measure the selected parts, and report the targets that were missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Counts and ratios. Without parts: all.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}")
    asked = parser.parse_args().parts
    unknown = sorted({*asked} - {*PARTS})
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    figures = list(measure(asked or PARTS))
    print(table(figures))
    missed = [figure.name for figure in figures if figure.missed]
    print(f"\nmissed: {', '.join(missed) or 'none'}")
    if not asked:
        write(figures)
        print(f"written: {JSON_FILE.relative_to(ROOT)}, {MARKDOWN_FILE.relative_to(ROOT)}")


def measure(parts: Collection[str]) -> Iterator[Figure]:
    """The figures of some parts; the parts that need a hub share one deployment."""
    for name, part in _ALONE.items():
        if name in parts:
            print(f"measuring {name} ...", flush=True)
            yield from part()
    if {_REPAIR, *_PAUSED} & {*parts}:
        yield from _on_a_hub(parts)
    if "detection" in parts:
        print("sweeping 20, 200 and 1000 repositories ...", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            yield from detection.detection(layers_in(build(into=Path(folder) / "built").parent))


def _on_a_hub(parts: Collection[str]) -> Iterator[Figure]:
    with EmulatedAws() as aws, tempfile.TemporaryDirectory() as folder:
        print("deploying to the emulator ...", flush=True)
        installed = install(aws, Path(folder) / "built")
        print("measuring ...", flush=True)
        if _REPAIR in parts:
            yield from repair.repaired(installed)
            yield from repair.beside_failing(installed)
        installed.pause()
        for name, part in _PAUSED.items():
            if name in parts:
                yield from part(installed)


if __name__ == "__main__":
    main()
