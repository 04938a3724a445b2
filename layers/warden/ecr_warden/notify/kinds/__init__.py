"""Each kind of alert in one class: how severe it is, when it is sent, what its message says.

A message shows the gravest first, whatever else it is about.

A new kind needs its type among the alerts of its step, and its class in one of these modules, entered in its table.
"""

import hashlib
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.codec.base import SCHEMA, reader
from ecr_warden.core.listing import listing
from ecr_warden.core.result import Severity
from ecr_warden.notify.incident import Changes, Fact
from ecr_warden.notify.kinds.audits import AUDITS
from ecr_warden.notify.kinds.images import IMAGES
from ecr_warden.notify.kinds.kind import Kind
from ecr_warden.notify.kinds.pauses import PAUSES
from ecr_warden.notify.kinds.runs import RUNS
from ecr_warden.notify.kinds.specs import SPECS
from ecr_warden.notify.kinds.watching import WATCHING
from ecr_warden.notify.layout import ONE_LINE, Parts, compose, entries_of, join
from ecr_warden.notify.message import COMMAND, DONE, IN_ALL, STILL_OPEN, TO_DO, Message, MessageState
from ecr_warden.notify.wording import command, to_do
from ecr_warden.repair.alerts import RunEnded
from iam_access.errors import site_of
from iam_access.text.printable import count

KINDS: Mapping[type[Alert], Kind[Any]] = {**SPECS, **PAUSES, **WATCHING, **AUDITS, **IMAGES, **RUNS}
"""In the order in which a message on several kinds names them."""


def severity(alert: Alert) -> Severity:
    """How soon a person should look at it."""
    return KINDS[type(alert)].severity(alert)


def incident(alert: Alert) -> str:
    """What joins it with others in one message."""
    return KINDS[type(alert)].incident(alert)


def changes_of(alert: Alert, at: datetime) -> Changes:
    """What an alert of this time changes; nothing of a kind that says it elsewhere."""
    kind = KINDS[type(alert)]
    seen = kind.seen(alert, at)
    if not kind.is_news(alert):
        return Changes(seen, ends=tuple(kind.ends(alert)))
    said, digest = safe_message_of([alert]), hashlib.sha256(repr(alert).encode()).hexdigest()[:16]
    key = f"{alert.__struct_config__.tag}/{digest}"
    news = Fact(key, said.severity, said.title, seen, seen, closed=seen, is_news=True)
    lasts = said.state not in (MessageState.CLOSED, MessageState.DONE)
    facts = tuple(replace(fact, may_last=lasts and fact.is_news) for fact in kind.facts(alert, news))
    return Changes(seen, facts, tuple(kind.ends(alert)), (replace(news, may_last=lasts),))


def message_of(alerts: Sequence[Alert]) -> Message:
    """One message for all alerts of an incident, at least one."""
    ranked = sorted(alerts, key=_rank)
    parts = [
        (_rank(its[0]), replace(kind.describe(its), number=len(its)))
        for model, kind in KINDS.items()
        if (its := [alert for alert in ranked if isinstance(alert, model)])
    ]
    # Of the same severity, what lasts comes first in the title; the targets of runs come first in the lines.
    titled = sorted(parts, key=lambda part: (part[0], [*MessageState].index(part[1].state)))
    runs_first = [*reversed(parts)]
    below = sorted(runs_first, key=lambda part: part[0])
    return compose(severity(ranked[0]), join([part for _, part in titled], below=[part for _, part in below]))


def _rank(alert: Alert) -> int:
    """By which alerts sort, the gravest first."""
    return -list(Severity).index(severity(alert))


def safe_message_of(alerts: Sequence[Alert]) -> Message:
    """As `message_of`; a plain message if that fails."""
    try:
        return message_of(alerts)
    except Exception as error:  # an attacker may have written what it describes: some report is better than none
        return plain_message(alerts, site_of(error))


def digest_of(messages: Sequence[Message]) -> Message:
    """One message for several that waited, at least one: what is graver stands above, whoever it is about.

    Of the same severity, outsiders who still get in come first, then what lasts, then what is over: whoever makes many
    messages that are over hides none that is not. Of one incident the last one is true.
    """
    last = {one.incident or index: one for index, one in enumerate(messages)}
    ranked = sorted(last.values(), key=rank_in_digest)
    if len(ranked) == 1:
        return ranked[0]
    critical = sum(one.severity is Severity.CRITICAL for one in ranked)
    title = f"{count(len(ranked), 'incident')}, {critical} of them critical"
    with_first = f"{title}: {ranked[0].title}"
    title = with_first if len(with_first) <= ONE_LINE else title
    # A list each: what is less leaves the details of what is graver their lines.
    lists = [
        entries_of(
            f"{grade} incident",
            [(one.first_line, _in_digest(one), 1) for one in ranked if one.severity is grade],
        )
        for grade in reversed(Severity)
    ]
    return compose(
        ranked[0].severity, Parts(ranked[0].state, title, [command("ecr-warden status")], lists, ranked=True)
    )


def rank_in_digest(message: Message) -> tuple[int, bool, int]:
    """By which messages sort: the gravest, outsiders who get in, and what lasts come first."""
    return -[*Severity].index(message.severity), not message.lets_in, [*MessageState].index(message.state)


def _in_digest(message: Message) -> Sequence[str]:
    """What lasts, is done and left to do, how much it is with what its messages before said, and the details."""
    fields = [field for field in message.fields if field.label in (STILL_OPEN, DONE, TO_DO, COMMAND, IN_ALL)]
    return [*(f"{field.label}: {field.text}" for field in fields), *message.lines]


def plain_message(alerts: Sequence[Alert], error: str) -> Message:
    """A message on alerts for which `message_of` failed with `error`."""
    lines = [
        f"{alert.target}: {alert.result.words} (run {alert.run_id})"
        if isinstance(alert, RunEnded)
        else f"of the kind {alert.__struct_config__.tag}"
        for alert in alerts
    ]
    title = f"{count(len(alerts), 'alert')} that ecr-warden failed to describe ({error})"
    fields = [to_do("look at each of them: somebody may have written what cannot be described")]
    fields += [command("ecr-warden history")]
    return compose(Severity.CRITICAL, Parts(MessageState.UNKNOWN, title, fields, [listing("alert", lines)]))


_ANY_KIND: Any = reduce(or_, KINDS)

alert_from_json = reader("announcement", _ANY_KIND, schema=SCHEMA)
