"""A sweep against an API that AWS answers R times a second, and a repair that needs it too, as a simulation.

AWS has a token bucket for each API of an account; a full one answers some calls at once. It publishes neither the rates
nor the sizes of those that a sweep calls.
"""

import random
from collections.abc import Callable, Iterator
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from typing import Any

from botocore.retries.adaptive import ClientRateLimiter, RateClocker
from botocore.retries.bucket import Clock, TokenBucket
from botocore.retries.throttling import CubicCalculator
from msgspec import Struct, field

from bench.figures import Figure
from ecr_warden.aws.accounts import CALLS_AT_ONCE
from ecr_warden.aws.deadline import PAUSES
from ecr_warden.aws.pace import Pace
from ecr_warden_cli.terminal.profiles import SHARE

_CALL, _EPSILON = 0.05, 1e-9
_SECONDS = 60
REPAIRS = 0.15
"""The share of R that repairs ask for meanwhile."""
_ATTEMPTS = 3
SERVERS = ((10, 10), (20, 200), (50, 50), (100, 100), (200, 200))
"""R, and how many calls a full bucket answers at once."""


class Kind(StrEnum):
    """How the sweep's client keeps from asking too often."""

    STANDARD = "botocore's standard mode"
    ADAPTIVE = "botocore's adaptive mode"
    PACE = "our pace"


def paces() -> Iterator[Figure]:
    """What a sweep gets of R, and what becomes of repairs beside it."""
    group = f"Pace: a sweep against an API of R calls a second, repairs ask for {REPAIRS:.0%} of R (simulated)"
    for rate, burst in SERVERS:
        for kind in Kind:
            swept = sweep(kind, rate, burst)
            name = f"R = {rate}, {burst} at once, {kind}"
            yield Figure(group, f"{name}: of R", swept.rate / rate, "x")
            yield Figure(group, f"{name}: repairs that fail", swept.repairs_failed, "", note=f"of {swept.repairs}")


class Swept(Struct):
    """`rate`: the sweep's answered calls a second; `failed`: calls that were throttled to the last retry."""

    rate: float = 0.0
    failed: int = 0
    repairs: int = 0
    repairs_failed: int = 0


class _Clock(Clock):
    time = 1000.0

    def current_time(self) -> float:
        return self.time


class _Server(Struct):
    rate: float
    burst: float
    clock: _Clock
    tokens: float
    filled: float

    def answers(self) -> bool:
        """Whether a call is answered now, and not throttled."""
        self.tokens = min(self.burst, self.tokens + (self.clock.time - self.filled) * self.rate)
        self.filled = self.clock.time
        answered = self.tokens >= 1
        self.tokens -= answered
        return answered


class _Adaptive:
    """botocore's limiter, asked when a token may be there in place of being waited for; who comes then asks again."""

    def __init__(self, clock: _Clock) -> None:
        self._bucket: Any = TokenBucket(1, clock)
        cubic = CubicCalculator(starting_max_rate=0, start_time=clock.time)
        self._limiter: Any = ClientRateLimiter(cubic, RateClocker(clock), self._bucket, self, clock)

    def is_throttling_error(self, *, throttled: bool) -> bool:
        return throttled

    def begins(self, now: float) -> float:
        if not self._limiter._enabled:
            return now
        self._bucket._refill()
        wait: float = self._bucket._sleep_amount(1)
        if wait > _EPSILON:
            return now + wait
        self._bucket._current_capacity -= 1
        return now

    def ends(self, _now: float, *, throttled: bool) -> None:
        self._limiter.on_receiving_response(throttled=throttled)


class _Standard:
    def begins(self, now: float) -> float:
        return now

    def ends(self, now: float, *, throttled: bool) -> None:
        """Nothing is learned."""


class _Events(Struct):
    """What happens when, in order."""

    clock: _Clock
    waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)

    def at(self, time: float, happens: Callable[[], None]) -> None:
        heappush(self.waiting, (time, next(self.numbers), happens))

    def run(self) -> None:
        while self.waiting:
            self.clock.time, _, happens = heappop(self.waiting)
            happens()


def sweep(kind: Kind, rate: float, burst: float, *, repairs: float = REPAIRS) -> Swept:
    """As many calls as a minute of R has, by as many threads as read at once, with Patience's retries."""
    clock, swept, chance = _Clock(), Swept(), random.Random(1)
    server, events = _Server(rate, burst, clock, burst, clock.time), _Events(clock)
    pace: Any = {Kind.STANDARD: _Standard(), Kind.ADAPTIVE: _Adaptive(clock), Kind.PACE: Pace(SHARE)}[kind]
    left, ended, began = round(_SECONDS * rate), 0, clock.time

    def begin(number: int) -> None:
        begins = pace.begins(clock.time)
        asks_again = kind is Kind.ADAPTIVE and begins > clock.time
        events.at(begins, lambda: begin(number) if asks_again else send(number))

    def send(number: int) -> None:
        answered = server.answers()
        events.at(clock.time + _CALL, lambda: end(number, answered=answered))

    def end(number: int, *, answered: bool) -> None:
        pace.ends(clock.time, throttled=not answered)
        rounds, attempt = divmod(number, _ATTEMPTS)
        if answered:
            finish()
        elif attempt < _ATTEMPTS - 1:
            events.at(clock.time + chance.random() * 2**attempt, lambda: begin(number + 1))
        elif rounds < len(PAUSES):
            events.at(clock.time + PAUSES[rounds], lambda: begin(number + 1))
        else:
            swept.failed += 1
            finish()

    def finish() -> None:
        nonlocal ended
        ended += 1
        swept.rate = ended / (clock.time - began)
        follow()

    def follow() -> None:
        nonlocal left
        if left:
            left -= 1
            begin(0)

    def repair() -> None:
        if ended < _SECONDS * rate:
            swept.repairs += 1
            ask(0)
            events.at(clock.time + 1 / (repairs * rate), repair)

    def ask(attempt: int) -> None:
        if server.answers():
            return
        if attempt == _ATTEMPTS - 1:
            swept.repairs_failed += 1
        else:
            events.at(clock.time + _CALL + chance.random() * 2**attempt, lambda: ask(attempt + 1))

    for _ in range(CALLS_AT_ONCE):
        events.at(clock.time, follow)
    if repairs:
        events.at(clock.time, repair)
    events.run()
    return swept
