"""Each kind of alert in one class: how severe it is, when it is sent, what its message says, what may be left out.

A new kind needs its type among the alerts of its step, and its class in one of these modules, entered in its table.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import listing
from ecr_warden.core.result import Severity, highest
from ecr_warden.notify.delivery import Routing
from ecr_warden.notify.kinds.audits import AUDITS
from ecr_warden.notify.kinds.kind import Kind
from ecr_warden.notify.kinds.pauses import PAUSES
from ecr_warden.notify.kinds.runs import RUNS
from ecr_warden.notify.kinds.specs import SPECS
from ecr_warden.notify.kinds.watching import WATCHING
from ecr_warden.notify.layout import Parts, compose, join
from ecr_warden.notify.message import Field, Message
from ecr_warden.repair.alerts import RunEnded
from iam_access.text.printable import count

KINDS: Mapping[type[Alert], Kind[Any]] = {**SPECS, **PAUSES, **WATCHING, **AUDITS, **RUNS}
"""In the order in which a message on several kinds names them."""


def severity(alert: Alert) -> Severity:
    """How soon a person should look at it."""
    return KINDS[type(alert)].severity(alert)


def route(alert: Alert) -> Routing:
    """When it is sent."""
    return KINDS[type(alert)].route(alert)


def shorter(alert: Alert) -> Iterator[Alert]:
    """Ever shorter forms of an alert that is too large for an event, each with counts of what it leaves out."""
    yield from KINDS[type(alert)].shorter(alert)


def message_of(alerts: Sequence[Alert], *, is_follow_up: bool = False) -> Message:
    """One message for all alerts of an incident, at least one.

    `is_follow_up`: the first alert of the incident was sent by itself.
    """
    parts = [
        kind.describe(its, is_follow_up=is_follow_up)
        for model, kind in KINDS.items()
        if (its := [alert for alert in alerts if isinstance(alert, model)])
    ]
    whole = join(parts)
    # Runs come last in the title, but their targets come first in the lines.
    sections = [section for part in reversed(parts) for section in part.sections]
    return compose(highest(list(map(severity, alerts))), Parts(whole.title, whole.fields, sections))


def plain_message(alerts: Sequence[Alert], error: str) -> Message:
    """A message on alerts for which `message_of` failed with `error`."""
    lines = [
        f"{alert.target}: {alert.result} (run {alert.run_id})" if isinstance(alert, RunEnded) else type(alert).__name__
        for alert in alerts
    ]
    title = f"{count(len(alerts), 'alert')} that ecr-warden failed to describe ({error})"
    fields = [Field("See", "ecr-warden history; ecr-warden history RUN")]
    return compose(Severity.CRITICAL, Parts(title, fields, [listing("alert", lines)]))
