"""`python -m tests.fuzz SECONDS [SEED [NAME]]`: everything in turn, or one, by new examples, until the time is over."""

import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.properties import PROPERTIES

_ROOT = Path(__file__).parents[2]
_FILES = {path.stem.removeprefix("test_"): path for path in sorted((_ROOT / "tests" / "property").glob("test_*.py"))}
"""The property tests, each file with as many examples as its tests ask for."""


def main(seconds: float, first: int, names: list[str]) -> int:
    """Print a line for each round; 1 at the first input for which something does not hold."""
    started, number = time.monotonic(), first
    print(f"seed {first}", flush=True)
    while True:
        for name in names:
            if time.monotonic() - started >= seconds:
                return 0
            if not (_file_holds if name in _FILES else _property_holds)(name, number):
                print(f"\n{name} does not hold. Again: make fuzz FUZZ_SEED={number} FUZZ_ONLY={name}")
                return 1
        print(f"{time.monotonic() - started:5.0f} s  seed {number}: all hold", flush=True)
        number += 1


def _property_holds(name: str, number: int) -> bool:
    inputs, holds, most = PROPERTIES[name]
    limits = settings(
        max_examples=most, derandomize=False, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    try:
        seed(number)(limits(given(inputs)(holds)))()
    except Exception:
        traceback.print_exc()
        return False
    return True


def _file_holds(name: str, number: int) -> bool:
    chosen = ["-p", "no:cacheprovider", "--hypothesis-profile=random", f"--hypothesis-seed={number}", str(_FILES[name])]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode:
        print(ran.stdout)
    return not ran.returncode


if __name__ == "__main__":
    _, given_seconds, *more = sys.argv
    first_seed = int(more[0]) if more and more[0] else random.randrange(1_000_000)
    known = [*PROPERTIES, *_FILES]
    only = more[1:2]
    if not {*known} >= {*only}:
        sys.exit(f"there is no {only[0]}; there are {', '.join(known)}")
    sys.exit(main(float(given_seconds), first_seed, only or known))
