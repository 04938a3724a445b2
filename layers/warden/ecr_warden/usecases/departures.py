"""What left the spec and has to lose what it held, until it has."""

from collections.abc import Callable, Iterator

from ecr_warden.model.desired import CompiledSpec, TargetSpec
from ecr_warden.model.target import Target
from ecr_warden.planning.orphans import orphan_spec
from ecr_warden.ports.state import State, TargetRecord


def departing(
    accepted: CompiledSpec, state: State, *, of: Callable[[Target], bool] = lambda _: True
) -> Iterator[TargetSpec]:
    """The specs of targets whose departure no run has finished yet; of those that `of` picks."""
    departed = {key: entry for key, entry in accepted.departed.items() if of(entry.target)}
    remembered = state.records([entry.target for entry in departed.values()])
    for key, entry in departed.items():
        if has_to_go(entry.target, accepted, remembered.get(key, TargetRecord())):
            spec = orphan_spec(entry.target, accepted)
            if spec is not None:
                yield spec


def has_to_go(target: Target, accepted: CompiledSpec, record: TargetRecord) -> bool:
    """False of what has departed and lost what it held: from then on it is somebody else's."""
    departed = accepted.departed.get(target.key)
    return departed is None or record.revoked != departed.since
