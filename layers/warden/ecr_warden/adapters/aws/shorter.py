"""Ever shorter forms of an announcement: an event has a limit, and what stands in an account may be made to exceed it.

What is left out of a run stands in the journal.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from ecr_warden.model.alert import (
    Alert,
    JobFailed,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.codec.access import some_of_each
from ecr_warden.model.drift import Drift
from ecr_warden.model.outcome import Outcome, RunReport
from ecr_warden.model.plan import Change
from ecr_warden.policy.access import AccessChange, Permission

_KEYS, _WARNINGS = 1000, 100
_TEXT = 400
_PEOPLE = 20


def forms(alert: Alert) -> Iterator[Alert]:
    """The announcement itself, then forms of it that say less."""
    yield alert
    match alert:
        case RunReport():
            yield _with_changes(alert, lambda change: replace(change, before=None))
            yield _bare(alert, _PEOPLE)
            yield _bare(alert, 0)
        case SpecAccepted():
            lists = (alert.changed, alert.released, tuple(map(_cut, alert.warnings)))
            changed, released, warnings = (_some(*one) for one in zip(lists, (_KEYS, _KEYS, _WARNINGS), strict=True))
            more = (changed[1], released[1], warnings[1])
            left_out = (alert.left_out[0] + more[0], alert.left_out[1] + more[1], alert.left_out[2] + more[2])
            yield replace(alert, changed=changed[0], released=released[0], warnings=warnings[0], left_out=left_out)
        case SpecRefused() | Unlisted():
            problems, more_problems = _some(tuple(map(_cut, alert.problems)), _WARNINGS)
            yield replace(alert, problems=problems, left_out=alert.left_out + more_problems)
        case OwnChanged() | JobFailed():
            return  # its texts are a name and what CloudTrail or the jobs queue bounds
        case TargetsPaused() | TargetsResumed():
            targets, more_targets = _some(alert.targets, _KEYS)
            yield replace(alert, targets=targets, left_out=alert.left_out + more_targets)
        case _:
            assert_never(alert)


def _bare(report: RunReport, most: int) -> RunReport:
    """Without pre-images, and with so many of those who gained or lost something in a live document.

    First who is from outside, and what makes all-powerful: a crowd must not leave them out.
    """
    home = {report.plan.target.account, *report.accounts}

    def some(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
        return tuple(some_of_each(sorted(permissions, key=lambda one: not _is_grave(one, home)), most))

    def drift(whole: Drift) -> Drift:
        access = None
        if whole.access is not None and most:
            access = AccessChange(some(whole.access.gained), some(whole.access.lost), whole.access.assumed)
        sentences = [_sentences(one) for one in (whole.access, access) if one is not None]
        left_out = whole.left_out + max(0, sum(sentences[:1]) - sum(sentences[1:]))
        return replace(
            whole,
            left_out=left_out,
            access=access,
            compared=whole.compared if most else None,
            explain=_cut(whole.explain),
        )

    bare = _with_changes(report, lambda change: replace(change, before=None, access=None, why=_cut(change.why)))
    drifts = tuple(map(drift, report.plan.drifts))
    held = tuple(replace(hold, drift=drift(hold.drift)) for hold in report.plan.held)
    return replace(bare, plan=replace(bare.plan, drifts=drifts, held=held))


# What cannot be described or rated is announced all the same: the next run of its target begins with that.


def _is_grave(permission: Permission, home: Collection[str]) -> bool:
    from ecr_warden.alerting.severity import is_outside, is_power  # noqa: PLC0415 - few announcements are too long

    try:
        return is_outside(permission, home) or is_power(permission)
    except Exception:
        return True


def _sentences(access: AccessChange) -> int:
    """How many sentences it makes; where they cannot be made, as many as it has permissions."""
    from ecr_warden.policy.describe import describe_change  # noqa: PLC0415 - few announcements are too long

    try:
        return len(describe_change(access, subject=""))
    except Exception:
        return len(access.gained) + len(access.lost)


def _with_changes(report: RunReport, shorten: Callable[[Change], Change]) -> RunReport:
    def outcome(made: Outcome) -> Outcome:
        return replace(made, change=shorten(made.change))

    changes = tuple(map(shorten, report.plan.changes))
    return replace(report, plan=replace(report.plan, changes=changes), outcomes=tuple(map(outcome, report.outcomes)))


def _some(texts: tuple[str, ...], most: int) -> tuple[tuple[str, ...], int]:
    """At most so many, and how many are left out."""
    return texts[:most], max(0, len(texts) - most)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."
