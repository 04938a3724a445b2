"""`python -m tests.fuzz SECONDS [SEED [PROPERTY]]`: try all properties in turn, or one, until the time is over."""

import random
import sys
import time
import traceback

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.properties import PROPERTIES

_ROUND = 200
"""Inputs of one property before it is the next one's turn."""


def main(seconds: float, first: int, names: list[str]) -> int:
    """Print a line for each round; 1 at the first input for which a property does not hold."""
    started, tried, number = time.monotonic(), 0, first
    while time.monotonic() - started < seconds:
        for name in names:
            inputs, holds = PROPERTIES[name]
            limits = settings(
                max_examples=_ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            )
            try:
                seed(number)(limits(given(inputs)(holds)))()
            except Exception:
                traceback.print_exc()
                print(f"\n{name} does not hold. Again: make fuzz FUZZ_SEED={number} FUZZ_ONLY={name}")
                return 1
            tried += _ROUND
        print(f"{time.monotonic() - started:5.0f} s  {tried:,} inputs, seed {number}: all hold", flush=True)
        number += 1
    return 0


if __name__ == "__main__":
    _, given_seconds, *more = sys.argv
    first_seed = int(more[0]) if more and more[0] else random.randrange(1_000_000)
    only = more[1:2]
    if not PROPERTIES.keys() >= set(only):
        sys.exit(f"no property {only[0]}; there are {', '.join(PROPERTIES)}")
    sys.exit(main(float(given_seconds), first_seed, only or list(PROPERTIES)))
