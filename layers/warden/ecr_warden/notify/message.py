"""The message that people get."""

from msgspec import Struct

from ecr_warden.core.result import Severity


class Field(Struct, frozen=True):
    """A labelled line of a message."""

    label: str
    text: str


class Message(Struct, frozen=True):
    """What a channel renders; all text is plain and unescaped, because each channel escapes in its own way."""

    severity: Severity
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()
