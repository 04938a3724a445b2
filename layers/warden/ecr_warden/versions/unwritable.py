"""Whether ecr-warden may write what a version enforces, by what the member stacks let it write."""

from collections.abc import Mapping

from ecr_warden.collect.wiring import WatchRecord
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.own_access import Writes
from ecr_warden.core.target import RepositoryTarget, Target
from iam_access.text.printable import listed

_NAMED = 10


def unwritable(version: CompiledSpec, records: Mapping[str, WatchRecord]) -> tuple[str, ...]:
    """Why a version is refused that enforces something where nobody may write it; empty where that is not known.

    `records`: what the last sweeps found. An account that no sweep has looked at yet has none.
    """
    limits = {record.part: wire.writes for record in records.values() for wire in record.wires if wire.writes}
    entries: list[tuple[Target, Mode | None]] = [(spec.target, spec.mode) for spec in version.targets.values()]
    entries += [(pattern.target, pattern.mode) for pattern in version.patterns]
    enforced = (target for target, mode in entries if (mode or version.mode) is Mode.ENFORCE)
    beyond = {target.account for target in enforced if _is_beyond(limits.get(target.account, Writes.ALL), target)}
    why = f"it enforces what ecr-warden may not write in {listed(sorted(beyond), _NAMED)}, as its member stack says"
    return (f"{why}: change writes in ecr-warden.yaml and ecr-warden deploy, or leave mode: observe",) if beyond else ()


def _is_beyond(writes: str, target: Target) -> bool:
    return writes == Writes.NONE or (writes == Writes.IDENTITIES and isinstance(target, RepositoryTarget))
