"""Who gains and who loses by a version of the spec, in lines: one wording of every preview and of what is held."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.core.access_change import GRAVEST_FIRST, GROUPS, AccessChange, Direction, gravity
from ecr_warden.core.framings import VERSIONS, VERSIONS_OF_MANY
from iam_access.arn import parse_arn
from iam_access.delta.phrases import Phrase, wording
from iam_access.delta.service import ActionGroup
from iam_access.gather import gather
from iam_access.text.printable import count, listed, printable

_LONGEST_NAME = 200
_BOTH, _NAMED, _MANY = 2, 3, 5
"""As many are named without a count, or of more; gains or losses of one kind that are one line."""
_ORGANIZATION = re.compile(r"o-[a-z0-9]+")
_ACCOUNT = re.compile(r"[0-9]{12}")


class DiffNames(Struct, frozen=True):
    """How people name what a spec is about."""

    aliases: Mapping[str, str]
    """By account ID, as the older version has them: whatever account is new is named in full."""

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
        *most, last = (GROUPS[access].has for access in self.accesses)
        has = f"{', '.join(text.removesuffix(' {}') for text in most)} and {last}" if most else last
        gained = self.direction is Direction.GAINS
        phrase = Phrase(who, ActionGroup("CHANGE", (), has, has), places, through, conditions, gained=gained)
        return wording(phrase, VERSIONS_OF_MANY if len(self.who) > 1 else VERSIONS)

    @property
    def number(self) -> int:
        """How many gains or losses it stands for."""
        return len(self.who) * len(self.places)


def _some(names: Sequence[str], noun: str, quoted: Callable[[str], str]) -> str:
    """`ann`, `ann and bob`, `5 principals (ann, bob, cid and 2 more)`."""
    shown = [quoted(name) for name in names]
    return " and ".join(shown) if len(shown) <= _BOTH else f"{count(len(shown), noun)} ({listed(shown, _NAMED)})"


def lines_of(changes: Sequence[AccessChange], names: DiffNames) -> list[Line]:
    """The changes, the gravest first; a role by itself only if nobody comes through it; many alike as one."""
    links = {
        (change.repository, change.access, change.direction, role) for change in changes for role in change.through
    }
    registries = len({place for change in changes if "*" not in (place := tuple(change.repository.split("/")[1:3]))})
    grouped = gather(
        ((one.principal, one.repository, one.direction, one.through, one.conditions), one)
        for one in changes
        if (one.repository, one.access, one.direction, one.principal) not in links
    )
    found = _joined([_line(some, names, registries) for some in grouped.values()])
    return sorted(found, key=lambda line: (line.direction is Direction.LOSES, line.gravity, line.places, line.who))


def _joined(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, those joined that differ in who and where alone and are many."""
    alike = gather(
        ((line.direction, line.accesses, line.through, line.conditions, line.gravity), line) for line in lines
    )
    for some in alike.values():
        places = gather((line.places[0], line) for line in some)
        by_who = gather((tuple(sorted(line.who[0] for line in those)), place) for place, those in places.items())
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
