"""How fast a client may read: as it likes until AWS throttles it, then at a share of what AWS answers.

AWS has a token bucket for each API of an account and publishes the rates of few, so they have to be found out. What a
sweep leaves of them is for repairs: docs/adr/0026-pace-and-other-tools.md.
"""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from ecr_warden.aws.errors import THROTTLED

_MEASURED = 1.0
_GROWTH = 0.005
"""By how much of itself a rate grows a second: nobody says when others have stopped asking."""


class Pace:
    """The pace of one API; times are seconds by any clock."""

    def __init__(self, share: float) -> None:
        self._share, self._rate = share, math.inf
        self._answered = deque[float]()
        self._next = self._grown = self._measured_from = -math.inf
        self._lock = Lock()

    def begins(self, now: float) -> float:
        """When a call may begin that somebody wants to begin now."""
        with self._lock:
            begins = max(now, self._next)
            if self._rate < math.inf:
                self._rate *= 1 + _GROWTH * (begins - self._grown)
                self._next, self._grown = begins + 1 / self._rate, begins
            return begins

    def ends(self, now: float, *, throttled: bool) -> None:
        """Note an answer; throttled after a whole second of measuring, calls go on at a share of what was answered."""
        with self._lock:
            while self._answered and self._answered[0] <= now - _MEASURED:
                self._answered.popleft()
            if self._measured_from == -math.inf:
                self._measured_from = now
            if not throttled:
                self._answered.append(now)
            elif now >= self._measured_from + _MEASURED:
                self._rate = max(1.0, self._share * len(self._answered))
                self._next = self._grown = self._measured_from = now


def keep_pace(
    client: Any, share: float, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Have each API of a client keep its pace, retries included."""
    paces = defaultdict[str, Pace](partial(Pace, share))

    def before(event_name: str, **_: object) -> None:
        asked = now()
        sleep(paces[event_name.rpartition(".")[2]].begins(asked) - asked)

    def after(event_name: str, response: Any, **_: object) -> None:
        error = {} if response is None else response[1].get("Error", {})
        paces[event_name.rpartition(".")[2]].ends(now(), throttled=error.get("Code") in THROTTLED)

    client.meta.events.register_first("before-send", before)
    client.meta.events.register_first("needs-retry", after)
