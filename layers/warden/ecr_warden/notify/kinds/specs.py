"""Alerts on the spec: versions that were accepted or refused, grants that end, and what waits for a person."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.judgement import WaitCode
from ecr_warden.core.listing import Listing, listing
from ecr_warden.core.result import Severity, highest
from ecr_warden.notify.incident import Fact
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import FIRST_LINE, NOTHING, Field, MessageState
from ecr_warden.notify.wording import IF_NOT_MEANT, command, describe_actor, to_do, uploader
from ecr_warden.repair.alerts import EndMoment, GrantsEnd
from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused, SpecRestored
from iam_access.text.printable import count, show_time


def _whose(cause: Cause) -> Field:
    """Who uploaded a version, or the person who accepted one that was held."""
    if cause.kind is CauseKind.CALLER:
        return Field("Accepted by", describe_actor(cause.actor))
    return Field("Uploaded by", uploader(cause.actor))


class _SpecAccepted(OneByOne[SpecAccepted]):
    def incident(self, alert: SpecAccepted) -> str:
        """With the runs that roll it out."""
        return Cause(CauseKind.SPEC, alert.version).incident

    def facts(self, _alert: SpecAccepted, news: Fact) -> Sequence[Fact]:
        return [news]

    def ends(self, _alert: SpecAccepted) -> Sequence[str]:
        return [_REFUSED]

    def severity(self, alert: SpecAccepted) -> Severity:
        return Severity.WARNING if alert.warnings else Severity.INFO

    def describe_one(self, alert: SpecAccepted) -> Parts:
        changed, warnings = alert.left_out
        return Parts(
            MessageState.DONE,
            f"spec accepted, {count(len(alert.changed) + changed, 'target')} changed",
            [
                _whose(alert.cause),
                to_do("read the warnings" if alert.warnings else "nothing"),
                command("ecr-warden versions"),
            ],
            [
                listing("warning", alert.warnings, title="Warnings:", rest=warnings),
            ],
        )


class _SpecRefused(OneByOne[SpecRefused]):
    def facts(self, alert: SpecRefused, news: Fact) -> Sequence[Fact]:
        # Nobody looks whether a file that is not read is still there.
        return [news if alert.misplaced else replace(news, key=_REFUSED, closed=None, is_news=False)]

    def describe_one(self, alert: SpecRefused) -> Parts:
        deleted = alert.cause.action == "s3:DeleteObject"
        enforced = "the accepted version stays enforced" if alert.enforced else "nothing is enforced yet"
        return Parts(
            MessageState.FAILED,
            f"spec refused: {count(len(alert.problems) + alert.left_out, 'problem')}; {enforced}",
            [
                Field("Deleted by" if deleted else "Uploaded by", uploader(alert.cause.actor)),
                to_do("upload it again" if deleted else "correct the file and apply it again"),
                command("ecr-warden versions" if deleted else "ecr-warden validate access.yaml"),
            ],
            [listing("problem", alert.problems, rest=alert.left_out)],
        )


class _SpecRestored(OneByOne[SpecRestored]):
    grade = Severity.INFO

    def ends(self, _alert: SpecRestored) -> Sequence[str]:
        return [_REFUSED]

    def describe_one(self, alert: SpecRestored) -> Parts:
        fields = [Field("Version", alert.version), to_do(), command("ecr-warden versions")]
        return Parts(MessageState.DONE, "the spec's current version is the accepted one again", fields)


_PROLONG = "to prolong one, change its until: and apply the spec"
_ENDS = {
    EndMoment.WEEK: ("in a week", _PROLONG),
    EndMoment.DAY: ("in a day", _PROLONG),
    EndMoment.ENDED: ("by now", "remove what has ended from the spec, and apply it"),
}
"""When grants end, and what to do."""


class _GrantsEnd(OneByOne[GrantsEnd]):
    def severity(self, alert: GrantsEnd) -> Severity:
        return Severity.WARNING if alert.moment is EndMoment.DAY else Severity.INFO

    def describe_one(self, alert: GrantsEnd) -> Parts:
        number = len(alert.grants) + alert.left_out
        when, remedy = _ENDS[alert.moment]
        return Parts(
            MessageState.DONE if alert.moment is EndMoment.ENDED else MessageState.OPEN,
            f"{count(number, 'grant')} of the spec {'ends' if number == 1 else 'end'} {when}",
            [to_do(remedy), command("ecr-warden apply access.yaml")],
            [listing("grant", alert.grants, rest=alert.left_out)],
        )


_REFUSED = "spec-refused"
"""The fact that the version in the bucket is refused; the next one ends it, or the accepted one that is back."""


class _HoldOpened(OneByOne[HoldOpened]):
    def facts(self, alert: HoldOpened, news: Fact) -> Sequence[Fact]:
        return [replace(news, key=f"hold/{alert.hold.id}", closed=None, is_news=False)]

    def ends(self, _alert: HoldOpened) -> Sequence[str]:
        return [_REFUSED]

    def describe_one(self, alert: HoldOpened) -> Parts:
        hold = alert.hold
        meanwhile = (
            "the accepted one stays enforced" if hold.ground.accepted else "nothing is written: none is accepted yet"
        )
        return Parts(
            MessageState.WAITS,
            _waiting(hold),
            [
                _whose(alert.cause),
                Field("Meanwhile", meanwhile),
                to_do(f"decide until {show_time(hold.until)}: ecr-warden accept {hold.id}, or reject"),
                command(f"ecr-warden held {hold.id}"),
            ],
            [listing("reason", _why(hold), title="Why:"), *_effects(hold)],
        )


class _HoldSettled(OneByOne[HoldSettled]):
    def severity(self, alert: HoldSettled) -> Severity:
        """Of a version that was accepted, by what it gives, as its roll-out is rated; what is not known is not INFO."""
        hold = alert.hold
        if hold.state is not HoldState.ACCEPTED:
            return Severity.WARNING if hold.state is HoldState.ENDED else Severity.INFO
        codes = {reason.code for reason in hold.why} or {WaitCode.NOT_JUDGED}
        return highest([grade for code, grade in _ENABLES.items() if code in codes])

    def ends(self, alert: HoldSettled) -> Sequence[str]:
        return [f"hold/{alert.hold.id}"]

    def describe_one(self, alert: HoldSettled) -> Parts:
        hold = alert.hold
        has_to_look = hold.state is HoldState.ACCEPTED and self.severity(alert) is not Severity.INFO
        state, said, asked = _SETTLED[hold.state]
        title = f"{_NEW} {said}{'' if hold.decision is None else f' by {short_name(hold.decision.by)}'}"
        return Parts(
            state,
            _waiting(hold) if has_to_look and hold.gains else title,
            [
                *([] if hold.decision is None else [Field("By", describe_actor(hold.decision.by))]),
                Field("Waited", f"since {show_time(hold.since)}"),
                to_do(IF_NOT_MEANT if has_to_look else asked),
                command(f"ecr-warden held {hold.instead or hold.id}"),
            ],
            [listing("reason", _why(hold), title="It was held because:"), *_effects(hold)],
        )


_ENABLES = {WaitCode.OUTSIDE_GAINS: Severity.CRITICAL, WaitCode.NOT_JUDGED: Severity.WARNING}
"""How grave it is that a version takes effect which waited for this."""


def _why(hold: Hold) -> list[str]:
    return [f"{reason.code}: {reason.reason}" for reason in hold.why]


_NEW = "a new version of the spec"


def _waiting(hold: Hold) -> str:
    """The title: who gains, else why it waits, as far as it fits, for all of it is in the lists under the title."""
    gains = hold.left_out[0] + len(hold.gains)
    why, *others = hold.reasons or ("no reason is known",)
    more = f" (and {count(len(others), 'more reason')})" if others else ""
    titles = [f"{hold.gains[0]}{f' (and {gains - 1} more)' if gains > 1 else ''}"] if hold.gains else []
    titles += [f"{text}{more}" for text in (why, re.split("[,;:] ", why)[0])]
    return next(
        (f"spec: {one}" for one in titles if len(one) <= _ROOM), f"{_NEW}, for {count(1 + len(others), 'reason')}"
    )


_ROOM = FIRST_LINE - len(f"{Severity.CRITICAL} {MessageState.WAITS}: spec: ")


_SETTLED = {
    HoldState.JUDGED: (MessageState.DONE, "takes effect: nothing in it has to wait", NOTHING),
    HoldState.ACCEPTED: (MessageState.DONE, "accepted", NOTHING),
    HoldState.REJECTED: (MessageState.DONE, "rejected", NOTHING),
    HoldState.VOID: (MessageState.CLOSED, "no longer held: what it was about changed", NOTHING),
    HoldState.ENDED: (
        MessageState.CLOSED,
        "does not take effect: nobody decided in time",
        "apply it again if it should take effect",
    ),
}
"""Its state, what is said of it, and what is to do. A hold that is open is never announced as settled."""


def _effects(hold: Hold) -> Iterator[Listing]:
    gains, loses = hold.left_out
    yield listing("gain", hold.gains, title="Who gains:", rest=gains)
    yield listing("loss", hold.loses, title="Who loses:", rest=loses)


SPECS: Mapping[type[Alert], Kind[Any]] = {
    SpecRefused: _SpecRefused(),
    SpecRestored: _SpecRestored(),
    SpecAccepted: _SpecAccepted(),
    GrantsEnd: _GrantsEnd(),
    HoldOpened: _HoldOpened(),
    HoldSettled: _HoldSettled(),
}
