"""Who gains and who loses between two versions of the spec, in lines for a terminal and in Markdown."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.access_spec import Spec
from ecr_warden.core.access_change import GRAVEST_FIRST, AccessChange, Direction, change_in_words, gravity
from ecr_warden_cli.editing.spec_diff import Ending, SettingChange, SpecDiff
from iam_access.arn import parse_arn
from iam_access.text.printable import and_more, count, listed, printable

MAX_MARKDOWN = 4000
"""Bytes; all of them ASCII. A comment of 4 kB is read."""
_LONGEST_NAME = 200
_BOTH, _NAMED, _MANY = 2, 3, 5
"""As many are named without a count, or of more; gains or losses of one kind that are one line."""
_ORGANIZATION = re.compile(r"o-[a-z0-9]+")
_ACCOUNT = re.compile(r"[0-9]{12}")


class DiffNames(Struct, frozen=True):
    """How people name what a spec is about."""

    aliases: Mapping[str, str]
    """By account ID."""

    def principal(self, text: str) -> str:
        """`ci:user/plat-1`, `account ci (111111111111)`, `anybody (*)`; what is in no account of the spec in full."""
        if text == "*":
            return "anybody (*)"
        if _ACCOUNT.fullmatch(text):
            alias = self.aliases.get(text)
            return f"account {alias} ({text})" if alias else f"account {text}"
        if _ORGANIZATION.fullmatch(text):
            return f"organization {text}"
        arn = parse_arn(text)
        alias = self.aliases.get(arn.account) if arn is not None else None
        if arn is None or alias is None:
            return printable(text, _LONGEST_NAME)
        return printable(f"{alias}:{arn.resource}", _LONGEST_NAME)

    def place(self, key: str, registries: int) -> str:
        """A repository by its name, with its registry where there are several; `*` is all that no line names."""
        _, account, region, name = key.split("/", 3)
        if name == "*":
            everywhere = "" if region == "*" else f" in {region}"
            return f"all other repositories of {self.aliases.get(account, account)}{everywhere}"
        where = f" ({self.aliases.get(account, account)}, {region})" if registries > 1 or region == "*" else ""
        return f"{printable(name, _LONGEST_NAME)}{where}"


def names_of(before: Spec | None, after: Spec | None) -> DiffNames:
    """The names that the versions give; the newer one's where they differ."""
    return DiffNames({one.id: one.alias for spec in (before, after) if spec is not None for one in spec.accounts})


class Line(Struct, frozen=True):
    """What somebody gains or loses at some repositories; several, where each of them does so at each of these."""

    who: tuple[str, ...]
    direction: Direction
    accesses: tuple[str, ...]
    places: tuple[str, ...]
    through: tuple[str, ...]
    conditions: tuple[str, ...]
    gravity: tuple[int, int]

    def text(self, quoted: Callable[[str], str] = str) -> str:
        """`ci:user/plat-1 gains push to payments/ledger through registry:role/ecr-warden/pusher`."""
        who, places = _some(self.who, "principal", quoted), _some(self.places, "repository", quoted)
        through = f" through {' and '.join(map(quoted, self.through))}" if self.through else ""
        conditions = f", if {quoted(' and '.join(self.conditions))}" if self.conditions else ""
        is_many = len(self.who) > 1
        return change_in_words(
            self.direction, who, self.accesses, places, through=through, conditions=conditions, many=is_many
        )

    @property
    def number(self) -> int:
        """How many gains or losses it stands for."""
        return len(self.who) * len(self.places)


def _some(names: Sequence[str], noun: str, quoted: Callable[[str], str]) -> str:
    """`ann`, `ann and bob`, `5 principals (ann, bob, cid and 2 more)`."""
    shown = [quoted(name) for name in names]
    if len(shown) <= _BOTH:
        return " and ".join(shown)
    return f"{count(len(shown), noun)} ({listed(shown, _NAMED)})"


