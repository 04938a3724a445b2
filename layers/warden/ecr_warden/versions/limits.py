"""The limits above which a version waits: the stricter of the accepted version's and the baseline's."""

from collections.abc import Callable, Iterable, Iterator

from ecr_warden.core.desired import CompiledSpec, HoldLimits, Widening
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.enforced import enforced
from iam_access.text.printable import count

_LEAST_REMOVED, _SHARE_REMOVED = 5, 0.2
_STRICTNESS = (Widening.FREE, Widening.HOLD, Widening.APPROVE)


def widening_of(accepted: CompiledSpec | None, baseline: CompiledSpec | None) -> Widening:
    """The stricter of both versions' settings; the default where there is no version: nobody has seen another one."""
    every = (HoldLimits() if compiled_spec is None else compiled_spec.limits for compiled_spec in (accepted, baseline))
    return max((hold_limits.widening for hold_limits in every), key=_STRICTNESS.index)


def removes_much(
    removed: int, removed_before: int, before: Iterable[CompiledSpec], grants: Callable[[], int]
) -> Iterator[WaitReason]:
    """Whether more grants go than the versions before let go in 24 hours; `grants`: how many there are."""
    if not removed:
        return
    explicit = [
        compiled_spec.limits.max_removed for compiled_spec in before if compiled_spec.limits.max_removed is not None
    ]
    # Counting all grants takes time, and is needed only above the least limit.
    if removed + removed_before <= min([_LEAST_REMOVED, *explicit]):
        return
    limit = min(_most_removed(compiled_spec.limits, grants) for compiled_spec in before)
    if removed + removed_before > limit:
        earlier = f" after {removed_before} in the 24 hours before" if removed_before else ""
        yield WaitReason(
            WaitCode.REMOVES_MUCH, f"it removes {count(removed, 'grant')}{earlier}; max_removed is {limit}"
        )


def fewest_grants(accepted: CompiledSpec | None, baseline: CompiledSpec | None) -> int:
    """The grants of the accepted version or of the baseline, whichever gives fewer: decoys raise no limit."""
    counts = [] if accepted is None else [_grants_of(enforced(accepted))]
    return min(counts if baseline is None else [*counts, _grants_of(baseline)], default=0)


def loosened(before: tuple[CompiledSpec, ...], new: CompiledSpec, grants: Callable[[], int]) -> Iterator[WaitReason]:
    """The limits that are looser than the stricter one of the versions before; `grants`: how many there are."""
    found: list[str] = []
    strictest = max((compiled_spec.limits.widening for compiled_spec in before), key=_STRICTNESS.index)
    if _STRICTNESS.index(new.limits.widening) < _STRICTNESS.index(strictest):
        found.append(f"widening from {strictest} to {new.limits.widening}")
    if any(compiled_spec.limits.max_removed != new.limits.max_removed for compiled_spec in before):
        least = min(_most_removed(compiled_spec.limits, grants) for compiled_spec in before)
        now = _most_removed(new.limits, grants)
        if now > least:
            found.append(f"max_removed from {least} to {now}")
    if found:
        yield WaitReason(WaitCode.LIMITS_LOOSENED, f"it loosens {' and '.join(found)}")


def _most_removed(limits: HoldLimits, grants: Callable[[], int]) -> int:
    """How many grants may be removed in 24 hours; `grants`: how many there are."""
    return max(_LEAST_REMOVED, int(grants() * _SHARE_REMOVED)) if limits.max_removed is None else limits.max_removed


def _grants_of(version: CompiledSpec) -> int:
    """How many grants a version gives."""
    given = access_changes(None, version).changes
    return len({(one.principal, one.repository, one.access) for one in given})
