"""`python -m tests.recorded check`, or `record [FILE]`: compare all cases, or give them the verdicts of this version.

FILE has further cases, a line each: `{"question": "relate", "inputs": {...}}`, the inputs as texts, as cases.py reads
them. Those that are kept were drawn once by the generators of the property tests, so that all answers are common.
"""

import os
import sys
from collections import Counter
from pathlib import Path

from tests.recorded.cases import ACCEPTED, FILE, accepted, differences, faults, never_reached, read, record, shares

_SHOWN = 20


def main(arguments: list[str]) -> int:
    match arguments:
        case ["record", *more]:
            record([line for name in more for line in Path(name).read_text().splitlines()])
            cases = read()
            print("\n".join(shares(cases)))
            print("never reached:", ", ".join(sorted(never_reached(cases))))
            print(
                f"{FILE.name}: {FILE.stat().st_size / 1e6:.1f} MB; empty {ACCEPTED.name} now, and say why in the commit"
            )
            return 0
        case ["check"]:
            cases = read()
            found = differences(cases, processes=os.cpu_count() or 1)
            wrong = faults(cases, found, accepted())
            print("\n".join(wrong[:_SHOWN]))
            for field, number in Counter(one.field for one in found).most_common():
                print(f"{number} differ in {field}")
            print(f"{len(cases)} cases, {len({one.case for one in found})} differ, {len(wrong)} faults")
            return 1 if wrong else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