def lines_of(changes: Sequence[AccessChange], names: DiffNames) -> list[Line]:
    """The changes, the gravest first; a role by itself only if nobody comes through it; many alike as one."""
    links = {
        (change.repository, change.access, change.direction, role) for change in changes for role in change.through
    }
    registries = len({place for change in changes if "*" not in (place := tuple(change.repository.split("/")[1:3]))})
    grouped: dict[tuple[object, ...], list[AccessChange]] = defaultdict(list)
    for change in changes:
        if (change.repository, change.access, change.direction, change.principal) not in links:
            grouped[change.principal, change.repository, change.direction, change.through, change.conditions].append(
                change
            )
    found = _joined([_line(some, names, registries) for some in grouped.values()])
    return sorted(found, key=lambda line: (line.direction is Direction.LOSES, line.gravity, line.places, line.who))


def _joined(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, those joined that differ in who and where alone and are many."""
    alike: dict[tuple[object, ...], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        what = line.direction, line.accesses, line.through, line.conditions, line.gravity
        alike[what][line.places[0]].append(line)
    for places in alike.values():
        by_who: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for place, some in places.items():
            by_who[tuple(sorted(line.who[0] for line in some))].append(place)
        for who, where in by_who.items():
            if len(who) * len(where) >= _MANY:
                yield replace(places[where[0]][0], who=who, places=tuple(sorted(where)))
            else:
                yield from (line for place in where for line in places[place])


def _line(changes: Sequence[AccessChange], names: DiffNames, registries: int) -> Line:
    access_change = changes[0]
    accesses = sorted((change.access for change in changes), key=GRAVEST_FIRST.index)
    return Line(
        (names.principal(access_change.principal),),
        access_change.direction,
        tuple(accesses),
        (names.place(access_change.repository, registries),),
        tuple(map(names.principal, access_change.through)),
        tuple(printable(each, 300) for each in access_change.conditions),
        gravity(access_change.principal, accesses[0], names.aliases),
    )


def summary(found: SpecDiff, lines: Sequence[Line]) -> str:
    """`3 gains (2 principals, 2 repositories), 1 loss (1 principal, 1 repository), 1 other gain`."""
    parts = []
    for direction, noun in ((Direction.GAINS, "gain"), (Direction.LOSES, "loss")):
        some = [line for line in lines if line.direction is direction]
        if some:
            who = len({name for line in some for name in line.who})
            where = len({name for line in some for name in line.places})
            number = count(sum(line.number for line in some), noun)
            parts.append(f"{number} ({count(who, 'principal')}, {count(where, 'repository')})")
    if found.others:
        parts.append(count(len(found.others), "other gain"))
    return ", ".join(parts) or "nobody gains or loses access"


def other_lines(found: SpecDiff) -> Iterator[str]:
    """The lines on what changes without access, and on what could not be decided."""
    for key in found.undecided:
        yield f"not known who gains and loses in {printable(key, 400)}: too many patterns to compare"
    for other in found.others:
        yield f"{printable(other.target, 400)}: {other.text}"
    giving = {other.target for other in found.others}
    for key, what in found.targets.items():
        if key not in giving:
            yield f"{printable(key, 400)}: {what}, without a change of pull or push"
    yield from map(_setting_line, found.settings)
    for key, ending in found.endings.items():
        yield f"{printable(key, 400)}: {_ENDINGS[ending]}"


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


def verdict_lines(found: SpecDiff) -> Iterator[str]:
    """The same in lines: the first one by itself says whether it waits."""
    what, why = verdict(found)
    yield f"once it is uploaded, it {what}{':' if why else ''}"
    yield from (f"  {one}" for one in why)


def markdown(found: SpecDiff, lines: Sequence[Line]) -> str:
    """The same as a comment for a pull request, of at most MAX_MARKDOWN bytes; what is left out is counted.

    It begins with whether the new version waits for a person.
    """
    what, why = verdict(found)
    if found.is_nothing and not why:
        return "**Access: nothing changes.**\n"
    head = f"**Once it is uploaded, this version {what}{':' if why else '.'}**\n\n"
    if why:
        head += "".join(_fitting([f"- {code(one)}" for one in why], 1500, "reason")) + "\n"
    head += f"**Access: {'nothing changes' if found.is_nothing else summary(found, lines)}.**\n"
    entries = [f"- {line.text(code)}" for line in lines]
    rest = [f"- {code(other_line)}" for other_line in other_lines(found)]
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
    longest = max(map(len, re.findall(r"`+", safe)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if safe[:1] == "`" or safe[-1:] == "`" or not safe.strip() else ""
    return f"{ticks}{space}{safe}{space}{ticks}"
