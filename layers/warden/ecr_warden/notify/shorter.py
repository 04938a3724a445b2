"""Shorter forms of an alert that is too large for an event: what each leaves out is counted."""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import Any

from msgspec import Struct

from ecr_warden.audit.alerts import AccessAudited, Openers
from ecr_warden.audit.finding import Finding, FindingGroup
from ecr_warden.collect.alerts import Unlisted, WiringChanged
from ecr_warden.collect.wire import Wire
from ecr_warden.core.alert import Alert
from ecr_warden.core.judgement import WaitReason
from ecr_warden.repair.alerts import (
    Difference,
    DoneChange,
    FightNoticed,
    GrantsEnd,
    PauseEnded,
    RunEnded,
    TargetsPaused,
    TargetsResumed,
    Unrepaired,
)
from ecr_warden.state.hold import Hold
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from iam_access.text.printable import cut, few

_STEPS = (1000, 100, 20, 5, 1)
"""How many entries of each list the forms keep."""
TEXT, _ENDS = 400, 4
"""How many characters they keep of a text, and how many texts at each end of a list that has no counter of its own."""

_OF_ONE, _UNCOUNTED = ("left_out", None), None
_OF_FIRST, _OF_SECOND = ("left_out", 0), ("left_out", 1)

_LISTS: Mapping[type[Struct], Mapping[str, tuple[str, int | None] | None]] = {
    AccessAudited: {
        "appeared": _OF_FIRST,
        "ended": _OF_SECOND,
        "unread": ("unread_left_out", None),
        "read_again": ("read_again_left_out", None),
        "openers": _UNCOUNTED,
    },
    Openers: {"calls": _OF_ONE},
    FindingGroup: {"places": _OF_ONE, "accesses": _UNCOUNTED},
    Finding: {},
    RunEnded: {},
    FightNoticed: {},
    Difference: {"access": _OF_ONE},
    DoneChange: {},
    Unrepaired: {},
    TargetsPaused: {"targets": _OF_ONE},
    TargetsResumed: {"targets": _OF_ONE},
    PauseEnded: {"targets": _OF_ONE},
    GrantsEnd: {"grants": _OF_ONE},
    SpecRefused: {"problems": _OF_ONE},
    SpecAccepted: {"changed": _OF_FIRST, "warnings": _OF_SECOND},
    HoldOpened: {},
    HoldSettled: {},
    Hold: {"gains": _OF_FIRST, "loses": _OF_SECOND},
    WaitReason: {},
    Unlisted: {"problems": _OF_ONE},
    WiringChanged: {"broken": _OF_FIRST, "ended": _OF_SECOND},
    Wire: {},
}
"""What is shortened: the lists of each class, each with the counter of what it leaves out, and its place in that.

Whatever else an alert has, such as its cause and addresses, stays whole.
"""


_WHOLE = ("place", "scope", "access", "principal")
"""What a finding is known by when it ends."""


def shorter(alert: Alert) -> Iterator[Alert]:
    """Ever shorter forms of an alert, each with counts of what it leaves out."""
    for most in _STEPS:
        yield _short(alert, most)


def parts(alert: Alert) -> Sequence[Alert]:
    """An audit in two, the second of which ends findings alone; none of one that failed, or of another alert."""
    if not isinstance(alert, AccessAudited) or alert.failure:
        return ()
    its = len(alert.ended) // 2 if alert == _ending(alert, alert.ended) else 0
    return replace(alert, ended=alert.ended[:its]), _ending(alert, alert.ended[its:])


def _ending(alert: AccessAudited, ended: tuple[FindingGroup, ...]) -> AccessAudited:
    return AccessAudited(alert.cause, alert.version, ended=ended)


def _short(value: Any, most: int) -> Any:
    if type(value) is str:
        return cut(value, TEXT)
    if isinstance(value, tuple):
        return tuple(_short(one, most) for one in value)
    if type(value) not in _LISTS:
        return value
    lists = _LISTS[type(value)]
    for name, counter in lists.items():
        value = _with_few(value, name, counter, most)
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    ends = {name: _ends_of(field) for name, field in fields.items() if name not in lists}
    whole = _WHOLE if isinstance(value, Finding) else ()
    return replace(value, **{name: _short(field, most) for name, field in (fields | ends).items() if name not in whole})


def _ends_of(value: Any) -> Any:
    """Where a long list of texts begins and ends: of a chain who gets in, and who uses the repository."""
    if not isinstance(value, tuple) or len(value) < 2 * _ENDS + 2 or not all(isinstance(one, str) for one in value):
        return value
    return (*value[:_ENDS], f"{len(value) - 2 * _ENDS} more", *value[-_ENDS:])


def _with_few(value: Any, name: str, counter: tuple[str, int | None] | None, most: int) -> Any:
    """With at most so many entries of a list."""
    entries = getattr(value, name)
    if counter is None:
        return replace(value, **{name: entries[:most]})
    left_out, place = counter
    before = getattr(value, left_out)
    if place is None:
        kept, after = few(entries, most, before)
        return replace(value, **{name: kept, left_out: after})
    kept, more = few(entries, most, before[place])
    return replace(value, **{name: kept, left_out: (*before[:place], more, *before[place + 1 :])})
