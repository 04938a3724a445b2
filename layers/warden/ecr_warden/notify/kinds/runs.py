"""Alerts on runs, and on fights over the documents that they repair."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.listing import Listing, listing
from ecr_warden.core.result import Result, Severity
from ecr_warden.notify.delivery import is_news_of_run
from ecr_warden.notify.incident import Fact
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import DONE, Field, MessageState
from ecr_warden.notify.run_messages import describe_run, describe_runs
from ecr_warden.notify.run_titles import state_of, title_of
from ecr_warden.notify.wording import (
    access_of,
    command,
    describe_actor,
    describe_address,
    describe_difference,
    describe_target,
    to_do,
    written,
)
from ecr_warden.notify.writers import advice, tool_of
from ecr_warden.repair.alerts import Difference, FightMoment, FightNoticed, RunEnded
from ecr_warden.state.fight import Fight
from iam_access.text.printable import count, cut, show_time


class _Run(Kind[RunEnded]):
    def severity(self, alert: RunEnded) -> Severity:
        return alert.severity

    def is_news(self, alert: RunEnded) -> bool:
        return is_news_of_run(alert)

    def seen(self, alert: RunEnded, _at: datetime) -> datetime:
        return alert.finished_at

    def incident(self, alert: RunEnded) -> str:
        """What a version or a person asks for has a thread of its own, whatever goes on at the target."""
        if alert.cause.is_asked:
            return alert.cause.incident
        by_version = Cause(CauseKind.SPEC, alert.spec_version).incident
        return by_version if alert.of_version else super().incident(alert)

    def facts(self, alert: RunEnded, news: Fact) -> Sequence[Fact]:
        said = replace(news, opened=alert.opened.since or alert.started_at, lets_in=alert.lets_in)
        if _is_asked_and_over(alert):
            return [said]
        # No later run of the target shows what becomes of an intruder, or ends the sessions that go on.
        found = replace(alert, intruder=False, goes_on=None)
        differs = replace(
            said,
            key=alert.target.key,
            title=said.title if found == alert else title_of(found),
            closed=alert.finished_at if _is_over(found) else None,
            is_news=False,
        )
        sessions = replace(differs, key=f"sessions/{differs.key}", title=said.title, closed=alert.goes_on)
        return [
            *([said] if alert.intruder else []),
            *([differs] if alert.differences or alert.applied or not alert.intruder else []),
            *([sessions] if alert.goes_on else []),
        ]

    def ends(self, alert: RunEnded) -> Sequence[str]:
        return [alert.target.key] if alert.result is Result.IN_SYNC or _is_asked_and_over(alert) else []

    def describe(self, alerts: Sequence[RunEnded]) -> Parts:
        return describe_run(alerts[0]) if len(alerts) == 1 else describe_runs(alerts)


def _is_over(run: RunEnded) -> bool:
    return state_of(run) in (MessageState.CLOSED, MessageState.DONE)


def _is_asked_and_over(run: RunEnded) -> bool:
    """Whether people hear of it in a message of its own, whatever else goes on at the target."""
    return _is_over(run) and (run.cause.is_asked or run.of_version)


class _FightNoticed(OneByOne[FightNoticed]):
    def severity(self, alert: FightNoticed) -> Severity:
        return alert.severity

    def facts(self, alert: FightNoticed, news: Fact) -> Sequence[Fact]:
        if alert.moment is FightMoment.ENDED:
            return ()
        lets_in = alert.severity is Severity.CRITICAL
        return [replace(news, key=_key(alert), opened=alert.fight.since, closed=None, lets_in=lets_in, is_news=False)]

    def ends(self, alert: FightNoticed) -> Sequence[str]:
        return [_key(alert)] if alert.moment is FightMoment.ENDED else []

    def describe_one(self, alert: FightNoticed) -> Parts:
        fight = alert.fight
        writer = fight.writer
        is_over = alert.moment is FightMoment.ENDED
        asked, *others = advice(writer, fight.address, lets_in=alert.severity is Severity.CRITICAL)
        repairs = f"{count(fight.repairs, 'repair')} from {show_time(fight.since)} to {show_time(fight.last)}"
        fields = [
            Field("By", f"{describe_actor(writer)}, with {tool_of(writer)}"),
            Field("Where", describe_target(fight.address.target)),
            Field(DONE, repairs),
            to_do() if is_over else to_do(asked.removeprefix("or ")),
            command(f"ecr-warden history {written(fight.address.target)}"),
        ]
        if is_over:
            ended = f"fight over the {_fought_over(fight)} ended, after {count(fight.repairs, 'repair')}"
            return Parts(MessageState.CLOSED, ended, fields)
        return Parts(
            MessageState.OPEN,
            _title_of_fight(alert),
            fields,
            [
                *_sides(alert.sides),
                listing("line", others, title="Instead, or to know more:"),
                listing("line", _UNTIL_IT_ENDS, title="Until it ends:"),
            ],
        )


def _key(alert: FightNoticed) -> str:
    return f"fight/{describe_address(alert.fight.address)} of {alert.fight.address.target.key}"


_UNTIL_IT_ENDS = (
    "Access that the document gives too much is taken away each time, at once; what it lacks is given back after a "
    "wait that grows to 10 minutes, and by the next sweep at the latest.",
    "These repairs are not sent one by one, unless they let in outsiders: the message at the end counts them. Each "
    "stands in the journal.",
)


def _sides(sides: Sequence[Difference]) -> Sequence[Listing]:
    """Both versions of a document side by side."""
    match sides:
        case [gives, lacks]:
            return access_of(gives, title="Their version gives:"), access_of(lacks, title="Their version lacks:")
        case _:
            return [Listing("difference", tuple(map(describe_difference, sides)), "Their version:")]


def _fought_over(fight: Fight) -> str:
    return f"{cut(describe_address(fight.address), 40)} of {written(fight.address.target)}"


def _title_of_fight(alert: FightNoticed) -> str:
    """Who can do what by the version that comes back; the document where that is not known."""
    line = next((line for side in alert.sides for line in side.access), "")
    effect, is_known, _ = line.partition(", and the spec")
    if is_known:
        short, _, detail = effect.partition(" (")
        return f"FIGHT: {short}{' under conditions' if ') under ' in detail else ''}"
    return f"FIGHT over the {_fought_over(alert.fight)} with {short_name(alert.fight.writer)}"


RUNS: Mapping[type[Alert], Kind[Any]] = {FightNoticed: _FightNoticed(), RunEnded: _Run()}
