"""Holds: whether a version of the spec waits for a person, and what is announced and recorded of a hold."""

from collections.abc import Callable, Iterator
from copy import replace
from functools import cache

from msgspec import Struct

from ecr_warden.errors import WardenError, site_of
from ecr_warden.model.access_change import AccessChanges, Direction
from ecr_warden.model.alert import HoldOpened, HoldSettled
from ecr_warden.model.desired import CompiledSpec, Mode, Removal
from ecr_warden.model.hold import HOLD_LASTS, Hold, HoldState, OfVersion
from ecr_warden.model.job import Cause
from ecr_warden.model.observed import Observation
from ecr_warden.model.plan import Plan
from ecr_warden.model.request import AuditEntry, AuditKind
from ecr_warden.planning.acceptance import (
    Beginning,
    Effects,
    begins_at,
    effects,
    is_enforcing,
    reasons_to_hold,
    removals_after,
)
from ecr_warden.planning.orphans import as_observed
from ecr_warden.planning.planner import Circumstances, make_plan
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.documents import AccountUnread, Documents
from ecr_warden.ports.hub import Clock
from ecr_warden.ports.store import Audit, Holds
from ecr_warden.usecases.targets import spec_for

LINES_KEPT = 100


class NoSuchHold(WardenError):
    """Nothing with this ID was ever held, or it is no longer kept."""

    code = "no-such-hold"


class HoldOver(WardenError):
    """The hold can no longer be decided: its ground moved, or its time is up."""

    code = "hold-over"


def no_such_hold(hold_id: str) -> NoSuchHold:
    """The error for an unknown ID."""
    return NoSuchHold(f"nothing is held as {hold_id}", remedy=_LIST)


def hold_over(hold: Hold, instead: Hold | None, *, has_moved: bool) -> HoldOver:
    """The error for a hold that can no longer be decided; it says what is held instead, if that is known."""
    why = "what it was about has changed" if has_moved or hold.state is HoldState.VOID else "its time is up"
    new = "" if instead is None else f"held instead: {instead.id} ({instead.what}: {'; '.join(instead.why)})"
    return HoldOver(f"hold {hold.id} ({hold.what}) is over: {why}", remedy=new or _LIST)


_LIST = "ecr-warden held lists what waits"


type AccessDiff = Callable[[CompiledSpec | None, CompiledSpec], AccessChanges]


class Judgement(Struct, frozen=True):
    """Why a version waits, if it does, and who gains and loses; `removals`: if it is accepted without a person."""

    why: tuple[str, ...]
    effects: Effects
    removals: tuple[Removal, ...]


