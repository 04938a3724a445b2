"""Since when and because of whom a target differs, how long something lasted, and how long ago it was."""

from datetime import datetime

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import Cause
from ecr_warden.core.value import Moment, Value
from iam_access.text.printable import count


class Opened(Value, frozen=True, omit_defaults=True):
    """Since when a target differs, and by whom: kept until a run finds it in sync."""

    by: Cause | None = None
    """The call that opened it; None where no event says so."""
    since: Moment | None = None
    """When it was made, else the last look that found the target in sync; None if neither is known."""
    effect: str = ""
    """The gravest that somebody can do or not do because a run left it, in words."""

    def lasted(self, until: datetime) -> int | None:
        """The seconds until then, at least one; None if no event says when it began."""
        # CloudTrail has full seconds, and another clock than the function.
        known = self.since if self.by is not None else None
        return None if known is None else max(1, round((until - known).total_seconds()))


opened_to_json, opened_from_json = forms("who opened a target", Opened)


def ago(seconds: float) -> str:
    """`6 days ago`, in the largest whole unit."""
    units = ((86400, "day"), (3600, "hour"), (60, "minute"))
    size, unit = next((each for each in units if seconds >= each[0]), (1, "second"))
    return f"{count(int(max(seconds, 0) // size), unit)} ago"


def duration(seconds: int) -> str:
    """`41 s`, `2 min 5 s`, `3 h 20 min`; at least `1 s`."""
    seconds = max(1, seconds)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])
