"""`make bench`: measures everything in one run, prints it and writes bench/results.json and bench/results.md."""

import tempfile
from pathlib import Path

from bench import counting, detection, policy, repair, timing
from bench.figures import JSON_FILE, MARKDOWN_FILE, Figure, table, write
from local.installed import install
from local.launcher import ROOT, EmulatedAws


def main() -> None:
    """Deploy once, measure, and say what was missed."""
    figures: list[Figure] = list(policy.run())
    with EmulatedAws() as aws, tempfile.TemporaryDirectory() as folder:
        print("deploying to the emulator ...", flush=True)
        installed = install(aws, Path(folder) / "built")
        print("measuring ...", flush=True)
        live = list(repair.repaired(installed))
        installed.pause()
        figures += counting.count(installed)
        figures += timing.size(installed)
        figures += timing.warm(installed)
        figures += timing.cold(installed)
        figures += live
        figures += counting.plain(installed, Path(folder))
    print("sweeping 20, 200 and 1000 repositories ...", flush=True)
    figures += detection.detection()
    print(table(figures))
    write(figures)
    missed = [figure.name for figure in figures if figure.missed]
    print(f"\nmissed: {', '.join(missed) or 'none'}")
    print(f"written: {JSON_FILE.relative_to(ROOT)}, {MARKDOWN_FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
