"""The message that people get."""

from collections.abc import Mapping
from copy import replace
from enum import StrEnum

from ecr_warden.core.codec.base import forms
from ecr_warden.core.naming import shortened
from ecr_warden.core.result import Severity
from ecr_warden.core.value import Value
from iam_access.text.printable import cut


class MessageState(StrEnum):
    """Whether it is over: the second word of a message. Of several alerts, the first of these that one of them has."""

    FAILED = "failed"  # ecr-warden tried and could not: it lasts, and a person has to act
    OPEN = "open"  # it lasts
    UNKNOWN = "unknown"  # it could not be read
    WAITS = "waits for you"  # nothing takes effect before a person decides
    CLOSED = "closed"  # it is over
    DONE = "done"  # somebody asked for it, or it was due


class Transition(StrEnum):
    """What became of its incident, for channels that keep a thread of it."""

    OPENED = "opened"
    GREW = "grew"  # graver than what people heard of, or the first that lets somebody in
    STILL = "still"  # nothing is new but the time
    AGAIN = "again"  # it was over
    OVER = "over"  # all that people heard of has ended
    CLOSED = "closed"  # it had ended before anybody heard of it: its only message
    REPORTED = "reported"  # it happened, and nothing says later that it is over, such as a trail that was stopped


DONE, TO_DO, COMMAND, NOTHING = "Done", "To do", "Command", "nothing"
"""The labels of what is done, of what a person has to do (NOTHING begins its line if it is that), and of what helps."""
IN_ALL, STILL_OPEN = "In all", "Still open"
"""The labels of how much it is by now, and of what lasts beside what a message is about."""


FIRST_LINE = 86
"""Characters: an e-mail's subject has 99, and begins with `[ecr-warden] `."""


class Field(Value, frozen=True):
    """A labelled line of a message."""

    label: str
    text: str


class Message(Value, frozen=True, omit_defaults=True):
    """What a channel renders; all text is plain and unescaped, because each channel escapes in its own way."""

    severity: Severity
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()
    state: MessageState = MessageState.DONE
    lasted: str = ""
    """How long it was open, after its state: `after 4 s`."""
    incident: str = ""
    """The ID of its incident, the thread in every channel; empty of a digest of many."""
    transition: Transition = Transition.OPENED
    lets_in: bool = False
    """Somebody gets in who is not ours: it stands above what is as grave."""

    @property
    def first_line(self) -> str:
        """`CRITICAL closed after 4 s: account 999999999999 could push to shop/checkout`."""
        state = f"{self.state} {self.lasted}" if self.lasted else self.state
        return cut(f"{self.severity.upper()} {state}: {self.title}", FIRST_LINE)

    @property
    def shown(self) -> tuple[Field, ...]:
        """The fields, after the title where the first line has not all of it."""
        return self.fields if self.first_line.endswith(self.title) else (Field("In full", self.title), *self.fields)


message_to_json, message_from_json = forms("message", Message)


def spelled_message(message: Message, aliases: Mapping[str, str]) -> Message:
    """The message with each user and role as people write it; `aliases`: of accounts, by their IDs."""
    fields = tuple(Field(one.label, shortened(one.text, aliases)) for one in message.fields)
    lines = tuple(shortened(line, aliases) for line in message.lines)
    return replace(message, title=shortened(message.title, aliases), fields=fields, lines=lines)
