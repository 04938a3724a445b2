"""The end of an invocation: calls stop before it, so that what was done is kept and reported.

Lambda kills a function that runs out of time, and its job comes back after the queue's visibility timeout. A single
endpoint that accepts connections and never answers is enough for that.
Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError
from msgspec import Struct, field

from ecr_warden.core.failures import Throttled

MEMBER_RESERVE = 20.0
"""No call to an account starts this many seconds before the end: the last one finishes and its run is journalled."""
HUB_RESERVE = 7.0
"""The same for calls to the hub's own services."""

_ENDLESS = 1e9


class NoTimeLeft(BotoCoreError):
    """Raised instead of making a call; of botocore's base class, so that it passes through botocore."""

    fmt = "the time of this invocation is up"


class InvocationDeadline(Struct):
    """The invocation's end; infinitely far until a handler sets it."""

    _milliseconds_left: Callable[[], float] = field(default=lambda: _ENDLESS)

    def begin(self, milliseconds_left: Callable[[], float]) -> None:
        """A new invocation; `milliseconds_left` is its context's get_remaining_time_in_millis."""
        self._milliseconds_left = milliseconds_left

    def is_within(self, seconds: float) -> bool:
        """Whether fewer than `seconds` are left."""
        return self._milliseconds_left() < seconds * 1000

    def guarded(self, client: Any, reserve: float) -> Any:
        """The client, which raises NoTimeLeft instead of starting an attempt within `reserve` seconds of the end."""

        def check(**_: object) -> None:
            if self.is_within(reserve):
                raise NoTimeLeft

        client.meta.events.register_first("before-send", check)
        return client


PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each retry of a throttled call, on top of botocore's own attempts."""


class Patience(Struct, frozen=True):
    """Retries a throttled call while there is time.

    botocore's few attempts do not carry the hundreds of calls of a sweep or a plan: GetAccountAuthorizationDetails of
    large accounts is throttled through all of them (aws-samples/bulk-policy-migrator #19).
    """

    deadline: InvocationDeadline = field(default_factory=InvocationDeadline)
    sleep: Callable[[float], None] = time.sleep

    def __call__[T](self, call: Callable[[], T]) -> T:
        """The call's answer. Raises what it raises; Throttled when retries or time have run out."""
        for pause in PAUSES:
            try:
                return call()
            except Throttled:
                if self.deadline.is_within(MEMBER_RESERVE + pause):
                    raise
                self.sleep(pause)
        return call()
