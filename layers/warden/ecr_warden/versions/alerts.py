"""Alerts about versions of the spec, and about what waits for a person."""

from ecr_warden.core.alert import Alert
from ecr_warden.core.value import Count
from ecr_warden.state.hold import Hold


class SpecRefused(Alert, frozen=True, tag="spec-refused"):
    """A version of the spec was refused; `problems` as `validate` prints them."""

    version: str
    enforced: str | None
    """The version that stays."""
    problems: tuple[str, ...]
    left_out: Count = 0
    misplaced: bool = False
    """It is a file under another key, which is not read."""


class SpecRestored(Alert, frozen=True, tag="spec-restored"):
    """After a version that was refused, the bucket's current one is the accepted one again."""

    version: str


class SpecAccepted(Alert, frozen=True, tag="spec-accepted"):
    """A version became the accepted one."""

    version: str
    replaces: str | None
    changed: tuple[str, ...]
    """Keys of the targets whose desired state it changed."""
    warnings: tuple[str, ...] = ()
    left_out: tuple[Count, ...] = (0, 0)
    """Of the changed and the warnings, the first and the last of what an older ecr-warden sent."""


class HoldOpened(Alert, frozen=True, tag="held"):
    """Something waits for a person."""

    hold: Hold


class HoldSettled(Alert, frozen=True, tag="hold-settled"):
    """Somebody decided on a hold, or it ended otherwise; the hold says how."""

    hold: Hold
