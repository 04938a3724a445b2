"""How much Python a call runs, counted: the same on every machine, idle or busy, and cut off where it is too much.

Counted are the functions entered and the jumps taken, by Python code. What C code does in one call is not: no pattern
from outside becomes a regular expression (tests/unit/test_expressions.py).
"""

import sys
from collections.abc import Callable
from typing import Any

_TOOL = 3  # no debugger, no coverage, no profiler
_EVENTS = sys.monitoring.events.PY_START, sys.monitoring.events.JUMP


class TooMuchWork(BaseException):
    """More than a call may take; no `except Exception` of the product catches it."""


def counted[T](call: Callable[[], T], most: int = sys.maxsize) -> tuple[T, int]:
    """What the call returns, and how much work it was; raises TooMuchWork beyond `most`."""
    done = 0

    def count(*_: Any) -> None:
        nonlocal done
        done += 1
        if done > most:
            sys.monitoring.set_events(_TOOL, 0)
            raise TooMuchWork(f"more than {most} calls and jumps")

    sys.monitoring.use_tool_id(_TOOL, "counted")
    try:
        for event in _EVENTS:
            sys.monitoring.register_callback(_TOOL, event, count)
        sys.monitoring.set_events(_TOOL, _EVENTS[0] | _EVENTS[1])
        found = call()
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)
    return found, done
