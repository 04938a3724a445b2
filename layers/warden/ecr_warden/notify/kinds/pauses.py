"""Alerts on pauses, on the stop switch, and on nothing: to try the channels."""

from collections.abc import Mapping, Sequence
from copy import replace
from shlex import quote
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import Listing, listing
from ecr_warden.core.result import Severity
from ecr_warden.core.target import new_targets
from ecr_warden.notify.incident import Fact
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import Field, MessageState
from ecr_warden.notify.wording import by, command, describe_actor, to_do
from ecr_warden.repair.alerts import ChannelsTested, PauseEnded, TargetsPaused, TargetsResumed, WritesSwitched
from ecr_warden.state.switch import STOPPED
from iam_access.text.printable import count, first, listed, printable, show_time

_SHOWN = 5


def _paused_targets(alert: TargetsPaused | TargetsResumed | PauseEnded) -> str:
    """How many targets, and which if it is one; patterns concern new targets, too."""
    number = len(alert.targets) + alert.left_out
    if not alert.patterns:
        names = [text.split("/", 3)[-1] if text.startswith("repository/") else text for text in alert.targets]
        return f"{count(number, 'target')}{f' ({listed(names, 1, more=alert.left_out)})' if names else ''}"
    return " and ".join([*([count(number, "target")] if number else []), "new targets"])


def _listed(alert: TargetsPaused | TargetsResumed | PauseEnded) -> Listing:
    shown = first([printable(pattern, 80) for pattern in alert.patterns], _SHOWN)
    new = [new_targets([*shown])] if alert.patterns else []
    return listing("target", [*new, *alert.targets], rest=alert.left_out)


def _keys(alert: TargetsPaused | TargetsResumed | PauseEnded) -> list[str]:
    return [f"pause/{name}" for name in (*alert.targets, *alert.patterns)]


class _TargetsPaused(OneByOne[TargetsPaused]):
    def facts(self, alert: TargetsPaused, news: Fact) -> Sequence[Fact]:
        return [replace(news, key=key, closed=None, is_news=False) for key in _keys(alert)]

    def describe_one(self, alert: TargetsPaused) -> Parts:
        targets, names = _paused_targets(alert), (*alert.patterns, *alert.targets)
        given = [quote(printable(name, 200)) for name in names] if len(names) + alert.left_out <= _SHOWN else ["TARGET"]
        return Parts(
            MessageState.OPEN,
            f"not repaired until {show_time(alert.until)}: {targets}",
            [
                by(alert.cause),
                Field("Reason", alert.reason),
                to_do("nothing: at the end each is compared with the spec; or end it now"),
                command(f"ecr-warden resume {' '.join(given)}"),
            ],
            [_listed(alert)],
        )


class _TargetsResumed(OneByOne[TargetsResumed]):
    grade = Severity.INFO

    def ends(self, alert: TargetsResumed) -> Sequence[str]:
        return _keys(alert)

    def describe_one(self, alert: TargetsResumed) -> Parts:
        targets = _paused_targets(alert)
        return Parts(
            MessageState.DONE,
            f"{targets} resumed: each is compared with the spec now",
            [by(alert.cause), to_do(), command("ecr-warden status")],
            [_listed(alert)],
        )


class _PauseEnded(OneByOne[PauseEnded]):
    grade = Severity.INFO

    def ends(self, alert: PauseEnded) -> Sequence[str]:
        return _keys(alert)

    def describe_one(self, alert: PauseEnded) -> Parts:
        targets = _paused_targets(alert)
        return Parts(
            MessageState.DONE,
            f"pause over: {targets}; each is compared with the spec now",
            [
                Field("Paused by", describe_actor(alert.cause.actor)),
                Field("Reason", alert.reason),
                to_do(),
                command("ecr-warden status"),
            ],
            [_listed(alert)],
        )


class _WritesSwitched(OneByOne[WritesSwitched]):
    def severity(self, alert: WritesSwitched) -> Severity:
        if not alert.stopped:
            return Severity.INFO
        return Severity.WARNING if alert.since is not None else Severity.CRITICAL

    def facts(self, alert: WritesSwitched, news: Fact) -> Sequence[Fact]:
        return [replace(news, key=_SWITCH, closed=None, is_news=False)] if alert.stopped else []

    def ends(self, alert: WritesSwitched) -> Sequence[str]:
        return [] if alert.stopped else [_SWITCH]

    def describe_one(self, alert: WritesSwitched) -> Parts:
        if not alert.stopped:
            done = "writes are on again: everything is compared with the spec now"
            return Parts(MessageState.DONE, done, [by(alert.cause), to_do(), command("ecr-warden status")])
        still = "still " if alert.since is not None else ""
        return Parts(
            MessageState.OPEN,
            f"{still}nothing is written: drift is reported, not repaired",
            [
                by(alert.cause),
                Field("Why", alert.stopped),
                to_do(_WHO_STOPPED if alert.stopped == STOPPED else "let ecr-warden read the switch, or set it again"),
                command("ecr-warden start"),
            ],
        )


class _ChannelsTested(OneByOne[ChannelsTested]):
    # It asks for something and is no INFO, or a pager would not hear of it.
    def incident(self, alert: ChannelsTested) -> str:
        return f"test/{alert.cause.id}"

    def describe_one(self, alert: ChannelsTested) -> Parts:
        return Parts(
            MessageState.DONE,
            tested_title(alert.cause.id),
            [
                by(alert.cause),
                to_do("see that it came by each channel that you use, and close it where it stays open"),
                command("ecr-warden status"),
            ],
        )


def tested_title(command_id: str) -> str:
    """By which whoever asked for a test knows its message."""
    return f"nothing is wrong: this is test {printable(command_id, 8)} of the channels"


_SWITCH = "switch"
_WHO_STOPPED = "find out in CloudTrail who stopped them (PutParameter), then let ecr-warden write"


PAUSES: Mapping[type[Alert], Kind[Any]] = {
    TargetsPaused: _TargetsPaused(),
    TargetsResumed: _TargetsResumed(),
    PauseEnded: _PauseEnded(),
    WritesSwitched: _WritesSwitched(),
    ChannelsTested: _ChannelsTested(),
}
