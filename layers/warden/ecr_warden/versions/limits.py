"""How many grants versions may remove before one waits: the hub's number, or a share of those that there are."""

from collections.abc import Iterable, Iterator

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.versions.access_changes import access_changes
from iam_access.text.printable import count

_LEAST_REMOVED, _SHARE_REMOVED = 5, 0.2


def removes_much(
    removed: int, removed_before: int, versions: Iterable[CompiledSpec | None], most: int | None
) -> Iterator[WaitReason]:
    """Whether more grants go in 24 hours than may.

    `versions`: what the accepted one enforces, and the baseline; `most`: the hub's number, None for a share.
    """
    # Counting all grants takes time, and is needed only above the least limit.
    if not removed or removed + removed_before <= (_LEAST_REMOVED if most is None else most):
        return
    if most is None:
        # Of the one that gives fewer: decoys raise no limit.
        given = (access_changes(None, version).changes for version in versions if version is not None)
        grants = [len({(one.principal, one.repository, one.access) for one in some}) for some in given]
        most = max(_LEAST_REMOVED, int(min(grants, default=0) * _SHARE_REMOVED))
    if removed + removed_before > most:
        earlier = f" after {removed_before} in the 24 hours before" if removed_before else ""
        yield WaitReason(WaitCode.REMOVES_MUCH, f"it removes {count(removed, 'grant')}{earlier}; MaxRemoved is {most}")
