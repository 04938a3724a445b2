"""Alerts about who has access."""

from ecr_warden.audit.finding import FindingGroup
from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause
from ecr_warden.core.value import Count, Value


class Openers(Value, frozen=True):
    """The calls one of which may have opened a group of findings, the latest first."""

    calls: tuple[Cause, ...] = ()
    left_out: Count = 0
    """How many more."""


class AccessAudited(Alert, frozen=True, tag="access-audited"):
    """An audit differs from the one before: in what it found, or because it failed.

    `appeared`, `ended`: the gravest first.
    """

    version: str
    appeared: tuple[FindingGroup, ...] = ()
    ended: tuple[FindingGroup, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
    """Of each."""
    is_first: bool = False
    """There was none before."""
    unread: tuple[str, ...] = ()
    """What could not be read, and `unread_left_out` more."""
    unread_left_out: Count = 0
    failure: str = ""
    """Why nothing could be audited, "" if it was."""
    openers: tuple[Openers, ...] = ()
    """Of each of `appeared`, none where nobody looked for them."""
