"""Whether a version of the spec waits for a person, and why: the one rule of docs/adr/0040.

Pure: the accounts come in as they were read, the time and the time that is left as values.
"""

from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from ecr_warden.model.access_change import AccessChanges
from ecr_warden.model.desired import CompiledSpec, Mode, Removal
from ecr_warden.model.estate import Estate
from ecr_warden.model.judgement import Code, Held, Judgement
from ecr_warden.model.watch import parts_of
from ecr_warden.planning.acceptance import (
    Beginning,
    ReasonKind,
    begins_at,
    effects,
    reasons_to_hold,
    removed_grants,
)
from ecr_warden.policy.printable import count
from ecr_warden.proof.changes import access_changes


class Versions(Struct, frozen=True):
    """What is judged: `baseline` is the last version that a person accepted, `accepted` the one in force."""

    baseline: CompiledSpec | None
    accepted: CompiledSpec | None
    new: CompiledSpec


class Live(Struct, frozen=True):
    """The accounts as they were read for this verdict; `unread`: by part (model.watch), why it was not read."""

    estate: Estate
    unread: Mapping[str, str] = field(default_factory=dict)


class Needs(Struct, frozen=True):
    """What a version needs before it takes effect by itself.

    `verdict`: False where it takes effect without any. `parts`: what has to be read for the verdict, as model.watch
    names parts; where there is none, nothing has to be.
    """

    verdict: bool
    parts: frozenset[str] = frozenset()


def needs(versions: Versions) -> Needs:
    """What has to be read and judged before a version may take effect by itself."""
    if _observes(versions.accepted) and _observes(versions.new) and not versions.new.also_allowed:
        return Needs(verdict=False)
    return Needs(verdict=True, parts=parts_of(versions.new))


def judge(
    versions: Versions,
    live: Live | None,
    *,
    removed_before: int,
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
) -> Judgement:
    """Judge a version; without `live`, what the accounts would show is `unseen`.

    `removed_before`: the grants that versions removed which took effect by themselves in the 24 hours before `now`.
    `has_time` is asked before each decision; what it leaves undecided is held.
    """
    accepted, new = versions.accepted, versions.new
    if not needs(versions).verdict:
        return Judgement()
    changes = AccessChanges(()) if _observes(accepted) else access_changes(accepted, new, has_time)

    def grants() -> int:
        return removed_grants(access_changes(new, _NOTHING, has_time))

    reasons: tuple[Held, ...] = ()
    if accepted is not None:
        counted = replace(accepted, removals=(Removal(now, removed_before),))
        found = reasons_to_hold(counted, new, changes, beginning=Beginning(), grants=grants, now=now)
        reasons = tuple(Held(_CODES[one.kind], one.text) for one in found)
    begins = sum(map(len, begins_at(accepted, new)))
    if begins and live is not None:
        reasons = (*reasons, Held(Code.TAKES_OVER, f"it begins to enforce {count(begins, 'target')}"))
    who = effects(accepted, changes, Beginning())
    unseen = (f"what {count(begins, 'target')} gives now",) if begins and live is None else ()
    return Judgement(reasons, unseen, who.gains, who.loses, removed_grants(changes))


_NOTHING = CompiledSpec(version="", mode=Mode.OBSERVE, accounts=(), targets={})
_CODES = {
    ReasonKind.EMPTY: Code.EMPTIES,
    ReasonKind.ACCOUNT: Code.EMPTIES,
    ReasonKind.REMOVALS: Code.REMOVES_MUCH,
    ReasonKind.CHANGES: Code.TAKES_OVER,
    ReasonKind.OUTSIDERS: Code.OUTSIDE_GAINS,
    ReasonKind.GAINS: Code.WIDENS,
    ReasonKind.OBSERVES: Code.STAYS_OPEN,
    ReasonKind.LIMITS: Code.LIMITS_LOOSENED,
    ReasonKind.BEGINS: Code.TAKES_OVER,
    ReasonKind.UNKNOWN: Code.NOT_JUDGED,
}


def _observes(version: CompiledSpec | None) -> bool:
    return version is None or version.overall_mode is Mode.OBSERVE
