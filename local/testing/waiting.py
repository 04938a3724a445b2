"""Bounded waiting for a condition."""

import threading
import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0
"""Many times what anything takes, so that a busy machine fails no test."""


class NeverCame(Exception):
    """The condition did not come true in time."""


def until[T](
    condition: Callable[[], T | None],
    seconds: float = _PATIENCE_SECONDS,
    what: str = "the condition",
    *,
    pause: float = _PAUSE_SECONDS,
) -> T:
    """The first truthy answer of the condition, asked every `pause` seconds. Raises NeverCame after `seconds`."""
    deadline = time.monotonic() + seconds
    bell = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NeverCame(f"{what} did not come within {seconds:g} s")
        bell.wait(pause)
