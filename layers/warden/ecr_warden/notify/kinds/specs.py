"""Alerts on the spec: versions that were accepted or refused, grants that end, and what waits for a person."""

import re
from collections.abc import Iterator, Mapping
from copy import replace
from typing import Any, assert_never

from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.judgement import WaitReason
from ecr_warden.core.listing import Listing, listing
from ecr_warden.core.result import Severity
from ecr_warden.notify.delivery import Sending
from ecr_warden.notify.kinds.kind import KEYS, PROBLEMS, TEXT, Kind, OneByOne, few_texts
from ecr_warden.notify.layout import TITLE, Parts
from ecr_warden.notify.message import Field
from ecr_warden.notify.wording import describe_actor, uploader
from ecr_warden.repair.alerts import EndMoment, GrantsEnd
from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from iam_access.text.printable import count, cut, few, show_time


def _whose(cause: Cause) -> Field:
    """Who uploaded a version, or the person who accepted one that was held."""
    if cause.kind is CauseKind.CALLER:
        return Field("Accepted by", describe_actor(cause.actor))
    return Field("Uploaded by", uploader(cause.actor))


class _SpecAccepted(OneByOne[SpecAccepted]):
    def severity(self, alert: SpecAccepted) -> Severity:
        return Severity.WARNING if alert.released or alert.warnings else Severity.INFO

    def sending(self, _alert: SpecAccepted) -> Sending:
        return Sending.COLLECTED  # with the runs that roll it out

    def describe_one(self, alert: SpecAccepted) -> Parts:
        changed, released, warnings = alert.left_out
        return Parts(
            f"spec accepted, {count(len(alert.changed) + changed, 'target')} changed",
            [
                _whose(alert.cause),
                Field("Version", alert.version),
                Field("Replaces", alert.replaces or ""),
            ],
            [
                listing("warning", alert.warnings, title="Warnings:", rest=warnings),
                listing("target", alert.released, title="Released, their documents stay:", rest=released),
            ],
        )

    def shorter(self, alert: SpecAccepted) -> Iterator[SpecAccepted]:
        changed, more_changed = few(alert.changed, KEYS, alert.left_out[0])
        released, more_released = few(alert.released, KEYS, alert.left_out[1])
        warnings, more_warnings = few_texts(alert.warnings, PROBLEMS, alert.left_out[2])
        left_out = (more_changed, more_released, more_warnings)
        yield replace(alert, changed=changed, released=released, warnings=warnings, left_out=left_out)


class _SpecRefused(OneByOne[SpecRefused]):
    def describe_one(self, alert: SpecRefused) -> Parts:
        deleted = alert.cause.action == "s3:DeleteObject"
        return Parts(
            f"spec refused: {count(len(alert.problems) + alert.left_out, 'problem')}",
            [
                Field("Deleted by" if deleted else "Uploaded by", uploader(alert.cause.actor)),
                Field("Version", alert.version),
                Field("Still enforced", f"version {alert.enforced}" if alert.enforced else "nothing yet"),
                Field("See", "ecr-warden validate access.yaml"),
            ],
            [listing("problem", alert.problems, rest=alert.left_out)],
        )

    def shorter(self, alert: SpecRefused) -> Iterator[SpecRefused]:
        problems, left_out = few_texts(alert.problems, PROBLEMS, alert.left_out)
        yield replace(alert, problems=problems, left_out=left_out)


_PROLONG = "to prolong one, change its until:"


class _GrantsEnd(OneByOne[GrantsEnd]):
    def severity(self, alert: GrantsEnd) -> Severity:
        return Severity.WARNING if alert.moment is EndMoment.DAY else Severity.INFO

    def describe_one(self, alert: GrantsEnd) -> Parts:
        grants = count(len(alert.grants) + alert.left_out, "grant")
        match alert.moment:
            case EndMoment.WEEK:
                when, remedy = "is a week away", _PROLONG
            case EndMoment.DAY:
                when, remedy = "is a day away", _PROLONG
            case EndMoment.ENDED:
                when, remedy = "has come", "remove what has ended from the spec"
            case _:
                assert_never(alert.moment)
        return Parts(
            f"{grants} of the spec: the end {when}",
            [Field("Spec", alert.version), Field("Next", remedy), Field("See", "ecr-warden grants")],
            [listing("grant", alert.grants, rest=alert.left_out)],
        )

    def shorter(self, alert: GrantsEnd) -> Iterator[GrantsEnd]:
        grants, left_out = few_texts(alert.grants, PROBLEMS, alert.left_out)
        yield replace(alert, grants=grants, left_out=left_out)


