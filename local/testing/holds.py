"""Grounds and reasons of holds, for tests that need no spec behind them."""

from ecr_warden.model.hold import OfVersion
from ecr_warden.model.judgement import WaitCode, WaitReason


def ground(version: str, accepted: str = "") -> OfVersion:
    """The ground of a version over another one; as digests their names do."""
    return OfVersion(version, accepted, (accepted, accepted, version))


def reasons(*texts: str, code: WaitCode = WaitCode.REMOVES_MUCH) -> tuple[WaitReason, ...]:
    """Reasons in these words."""
    return tuple(WaitReason(code, text) for text in texts)
