"""What the messages of an incident say after the first one, from its facts and from what its alerts say."""

from collections.abc import Collection, Sequence
from copy import replace
from datetime import datetime

from ecr_warden.core.alert import Alert
from ecr_warden.core.lasting import duration
from ecr_warden.core.listing import listing
from ecr_warden.core.result import highest
from ecr_warden.notify.incident import Fact, Incident
from ecr_warden.notify.kinds import safe_message_of
from ecr_warden.notify.layout import FIELDS, TEXT, TITLE, Parts, compose, one_line
from ecr_warden.notify.message import (
    COMMAND,
    IN_ALL,
    NOTHING,
    STILL_OPEN,
    TO_DO,
    Field,
    Message,
    MessageState,
    Transition,
)
from ecr_warden.notify.wording import LOOK, command, to_do
from iam_access.text.printable import count, listed, show_time


def message_on(
    incident: Incident, transition: Transition, alerts: Sequence[Alert], now: datetime, about: Collection[str] = ()
) -> Message:
    """The message on what became of an incident.

    `alerts`: those whose words are true of it now; `about`: the keys of the facts that they are about.
    """
    match transition:
        case Transition.STILL:
            message = _still(incident, now)
        case Transition.OVER:
            message = _over(incident, alerts)
        case _ if alerts:
            others = [fact for fact in incident.left(now) if fact.key not in about]
            message = _beside(incident, safe_message_of(alerts), others, now)
        case _:
            message = _still(incident, now) if incident.left(now) else _over(incident, alerts)
    if transition is Transition.AGAIN:
        message = replace(message, lasted=f"again {message.lasted}".rstrip())
    own = _of_thread(incident, transition)
    fields = (*message.fields[: FIELDS - len(own)], *own)
    return replace(message, fields=fields, incident=incident.id, transition=transition, lets_in=_lets_in(incident, now))


def _lets_in(incident: Incident, now: datetime) -> bool:
    return any(fact.lets_in for fact in incident.left(now))


def _beside(incident: Incident, message: Message, others: Sequence[Fact], now: datetime) -> Message:
    """What its alerts say, with what lasts beside it; that comes first where it is as grave and they are over."""
    if not others:
        return message
    gravest = highest([fact.severity for fact in others])
    if highest([message.severity, gravest]) is gravest and message.state in (MessageState.CLOSED, MessageState.DONE):
        return _still(incident, now, beside=message)
    lasts = one_line(listed(_titles(others), 3), TEXT)
    return replace(message, fields=(Field(STILL_OPEN, lasts), *message.fields)[:FIELDS])


def _titles(facts: Sequence[Fact]) -> list[str]:
    """What they say, each once: of one finding there is a fact for each access and place."""
    return list(dict.fromkeys(fact.title for fact in facts))


def _still(incident: Incident, now: datetime, *, beside: Message | None = None) -> Message:
    """What is open, the gravest first; `beside`: a message on what is over."""
    left = incident.left(now)
    since = left[0].opened  # others of its incident may have been over before
    lasted = f"for {duration(round((now - since).total_seconds()))}"
    is_rest = incident.only_images and not all(fact.is_image for fact in incident.facts)
    first, *more = titles = _titles(left)
    title = f"{'left: ' if is_rest else ''}{first}{f' ({len(more)} more)' if more else ''}"
    ended = [fact.over for fact in incident.ranked() if is_rest and not fact.is_open(now) and not fact.may_last]
    lists = [
        listing("thing", titles if more else [], title="Open:"),
        listing("thing", ended, title="Over:"),
    ]
    if beside is not None:
        said = [f"{beside.first_line}", *(f"{one.label}: {one.text}" for one in beside.shown), *beside.lines]
        lists.append(listing("line", said, title="New:"))
    severity = highest([fact.severity for fact in left])
    access = [Field("Access", "nobody gets in any more")] if is_rest and not _may_last(incident) else []
    asked = [Field("Since", show_time(since)), to_do(incident.asked), command(incident.command or "ecr-warden status")]
    fields = [*access, *asked]
    if not incident.acknowledged:
        fields.append(Field("Reminders", f"end with ecr-warden ack {incident.id} --reason TEXT"))
    return compose(severity, Parts(MessageState.OPEN, title, fields, lists, lasted=lasted))


def _over(incident: Incident, alerts: Sequence[Alert]) -> Message:
    """What its alerts say of the end; of what is graver than they are its facts."""
    lasted = f"after {duration(round((incident.ended() - incident.since).total_seconds()))}"
    ended = [fact for fact in incident.ranked() if not fact.may_last]
    gravest, *others = ended or incident.ranked()
    state = MessageState.CLOSED if ended else MessageState.OPEN
    title = one_line(f"{gravest.over}{f' ({len(others)} more)' if others else ''}", TITLE)
    own = Parts(state, title, [to_do(), command("ecr-warden status")])
    message = safe_message_of(alerts) if alerts else compose(incident.severity, own)
    severity = highest([message.severity, incident.severity])
    return replace(
        message,
        severity=severity,
        fields=tuple(_look(incident, field) for field in message.fields),
        state=message.state if message.state is MessageState.DONE else state,
        lasted=lasted,
        title=message.title if message.severity is severity or gravest.over != gravest.title else title,
    )


def _look(incident: Incident, field: Field) -> Field:
    """What to do at the end: its last alert may know nothing of whom the incident let in."""
    is_nothing = field.label == TO_DO and field.text.startswith(NOTHING)
    return to_do(f"{LOOK} since {show_time(incident.since)}") if is_nothing and incident.said_lets_in else field


def _may_last(incident: Incident) -> list[str]:
    """What nobody hears the end of."""
    counted = [f"{count(incident.left_open, 'thing')} counted only"]
    return [*(counted if incident.left_open else []), *_titles(incident.reported)]


def _of_thread(incident: Incident, transition: Transition) -> Sequence[Field]:
    """Of which incident a message is, unless that is over with it, and all that it counts."""
    fields = []
    if transition is Transition.OVER and _may_last(incident):
        fields.append(Field("May last", one_line(listed(_may_last(incident), 3), TEXT)))
    if incident.things > 1 and incident.sent > 1:
        more = f", {incident.left_out} of them counted only" if incident.left_out else ""
        what = "thing" if incident.things == len(incident.facts) else "time"
        fields.append(Field(IN_ALL, f"{count(incident.things, what)} since {show_time(incident.since)}{more}"))
    if transition not in (Transition.CLOSED, Transition.REPORTED):
        fields.append(Field("Incident", one_line(incident.id, 20)))
    return fields


def with_words(incident: Incident, message: Message) -> Incident:
    """The incident with what its later messages say of what this one asks for."""
    if message.transition in (Transition.STILL, Transition.OVER):
        return incident
    fields = {field.label: field.text for field in message.fields}
    return replace(incident, title=message.title, asked=fields.get(TO_DO, ""), command=fields.get(COMMAND, ""))
