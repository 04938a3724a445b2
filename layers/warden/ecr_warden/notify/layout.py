"""A message from its parts: what does not fit is counted, each list from its whole."""

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.result import Severity
from ecr_warden.notify.message import COMMAND, FIRST_LINE, NOTHING, TO_DO, Field, Message, MessageState
from iam_access.text.printable import and_more, count, printable

TITLE, TEXT, LINE, LINES, FIELDS = 140, 500, 700, 40, 10
"""What every channel shows uncut: characters of a title, of a field and of a line; lines; fields."""
one_line = partial(printable, ascii_only=False)
"""Text for a channel, which shows Unicode."""
_INDENT = "  "
_WORTH_SHOWING = 2


def lay_out(listings: Sequence[Listing], room: int, *, ranked: bool = False) -> tuple[str, ...]:
    """The lists one after the other in at most `room` lines; `room` must be the least that all of them need.

    `ranked`: later ones get what earlier ones leave.
    """
    wanted = [each for each in listings if each.entries or each.rest]
    spare = room - sum(each.least for each in wanted)
    lines: list[str] = []
    for index, each in enumerate(wanted):
        # Earlier lists take what the others do not need, and a fair share at least.
        others = sum(min(other.lines - other.least, 2 if ranked else room) for other in wanted[index + 1 :])
        given = min(each.lines - each.least, max(spare - others, spare // (len(wanted) - index)))
        spare -= given
        lines += _lines(each, each.least + given)
    return tuple(lines)


def _lines(given: Listing, room: int) -> list[str]:
    """At most `room` lines, which must be `given.least` or more."""
    lines = [given.title] if given.title else []
    room -= len(lines)
    entries, rest = given.entries, given.rest
    # Details that do not fit are counted in a closing line.
    nested = any(entry.under is not None and entry.under.lines for entry in entries)
    closing = nested and given.lines - len(lines) > room and room > 2
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
        lines.append(f"(without the details of {count(hidden, given.noun)})")
    if rest:
        lines.append(and_more(rest, given.noun))
    return lines


class Parts(Struct, frozen=True):
    """The parts of a message, neither cut nor escaped.

    `state`, `lasted`: as of a message.
    """

    state: MessageState
    title: str
    fields: Sequence[Field] = ()
    sections: Sequence[Listing] = ()
    number: int = 1
    """Of how many alerts they speak."""
    ranked: bool = False
    """Of the sections, as in lay_out."""
    lasted: str = ""


def join(parts: Sequence[Parts], *, below: Sequence[Parts] = ()) -> Parts:
    """The parts of one message, the gravest first: its state, each title once, texts of the same label in one field.

    Another state than the gravest one's stands before its title. What a person has to do stands under the title if all
    is closed by the same, and else with each that asks for it.

    Titles that do not fit into one, or whose fields are too many, are lines, with what belongs to each under it.
    `below`: the order of what stands below the title, if it is another.
    """
    asking = [part for part in parts if _asks(part)] or parts[:1]
    asked = {tuple(field.text for field in part.fields if field.label in _OF_ASKING) for part in asking}
    fields: dict[str, dict[str, None]] = {}
    for part in parts:
        for field in part.fields:
            if field.text and (part in asking or field.label not in _OF_ASKING):
                fields.setdefault(field.label, {})[field.text] = None
    state = parts[0].state
    titles = list(dict.fromkeys(_titled(part, state) for part in parts))
    title, number = "; ".join(titles), sum(part.number for part in parts)
    sections = [section for part in below or parts for section in part.sections]
    joined = [Field(label, "; ".join(texts)) for label, texts in fields.items()]
    own = len(joined) > FIELDS or len(asked) > 1
    if len(titles) > 1 and (len(title) > TITLE or own):
        title = f"{titles[0]} ({count(number - parts[0].number, 'more alert')})"
        sections = [
            entries_of(
                "alert",
                [
                    (_titled(part, state), _under(part, LINES // len(parts), with_fields=own), part.number)
                    for part in parts
                ],
            )
        ]
        joined = [field for field in joined if not own]
    elif len(title) > ONE_LINE:
        title, sections = titles[0], [*sections, listing("alert", titles[1:])]
    lasted = parts[0].lasted if len(parts) == 1 else ""
    return Parts(state, title, joined, sections, number, lasted=lasted)


_OF_ASKING = (TO_DO, COMMAND)
ONE_LINE = FIRST_LINE - len(f"{Severity.CRITICAL} {MessageState.FAILED}: ")
"""Characters of a title that no first line cuts."""


def _asks(part: Parts) -> bool:
    """Whether a person has to do something."""
    return any(field.label == TO_DO and not field.text.startswith(NOTHING) for field in part.fields)


def _titled(part: Parts, state: MessageState) -> str:
    return part.title if part.state is state else f"{part.state}: {part.title}"


def _under(part: Parts, share: int, *, with_fields: bool) -> list[str]:
    """At most a fair share of lines, with the title: a long list hides nothing of what others say."""
    fields = [f"{field.label}: {field.text}" for field in part.fields if field.text and with_fields]
    least = sum(each.least for each in part.sections if each.entries or each.rest)
    return [*fields, *lay_out(part.sections, max(share - 1 - len(fields), least))]


def entries_of(noun: str, alerts: Iterable[tuple[str, Sequence[str], int]]) -> Listing:
    """A line for each title, and under it its lines; with how many alerts each is about."""
    return Listing(noun, tuple(Entry(title, listing("line", lines), number) for title, lines, number in alerts))


def compose(severity: Severity, parts: Parts) -> Message:
    """The message: printable, bounded, and not yet escaped for a channel."""
    return Message(
        severity,
        one_line(parts.title, TITLE),
        tuple(Field(field.label, one_line(field.text, TEXT)) for field in parts.fields if field.text)[:FIELDS],
        tuple(one_line(line, LINE) for line in lay_out(_joined(parts.sections), LINES, ranked=parts.ranked)),
        parts.state,
        parts.lasted,
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
