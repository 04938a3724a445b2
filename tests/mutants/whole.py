"""Every planted bug on two cores, and the figures in build/mutants.json."""

import json
import tempfile
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from tests.mutants.runner import Bug, bugs, caught, unchanged

_REPORT = Path(__file__).parents[2] / "build" / "mutants.json"


@cache
def _folder() -> Path:
    """Each process has a copy of the layer."""
    return Path(tempfile.mkdtemp(prefix="mutants-"))


def _is_caught(bug: Bug) -> bool:
    return caught(bug, _folder())


def main() -> int:
    """1 if a bug is not caught, or tables fail without one."""
    planted = bugs()
    whole = [unchanged(*table) for table in sorted({(bug.table, bug.of) for bug in planted})]
    with get_context("spawn").Pool(2) as pool:
        broken = [
            bug.table for bug, found in zip(whole, pool.map(_is_caught, whole, chunksize=1), strict=True) if found
        ]
        found = pool.map(_is_caught, planted, chunksize=1)
    missed = [bug.name for bug, is_caught in zip(planted, found, strict=True) if not is_caught]
    _REPORT.parent.mkdir(exist_ok=True)
    report = {"planted": len(planted), "caught": len(planted) - len(missed), "missed": missed}
    _REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{report['caught']} of {report['planted']} planted bugs caught")
    for line in (*(f"fails without a bug: {table}" for table in broken), *(f"not caught: {name}" for name in missed)):
        print(line)
    return 1 if missed or broken else 0
