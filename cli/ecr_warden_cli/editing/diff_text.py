"""Who gains and who loses between two versions of the spec, in lines for a terminal and in Markdown."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ecr_warden.access_spec import Spec
from ecr_warden.core.access_change import Direction
from ecr_warden.versions.access_lines import DiffNames, Line
from ecr_warden_cli.editing.spec_diff import Ending, SettingChange, SpecDiff
from iam_access.text.printable import and_more, count, printable

MAX_MARKDOWN = 4000
"""Bytes; all of them ASCII. A comment of 4 kB is read."""


def names_of(before: Spec | None, after: Spec | None) -> DiffNames:
    """The names that the older version gives, for the newer one may give anybody any name."""
    spec = before or after
    return DiffNames({} if spec is None else {one.id: one.alias for one in spec.accounts})


_NOUNS = {Direction.GAINS: "gain", Direction.LOSES: "loss"}


def summary(found: SpecDiff, lines: Sequence[Line]) -> str:
    """`3 gains (2 principals, 2 repositories), 1 loss (1 principal, 1 repository), 1 other gain`."""
    parts = []
    for direction, noun in _NOUNS.items():
        some = [line for line in lines if line.direction is direction]
        if some:
            who = len({name for line in some for name in line.who})
            where = len({name for line in some for name in line.places})
            number = count(sum(line.number for line in some), noun)
            parts.append(f"{number} ({count(who, 'principal')}, {count(where, 'repository')})")
    others = Counter(other.direction for other in found.others)
    parts += [count(others[direction], f"other {noun}") for direction, noun in _NOUNS.items() if others[direction]]
    alone = ", by the texts alone: no account was read" if found.texts_alone else ""
    observed = "; this is only observed: it says mode: observe" if found.observed else ""
    return f"{', '.join(parts) or 'nobody gains or loses access'}{alone}{observed}"


def other_lines(found: SpecDiff) -> Iterator[str]:
    """The lines on what changes without access, and on what could not be decided."""
    for key in found.undecided:
        yield f"not known who gains and loses in {printable(key, 400)}: too many patterns to compare"
    yield from (f"{printable(other.target, 400)}: {other.text}" for other in found.others)
    giving = {other.target for other in found.others}
    for key, what in found.targets.items():
        if key not in giving:
            yield f"{printable(key, 400)}: {what}, without a change of pull or push"
    yield from map(_setting_line, found.settings)
    yield from (f"{printable(key, 400)}: {_ENDINGS[ending]}" for key, ending in found.endings.items())


_ENDINGS = {Ending.REVOKED: "its policy will be revoked", Ending.LEFT: "will be left as it is"}


def _setting_line(change: SettingChange) -> str:
    where = f"{printable(change.target, 400)}: " if change.target else ""
    values = f" from {printable(change.before)} to {printable(change.after)}" if change.before and change.after else ""
    return f"{where}{printable(change.name)}{f' changes{values}' if values else ': changed'}"


_ITSELF, _WAITS, _MAY_WAIT = "takes effect by itself", "waits for a person", "may wait for a person"


def verdict(found: SpecDiff) -> tuple[str, tuple[str, ...]]:
    """The fate of the new version at the hub, and why: `waits for a person`, and each reason."""
    judged = found.judgement
    unseen = tuple(f"not seen: {one}" for one in judged.unseen)
    if judged.held:
        return _WAITS, (*(f"{reason.code}: {reason.reason}" for reason in judged.held), *unseen)
    return (_MAY_WAIT, unseen) if unseen else (_ITSELF, ())


def markdown(found: SpecDiff, lines: Sequence[Line], beside: Sequence[str] = ()) -> str:
    """The same as a comment for a pull request, of at most MAX_MARKDOWN bytes; what is left out is counted.

    It begins with whether the new version waits for a person; `beside`: what else there is to say.
    """
    what, why = verdict(found)
    if found.is_nothing and not why:
        return "**Access: nothing changes.**\n"
    head = f"**Once it is uploaded, this version {what}{':' if why else '.'}**\n\n"
    if why:
        head += "".join(_fitting([f"- {code(one)}" for one in why], 1500, "reason")) + "\n"
    head += f"**Access: {'nothing changes' if found.is_nothing else summary(found, lines)}.**\n"
    entries = [f"- {line.text(code)}" for line in lines]
    rest = [f"- {code(other_line)}" for other_line in (*beside, *other_lines(found))]
    room = MAX_MARKDOWN - len(head) - 200
    tail = "\nBesides access:\n\n" + "".join(_fitting(rest, room // 4, "change")) if rest else ""
    body = "\n" + "".join(_fitting(entries, room - len(tail), "change")) if entries else ""
    return head + body + tail


def _fitting(entries: Sequence[str], room: int, noun: str) -> Iterator[str]:
    """As many entries as there is room for, and the number of the others."""
    for index, entry in enumerate(entries):
        room -= len(entry) + 1
        if room < 0:
            yield f"- {and_more(len(entries) - index, noun)}\n"
            return
        yield entry + "\n"


def code(text: str) -> str:
    """Any text as a code span, in which Markdown reads nothing: no HTML, no link, no mention."""
    safe = printable(text, 600)
    ticks = "`" * (max(map(len, re.findall(r"`+", safe)), default=0) + 1)
    space = " " if safe[:1] == "`" or safe[-1:] == "`" or not safe.strip() else ""
    return f"{ticks}{space}{safe}{space}{ticks}"
