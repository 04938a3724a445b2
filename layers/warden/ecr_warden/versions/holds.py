"""The errors of those who decide on a hold."""

from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.versions.next_version import WHY_SETTLED
from iam_access.errors import NamedError


class NoSuchHold(NamedError, code="no-such-hold"):
    """Nothing with this ID was ever held, or it is no longer kept."""


class HoldOver(NamedError, code="hold-over"):
    """The hold can no longer be decided: its ground moved, or its time is up."""


def no_such_hold(hold_id: str) -> NoSuchHold:
    """The error for an unknown ID."""
    return NoSuchHold(f"nothing is held as {hold_id}", remedy=_LIST)


def hold_over(hold: Hold, instead: Hold | None, *, has_moved: bool) -> HoldOver:
    """The error for a hold that can no longer be decided; it says what replaced it, if that is known."""
    why = "what it was about has changed" if has_moved or hold.state is HoldState.VOID else "its time is up"
    why = WHY_SETTLED[hold.state] if hold.state is HoldState.JUDGED else why
    new = "" if instead is None else f"it was replaced by {instead.id} ({'; '.join((instead.what, *instead.reasons))})"
    return HoldOver(f"hold {hold.id} ({hold.what}) is over: {why}", remedy=new or _LIST)


_LIST = "ecr-warden held lists what waits"