class _OfHold[A: (HoldOpened, HoldSettled)](OneByOne[A]):
    def shorter(self, alert: A) -> Iterator[A]:
        for most in (20, 3):
            hold = alert.hold.shortened(most)
            gains, loses = (tuple(cut(one, TEXT) for one in some) for some in (hold.gains, hold.loses))
            why = tuple(WaitReason(one.code, cut(one.reason, TEXT)) for one in hold.why)
            yield replace(alert, hold=replace(hold, why=why, gains=gains, loses=loses))


class _HoldOpened(_OfHold[HoldOpened]):
    def describe_one(self, alert: HoldOpened) -> Parts:
        hold = alert.hold
        return Parts(
            _waiting(hold),
            [
                _whose(alert.cause),
                Field("Meanwhile", _meanwhile(hold)),
                Field("Accept", f"ecr-warden accept {hold.id}"),
                Field("Reject", f"ecr-warden reject {hold.id}"),
                Field("Until", show_time(hold.until)),
                Field("See", "ecr-warden held"),
            ],
            [listing("reason", _why(hold), title="Why:"), *_effects(hold)],
        )


class _HoldSettled(_OfHold[HoldSettled]):
    def severity(self, alert: HoldSettled) -> Severity:
        return Severity.WARNING if alert.hold.state is HoldState.ENDED else Severity.INFO

    def describe_one(self, alert: HoldSettled) -> Parts:
        hold = alert.hold
        decided = [] if hold.decision is None else [Field("Who", describe_actor(hold.decision.by))]
        instead = [Field("Instead", f"ecr-warden held {hold.instead}")] if hold.instead else []
        return Parts(
            f"{hold.what}: {_settled(hold)}",
            [*decided, Field("Hold", hold.id), Field("Held since", show_time(hold.since)), *instead],
            [listing("reason", _why(hold), title="It was held because:"), *_effects(hold)],
        )


def _why(hold: Hold) -> list[str]:
    return [f"{reason.code}: {reason.reason}" for reason in hold.why]


def _waiting(hold: Hold) -> str:
    """The title: of the first reason what fits, for all of it is in the list under the title."""
    waits = f"{hold.what} waits for a person"
    why, *others = hold.reasons or ("no reason is known",)
    more = f" (and {count(len(others), 'more reason')})" if others else ""
    titles = [f"{waits}: {text}{more}" for text in (why, re.split("[,;:] ", why)[0])]
    return next((title for title in titles if len(title) <= TITLE), f"{waits}, for {count(1 + len(others), 'reason')}")


def _meanwhile(hold: Hold) -> str:
    accepted = hold.ground.accepted
    return f"version {accepted} stays enforced" if accepted else "nothing is written: no version is accepted yet"


def _settled(hold: Hold) -> str:
    who = "" if hold.decision is None else f" by {short_name(hold.decision.by)}"
    match hold.state:
        case HoldState.WAITING:
            return "waits for a person"
        case HoldState.JUDGING:
            return "is being judged"
        case HoldState.JUDGED:
            return "takes effect by itself, because nothing in it has to wait"
        case HoldState.ACCEPTED:
            return f"accepted{who}"
        case HoldState.REJECTED:
            return f"rejected{who}"
        case HoldState.VOID:
            return "no longer held, because what it was about has changed"
        case HoldState.ENDED:
            return "nobody decided in time, so it does not take effect"
        case _:
            assert_never(hold.state)


def _effects(hold: Hold) -> Iterator[Listing]:
    gains, loses = hold.left_out
    yield listing("gain", hold.gains, title="Who gains:", rest=gains)
    yield listing("loss", hold.loses, title="Who loses:", rest=loses)


SPECS: Mapping[type[Alert], Kind[Any]] = {
    SpecRefused: _SpecRefused(),
    SpecAccepted: _SpecAccepted(),
    GrantsEnd: _GrantsEnd(),
    HoldOpened: _HoldOpened(),
    HoldSettled: _HoldSettled(),
}
