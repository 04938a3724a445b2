"""A pause: until its end a target is watched and reported, and not written to."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from ecr_warden.model.job import Actor, short_name

LONGEST_PAUSE = timedelta(days=7)


class Pause(Struct, frozen=True):
    """`id`: the request that set it; `by`: who asked, as proved to the hub. It ends by itself at `until`."""

    id: str
    by: Actor
    reason: str
    at: datetime
    until: datetime

    def is_on(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return now < self.until

    def __str__(self) -> str:
        return f"paused by {short_name(self.by)} until {self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}: {self.reason}"
