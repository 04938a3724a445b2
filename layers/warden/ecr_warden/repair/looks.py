"""When a role's trust policy was last read in sync: what a run and the plan shown to people must agree on."""

from datetime import datetime

from ecr_warden.core.desired import CompiledSpec, EndSessions, TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.repair.cutoff import last_look
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import SweepRecords, part_of


def last_seen_in_sync(
    spec: TargetSpec, accepted: CompiledSpec, record: TargetRecord, sweep_records: SweepRecords
) -> datetime | None:
    """The last look of a run or sweep; None if it is unknown, or does not matter because all older sessions end."""
    if accepted.end_sessions is EndSessions.ALL:
        return None
    try:
        swept = sweep_records.of(part_of(spec.target))
    except PortError:
        swept = None  # a repair does not wait for this: it ends more sessions instead
    return last_look(spec, (record.trust_look, swept.trusts.get(spec.target.key) if swept else None))
