"""A message from its parts: what does not fit is counted, each list from its whole."""

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from ecr_warden.core.listing import Listing
from ecr_warden.core.result import Severity
from ecr_warden.notify.message import Field, Message
from iam_access.text.printable import and_more, count, printable

TITLE, TEXT, LINE, LINES, FIELDS = 140, 500, 700, 40, 10
"""What every channel shows uncut: characters of a title, of a field and of a line; lines; fields."""
one_line = partial(printable, ascii_only=False)
"""Text for a channel, which shows Unicode."""
_INDENT = "  "
_WORTH_SHOWING = 2


def lay_out(listings: Sequence[Listing], room: int) -> tuple[str, ...]:
    """The lists one after the other in at most `room` lines; `room` must be the least that all of them need."""
    wanted = [listing for listing in listings if listing.entries or listing.rest]
    spare = room - sum(listing.least for listing in wanted)
    lines: list[str] = []
    for index, listing in enumerate(wanted):
        # Earlier lists take precedence, but leave the others a fair share.
        others = sum(min(other.lines - other.least, 2) for other in wanted[index + 1 :])
        given = min(listing.lines - listing.least, max(spare - others, spare // (len(wanted) - index)))
        spare -= given
        lines += _lines(listing, listing.least + given)
    return tuple(lines)


def _lines(listing: Listing, room: int) -> list[str]:
    """At most `room` lines, which must be `listing.least` or more."""
    lines = [listing.title] if listing.title else []
    room -= len(lines)
    entries, rest = listing.entries, listing.rest
    # Details that do not fit are counted in a closing line.
    nested = any(entry.under is not None and entry.under.lines for entry in entries)
    closing = nested and listing.lines - len(lines) > room and room > 2
    if len(entries) + bool(rest) > room - closing:
        kept = max(0, room - closing - 1)
        entries, rest = entries[:kept], rest + sum(entry.number for entry in entries[kept:])
    spare = room - closing - len(entries) - bool(rest)
    hidden = 0
    for entry in entries:
        lines.append(entry.text)
        if entry.under is None or not entry.under.lines:
            continue
        if spare < min(entry.under.lines, _WORTH_SHOWING):
            hidden += entry.number
            continue
        under = _lines(entry.under, min(spare, entry.under.lines))
        spare -= len(under)
        lines += [_INDENT + line for line in under]
    if hidden and closing:
        lines.append(f"(without the details of {count(hidden, listing.noun)})")
    if rest:
        lines.append(and_more(rest, listing.noun))
    return lines


class Parts(Struct, frozen=True):
    """The parts of a message, neither cut nor escaped."""

    title: str
    fields: Sequence[Field] = ()
    sections: Sequence[Listing] = ()


def join(parts: Sequence[Parts]) -> Parts:
    """The parts of one message: each title once, texts of the same label in one field."""
    fields: dict[str, dict[str, None]] = {}
    for field in (field for part in parts for field in part.fields if field.text):
        fields.setdefault(field.label, {})[field.text] = None
    return Parts(
        "; ".join(dict.fromkeys(part.title for part in parts)),
        [Field(label, "; ".join(texts)) for label, texts in fields.items()],
        [section for part in parts for section in part.sections],
    )


def compose(severity: Severity, parts: Parts) -> Message:
    """The message: printable, bounded, and not yet escaped for a channel."""
    return Message(
        severity,
        one_line(parts.title, TITLE),
        tuple(Field(field.label, one_line(field.text, TEXT)) for field in parts.fields if field.text)[:FIELDS],
        tuple(one_line(line, LINE) for line in lay_out(_joined(parts.sections), LINES)),
    )


def _joined(sections: Iterable[Listing]) -> list[Listing]:
    """Neighbouring lists of the same noun and title as one list; empty ones separate nothing."""
    joined: list[Listing] = []
    for section in sections:
        before = joined[-1] if joined else None
        if before is not None and (before.title, before.noun) == (section.title, section.noun):
            joined[-1] = Listing(
                section.noun, before.entries + section.entries, section.title, before.rest + section.rest
            )
        elif section.entries or section.rest:
            joined.append(section)
    return joined
