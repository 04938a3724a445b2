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
    """What could not be read and people have not heard of, a line each, and `unread_left_out` more."""
    unread_left_out: Count = 0
    failure: str = ""
    """Why nothing could be audited, "" if it was."""
    openers: tuple[Openers, ...] = ()
    """Of each of `appeared`, none where nobody looked for them."""
    is_hidden: bool = False
    """Some of it was refused or cannot be used: whoever hides it so may let in anybody."""
    read_again: tuple[str, ...] = ()
    """What people heard of, and is read again, is gone, or could open nothing any more; `read_again_left_out` more."""
    read_again_left_out: Count = 0
