"""What is announced and recorded of a hold, and the errors of those who decide on one."""

from collections.abc import Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.job import Cause
from ecr_warden.state.history import HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.state.holds import Holds
from ecr_warden.versions.alerts import HoldOpened, HoldSettled
from iam_access.errors import NamedError

LINES_KEPT = 100


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
    why = _WHY_SETTLED[hold.state] if hold.state is HoldState.JUDGED else why
    new = "" if instead is None else f"it was replaced by {instead.id} ({'; '.join((instead.what, *instead.reasons))})"
    return HoldOver(f"hold {hold.id} ({hold.what}) is over: {why}", remedy=new or _LIST)


_LIST = "ecr-warden held lists what waits"


class KeepHolds(Struct, frozen=True):
    """Has holds wait and settles them: each is announced and recorded first, so that none is silent."""

    holds: Holds
    alerts: AlertBus
    log: HistoryLog
    clock: Clock

    def wait(self, cause: Cause, hold: Hold) -> HoldOpened:
        """Have a hold wait for a person; a process that dies before it is kept announces it again."""
        waiting = replace(hold, state=HoldState.WAITING).shortened(LINES_KEPT)
        opened = HoldOpened(cause, replace(waiting, asked=None))
        self.alerts.publish(opened)
        self._record(HistoryKind.HELD, cause, hold, "; ".join((hold.what, *hold.reasons)))
        self.holds.open(waiting)
        return opened

    def settle(self, cause: Cause, hold: Hold, state: HoldState, *, instead: str = "") -> None:
        """Keep what became of a hold. What people heard of, and nobody decided, is announced."""
        settled = replace(hold, state=state, instead=instead)
        if hold.state is HoldState.WAITING and state in _WHY_SETTLED:
            self.alerts.publish(HoldSettled(cause, replace(settled, asked=None)))
            self._record(HistoryKind.HOLD_ENDED, cause, settled, f"{hold.what}: {_WHY_SETTLED[state]}")
        self.holds.settle(settled)

    def end_overdue(self, cause: Cause) -> Sequence[Hold]:
        """End every hold whose time is up and on which nobody decided; returns the others that wait."""
        now, waiting = self.clock.now(), self.holds.waiting()
        overdue = [hold for hold in waiting if hold.decision is None and not hold.is_open(now)]
        for hold in overdue:
            self.settle(cause, hold, HoldState.ENDED)
        return [hold for hold in waiting if hold not in overdue]

    def _record(self, kind: HistoryKind, cause: Cause, hold: Hold, text: str) -> None:
        self.log.record(HistoryEntry(kind, self.clock.now(), hold.id, cause.actor, text))


_WHY_SETTLED = {
    HoldState.ENDED: "nobody decided in time",
    HoldState.VOID: "what it was about has changed",
    HoldState.JUDGED: "a verdict has come, and nothing in it has to wait",
}
