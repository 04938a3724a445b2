"""How long something lasted, from a call to the end of what it led to, and how long ago it was."""

from datetime import datetime

from ecr_warden.core.job import Cause, CauseKind
from iam_access.text.printable import count


def seconds_open(cause: Cause, ended: datetime | None) -> int | None:
    """From the call that an event reports to the end of the run; None if either is not known."""
    began = cause.time if cause.action and cause.kind is CauseKind.EVENT else None
    # CloudTrail and the function have different clocks.
    return None if began is None or ended is None else max(0, round((ended - began).total_seconds()))


def ago(seconds: float) -> str:
    """`6 days ago`, in the largest whole unit."""
    units = ((86400, "day"), (3600, "hour"), (60, "minute"))
    size, unit = next((each for each in units if seconds >= each[0]), (1, "second"))
    return f"{count(int(max(seconds, 0) // size), unit)} ago"


def duration(seconds: int) -> str:
    """`41 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 1:
        return "less than 1 s"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])
