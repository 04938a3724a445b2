"""Bounded waiting for a condition."""

import threading
import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0
"""Many times what anything takes, so that a busy machine fails no test."""


_SPARING = 5
"""How many times as long as an answer took nothing is asked."""


class NeverCame(Exception):
    """The condition did not come true in time."""


def until[T](
    condition: Callable[[], T | None],
    seconds: float = _PATIENCE_SECONDS,
    what: str = "the condition",
    *,
    pause: float = _PAUSE_SECONDS,
    instead: Callable[[], object] | None = None,
) -> T:
    """The first truthy answer of the condition. Raises NeverCame after `seconds`, which shows what came `instead`.

    It is asked every `pause` seconds, less often where asking takes long: whoever is waited for needs the processor.
    """
    deadline = time.monotonic() + seconds
    bell = threading.Event()
    while True:
        asked = time.monotonic()
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            shown = f"; instead: {instead()}" if instead is not None else ""
            raise NeverCame(f"{what} did not come within {seconds:g} s{shown}")
        bell.wait(max(pause, _SPARING * (time.monotonic() - asked)))
