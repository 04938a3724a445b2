"""The facts that a plan asks for: read in one way by a run and for the plan shown to people, so that both agree."""

from collections.abc import Callable
from copy import replace
from datetime import datetime

from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.core.part import part_of
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import Target
from ecr_warden.repair.cutoff import LastLook, last_look
from ecr_warden.repair.planner import Facts, NeedsToKnow, RoleInSync
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import SweepRecords


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
                    known = {**facts.roles_in_sync, role.key: is_in_sync(role)}
                    facts = replace(facts, roles_in_sync=known)
    return made, facts


def last_seen_in_sync(spec: TargetSpec, record: TargetRecord, sweep_records: SweepRecords) -> datetime | None:
    """The last look of a run or sweep; None if it is unknown."""
    try:
        swept = sweep_records.of(part_of(spec.target))
    except PortError:
        swept = None  # a repair does not wait for this: it ends more sessions instead
    return last_look(spec, (record.trust_look, swept.trusts.get(spec.target.key) if swept else None))