class Judge(Struct, frozen=True):
    """The use case over its ports; `access_changes`: proof.changes, which stops when `has_time` no longer holds."""

    documents: Documents
    clock: Clock
    access_changes: AccessDiff
    has_time: Callable[[], bool]

    def __call__(self, accepted: CompiledSpec | None, new: CompiledSpec) -> Judgement:
        """Judge a version against the accepted one and, where it begins to enforce, against the accounts."""
        now = self.clock.now()
        changes = AccessChanges(())
        if accepted is not None and is_enforcing(accepted):
            changes = self.access_changes(accepted, new)

        @cache
        def grants() -> int:
            given = () if accepted is None else self.access_changes(None, accepted).changes
            return len({(one.principal, one.repository, one.access) for one in given if one.direction is _GAINS})

        beginning = self._beginning(accepted, new)
        reasons = reasons_to_hold(accepted, new, changes, beginning=beginning, grants=grants, now=now)
        return Judgement(
            tuple(reason.text for reason in reasons),
            effects(accepted, changes, beginning),
            removals_after(accepted, changes, now),
        )

    def _beginning(self, accepted: CompiledSpec | None, new: CompiledSpec) -> Beginning:
        specs, patterns = begins_at(accepted, new)
        if not (specs or patterns):
            return Beginning()
        listing = self.documents.list_repositories(patterns)
        fitting = [spec for spec in map(new.spec_of, listing.repositories) if spec is not None]
        unknown = [f"{pattern.target}: {error}" for pattern, error in listing.unread]
        # Orphans lose what they hold once anything is enforced.
        accounts = () if accepted is not None and is_enforcing(accepted) else new.accounts
        plans: list[Plan] = []
        for found in self.documents.scan((*specs, *fitting), accounts=accounts):
            if not self.has_time():
                unknown.append("there was no time to read all accounts")
                break
            if isinstance(found, AccountUnread):
                unknown.append(f"{found.target}: {found.error}")
                continue
            try:
                plans += self._plan(found, new)
            except Exception as error:
                # Whoever chose a document on which ecr-warden fails must not keep the version from being judged.
                unknown.append(f"{found.target}: ecr-warden failed on its documents ({site_of(error)})")
        return Beginning(tuple(plans), tuple(unknown))

    def _plan(self, observation: Observation, new: CompiledSpec) -> Iterator[Plan]:
        spec = spec_for(observation.target, new)
        if spec is not None:
            wanted, circumstances = as_observed(spec, observation), Circumstances(now=self.clock.now())
            yield make_plan(
                wanted, observation, spec_version=new.version, mode=Mode.ENFORCE, circumstances=circumstances
            )


_GAINS = Direction.GAINS


class KeepHolds(Struct, frozen=True):
    """Opens and settles holds: each is announced and recorded first, so that none is silent."""

    holds: Holds
    alerts: AlertBus
    audit: Audit
    clock: Clock

    def open(self, cause: Cause, ground: OfVersion, what: str, why: tuple[str, ...], effects: Effects) -> HoldOpened:
        """Hold something; a process that dies before it is kept announces it again."""
        now = self.clock.now()
        hold = Hold(ground, what, why, now, now + HOLD_LASTS, effects.gains, effects.loses).shortened(LINES_KEPT)
        opened = HoldOpened(cause, hold)
        self.alerts.publish(opened)
        self._record(AuditKind.HELD, cause, hold, "; ".join((what, *why)))
        self.holds.open(hold)
        return opened

    def settle(self, cause: Cause, hold: Hold, state: HoldState, *, instead: str = "") -> bool:
        """Keep what became of a hold; False if that was kept before. What nobody decided is announced."""
        settled = replace(hold, state=state, instead=instead)
        if state in (HoldState.ENDED, HoldState.VOID):
            self.alerts.publish(HoldSettled(cause, settled))
            self._record(AuditKind.HOLD_ENDED, cause, settled, f"{hold.what}: {_WHY_SETTLED[state]}")
        return self.holds.settle(settled)

    def end_overdue(self, cause: Cause) -> None:
        """End every hold whose time is up and on which nobody decided."""
        now = self.clock.now()
        for hold in self.holds.waiting():
            if hold.decision is None and not hold.is_open(now):
                self.settle(cause, hold, HoldState.ENDED)

    def void_versions(self, cause: Cause, *, enforced: str | None, instead: str = "") -> None:
        """Settle the holds on versions that are not the bucket's current one any more, or that are enforced."""
        for hold in self.holds.waiting():
            if hold.ground.version == enforced:
                # Its acceptance was carried out by a process that died before it kept that.
                self.settle(cause, hold, HoldState.ACCEPTED)
            elif hold.is_rejected:
                self.settle(cause, hold, HoldState.REJECTED)
            elif hold.id != instead:
                self.settle(cause, hold, HoldState.VOID, instead=instead)

    def _record(self, kind: AuditKind, cause: Cause, hold: Hold, text: str) -> None:
        self.audit.record(AuditEntry(kind, self.clock.now(), hold.id, cause.actor, text))


_WHY_SETTLED = {HoldState.ENDED: "nobody decided in time", HoldState.VOID: "what it was about has changed"}
