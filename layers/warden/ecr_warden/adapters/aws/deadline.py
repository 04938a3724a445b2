"""The end of an invocation: calls stop before it, so that what is finished is kept and what is not is handed back.

Lambda kills a function that runs out of time, and a killed batch comes back as a whole after the queue's visibility
timeout. One endpoint that takes connections and never answers is enough for that.
Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError

MEMBER_RESERVE = 20.0
"""Seconds before the end in which no call to an account begins: the last one ends, and its run is journalled."""
HUB_RESERVE = 7.0
"""The same for calls to the hub's own stores."""
JOB_RESERVE = 60.0
"""Seconds before the end in which no job begins: one call may hang through all its attempts, and is still told of."""

_ENDLESS = 1e9


class NoTimeLeft(BotoCoreError):
    """botocore's kind of error, raised in the place of a call."""

    fmt = "the time of this invocation is up"


@dataclass(slots=True)
class Deadline:
    """The invocation's end; endless until a handler says when."""

    _milliseconds_left: Callable[[], float] = field(default=lambda: _ENDLESS)

    def begin(self, milliseconds_left: Callable[[], float]) -> None:
        """A new invocation; `milliseconds_left` is its context's get_remaining_time_in_millis."""
        self._milliseconds_left = milliseconds_left

    def is_within(self, seconds: float) -> bool:
        """Whether the end is nearer than that."""
        return self._milliseconds_left() < seconds * 1000

    def guard(self, client: Any, reserve: float) -> None:
        """Let the client begin no attempt of a call within `reserve` seconds of the end: NoTimeLeft is raised."""

        def check(**_: object) -> None:
            if self.is_within(reserve):
                raise NoTimeLeft

        client.meta.events.register_first("before-send", check)
