"""The facts that a plan asks for: read in one way by a run and for the plan shown to people, so that both agree."""

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta

from ecr_warden.core.address import WRITES
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.lasting import Opened
from ecr_warden.core.part import part_of
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import Target
from ecr_warden.repair.cutoff import LastLook, last_look
from ecr_warden.repair.planner import Facts, NeedsToKnow, RoleInSync
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import SweepRecord, SweepRecords


def complete_plan(
    plan: Callable[[Facts], Plan | NeedsToKnow],
    facts: Facts,
    *,
    last_look: Callable[[], datetime | None],
    is_in_sync: Callable[[Target], bool],
) -> tuple[Plan, Facts]:
    """The plan once all that it asked for was read, each once, and the facts that it then rests on."""
    while isinstance(made := plan(facts), NeedsToKnow):
        for question in made.questions:
            match question:
                case LastLook():
                    facts = replace(facts, last_look=last_look())
                case RoleInSync(role):
                    facts = replace(facts, roles_in_sync={**facts.roles_in_sync, role.key: is_in_sync(role)})
    return made, facts


def opened_by(cause: Cause, plan: Plan, record: TargetRecord, clean: datetime | None) -> Opened:
    """Who opened what a run of this cause found, and since when: what was found before counts until it is in sync.

    `clean`: see clean_look.
    """
    before, at = record.opened or Opened(), cause.time
    is_over = clean is not None and at is not None and at + _SHOWN <= clean
    is_call = cause.kind is CauseKind.EVENT and cause.action.startswith(_WATCHED) and not is_over
    if is_call and record.opened is None:
        return Opened(cause, at)
    if clean is not None and (before.since is None or before.since < clean):
        before = Opened(since=clean)
    is_write = any(cause.call in WRITES[drift.address.kind] for drift in plan.drifts)
    if is_call and (is_write or before.by is None):
        return Opened(cause, at if before.by is None else before.since)
    return before


_WATCHED = ("ecr:", "iam:")
_SHOWN = timedelta(minutes=1)
"""After which AWS shows what a call has written: a later look that found the target in sync has seen the end of it."""


def clean_look(spec: TargetSpec, record: TargetRecord, sweeps: SweepRecords) -> datetime | None:
    """When a run or a sweep began to read that last found the target in sync; None if that is not known."""
    swept, last, key = _swept(spec, sweeps), record.last, spec.target.key
    looks = [record.settled_at] if last is not None and last.result is not None and last.result.is_fine else []
    if swept is not None:
        looks += [swept.at] if key in swept.fine else [swept.awaited[key].since] if key in swept.awaited else []
    return max(filter(None, looks), default=None)


def _swept(spec: TargetSpec, sweep_records: SweepRecords) -> SweepRecord | None:
    try:
        return sweep_records.of(part_of(spec.target))
    except PortError:
        return None  # a repair does not wait for this


def last_seen_in_sync(spec: TargetSpec, record: TargetRecord, sweep_records: SweepRecords) -> datetime | None:
    """The last look of a run or sweep; None if it is unknown."""
    swept = _swept(spec, sweep_records)  # where that is unknown, it ends more sessions instead
    return last_look(spec, (record.trust_look, swept.trusts.get(spec.target.key) if swept else None))
