"""Compares the branches that the tests without I/O take with what they took before: `make coverage`.

A branch that no test takes is a rule that nobody checks. Whoever adds tests raises the floor to what is printed then.
"""

import json
import sys
from collections import Counter
from pathlib import Path

FLOORS = {"repair": 95, "iam_access": 95, "access_spec": 97, "versions": 93}
"""Percent of the branches of each package, rounded down. Its adapters on AWS have the tests of contracts."""


def main(file: str) -> int:
    """1 if a package is below its floor; `file`: what `coverage json` wrote."""
    taken: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for name, found in json.loads(Path(file).read_text())["files"].items():
        package = next((part for part in Path(name).parts if part in FLOORS), None)
        if package is not None and not Path(name).name.startswith("aws_"):
            taken[package] += found["summary"]["covered_branches"]
            there[package] += found["summary"]["num_branches"]
    shares = {package: 100 * taken[package] // max(1, there[package]) for package in FLOORS}
    for package, share in shares.items():
        below = f", below {FLOORS[package]} % as it was" if share < FLOORS[package] else ""
        print(f"{package:10}{taken[package]:6} of {there[package]:5} branches, {share} %{below}")
    return int(any(share < FLOORS[package] for package, share in shares.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
