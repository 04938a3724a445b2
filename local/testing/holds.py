"""Grounds and reasons of holds, for tests that need no spec behind them."""

from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.state.hold import OfVersion


def ground(version: str, accepted: str = "") -> OfVersion:
    """The ground of a version over another one; as digests their names do."""
    return OfVersion(version, accepted, (accepted, accepted, version))


def reasons(*texts: str, code: WaitCode = WaitCode.REMOVES_MUCH) -> tuple[WaitReason, ...]:
    """Reasons in these words."""
    return tuple(WaitReason(code, text) for text in texts)
