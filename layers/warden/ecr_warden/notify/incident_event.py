"""A message as data, for programs: the `detail` of an incident event, whose schema is in docs/schema."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from ecr_warden.core.result import Severity
from ecr_warden.core.value import Value
from ecr_warden.notify.layout import FIELDS, LINE, LINES, TEXT, TITLE, one_line
from ecr_warden.notify.message import NOTHING, TO_DO, Message, MessageState, Transition
from iam_access.text.printable import first

INCIDENT: Final = "ecr-warden incident"
"""The detail type."""
_KEY = 255
"""Characters of an incident's ID, of which PagerDuty takes no more."""


class EventField(Value, frozen=True):
    """A labelled line."""

    label: str
    text: str


class IncidentEvent(Value, frozen=True):
    """What became of an incident. Expect further fields, and further values of `state`."""

    schema: Annotated[Literal[1], Meta(description="Another number: a change that could break a reader.")]
    incident: Annotated[
        str, Meta(description="Its ID, the same in all of its events; empty where that could not be kept.")
    ]
    transition: Annotated[
        Transition,
        Meta(
            description="opened; grew: graver than before; still: nothing is new but the time; again: it was over; "
            "over: all that "
            "lasted has ended; closed: its only event, for it had ended before anybody heard of it; reported: it "
            "happened, and no event will say that it is over."
        ),
    ]
    severity: Severity
    state: Annotated[MessageState, Meta(description="Whether it lasts.")]
    title: Annotated[str, Meta(description="What somebody could do or not do.")]
    asks: Annotated[bool, Meta(description="Whether a person has to do something: the field `To do` says what.")]
    lasted: Annotated[str, Meta(description="How long it was open, such as `after 4 s`; empty where it is not over.")]
    fields: tuple[EventField, ...]
    lines: Annotated[tuple[str, ...], Meta(description="What was found, as people read it.")]


def incident_event(message: Message) -> IncidentEvent:
    """The event of a message, printable and of at most 140,000 bytes."""
    return IncidentEvent(
        1,
        one_line(message.incident, _KEY),
        message.transition,
        message.severity,
        message.state,
        one_line(message.title, TITLE),
        asks(message),
        one_line(message.lasted, TITLE),
        tuple(EventField(one_line(one.label, 30), one_line(one.text, TEXT)) for one in message.fields[:FIELDS]),
        tuple(one_line(line, LINE) for line in first(filter(None, message.lines), LINES, noun="line")),
    )


def asks(message: Message) -> bool:
    """Whether a person has to do something; where no field says so, by the severity."""
    said = [one.text for one in message.fields if one.label == TO_DO]
    return not said[0].startswith(NOTHING) if said else message.severity is not Severity.INFO
