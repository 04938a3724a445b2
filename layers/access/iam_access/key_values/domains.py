"""The values that a condition key can have, distinguished only as far as the documents distinguish them.

A text is looked for in a language. Numbers, dates and addresses are divided into cells: between two values that the
documents name all values are alike, so one stands for all; and one text stands for all that are not of the kind.
"""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import pairwise

from msgspec import Struct

from iam_access.document.pattern import Pattern
from iam_access.document.steps import Steps
from iam_access.document.values import address, moment, network, number
from iam_access.key_values.language import WILDCARDS, Language, find_word

STATEMENTS = "the statements overlap in too many ways"
"""What was too much, when counted work ended before an answer (document.steps)."""

_DAY = 86_400
_EXACT = 120
"""Digits: more than between the first of the longest number (operators.number) and the last of the smallest."""
_WORD = "x"
"""Not a number, a date or an address."""


class TextSet(Struct, frozen=True):
    """The texts that match one of the patterns."""

    language: Language

    def holds(self, value: str) -> bool:
        """Does the value match?"""
        return any(pattern.matches(value) for pattern in self.language)


class CellSet(Struct, frozen=True):
    """Some cells of a domain, one bit each."""

    mask: int
    domain: "OrderedDomain"

    def holds(self, value: str) -> bool:
        """Is the value in one of the cells?"""
        cell = self.domain.cell(value)
        return cell is not None and bool(self.mask >> cell & 1)


type ValueSet = TextSet | CellSet
type Membership = tuple[ValueSet, bool]
"""A set of values, and whether the value must be in it or not."""


class TextDomain(Struct, frozen=True):
    """All texts, or those of `language`."""

    language: Language | None = None

    def find(self, members: Iterable[Membership], budget: Steps) -> str | None:
        """A text with all these memberships; None if there is none."""
        inside: list[Language] = []
        outside: set[Pattern] = set()
        for values, wanted in members:
            if not isinstance(values, TextSet):
                continue
            budget.spend(1 + len(values.language) // 4, WILDCARDS)
            if wanted:
                inside.append(values.language)
            else:
                outside |= values.language
        if self.language is not None:
            inside.append(self.language)
        return find_word(inside, frozenset(outside), budget)

    def holds(self, value: str) -> bool:
        """Is the value one of these texts?"""
        return self.language is None or any(pattern.matches(value) for pattern in self.language)


type Span = tuple[int, int]
"""Cells, from the first to before the last."""


class OrderedDomain(Struct, frozen=True, eq=False):
    """Ordered values divided into cells; `values` has one of each cell, in order."""

    values: tuple[str, ...]
    where: Callable[[str], int | None]
    """The cell of a request's value; None if it is not of this kind."""
    span: Callable[[str, str], Span | None]
    """The cells that match a policy's value under a positive operator; None if it is not of this kind."""
    typed: bool
    """Every value of the key is of this kind. Else the last cell holds those that are not."""

    def cell(self, value: str) -> int | None:
        """The cell of a value; None if the key cannot have it."""
        found = self.where(value)
        return len(self.values) - 1 if found is None and not self.typed else found

    def find(self, members: Iterable[Membership], budget: Steps) -> str | None:
        """A value with all these memberships; None if there is none."""
        left = self._everything
        for values, wanted in members:
            if isinstance(values, CellSet) and values.domain is self:
                budget.spend(1 + len(self.values) // 4096, STATEMENTS)
                left &= values.mask if wanted else ~values.mask
        return self.values[(left & -left).bit_length() - 1] if left else None

    def cells(self, operator: str, given: Collection[str], *, negated: bool) -> CellSet:
        """The cells on which a clause holds; `operator` is the positive one."""
        if negated and not given:
            return CellSet(self._everything, self)
        spans = [self.span(operator, policy) for policy in given]
        mask = 0
        for one in spans:
            if one is not None and one[0] < one[1]:
                mask |= (1 << one[1]) - (1 << one[0])
        if not negated:
            return CellSet(mask, self)
        # A negated operator does not hold on what it cannot compare.
        return CellSet(self._readable & ~mask if None not in spans else 0, self)

    @property
    def _everything(self) -> int:
        return (1 << len(self.values)) - 1

    @property
    def _readable(self) -> int:
        return self._everything if self.typed else self._everything >> 1


def number_domain(given: Iterable[str], *, typed: bool) -> OrderedDomain | None:
    """The domain of numeric operators; None if no number can be written for one of its cells."""
    return _line(number, _decimal, given, typed=typed)


def date_domain(given: Iterable[str], *, typed: bool) -> OrderedDomain | None:
    """The domain of date operators."""
    return _line(moment, _iso, given, typed=typed)


def epoch_domain(given: Collection[str]) -> OrderedDomain | None:
    """The domain of epoch seconds, read as numbers or as dates; None if some value is only one of the two."""
    if any(number(text) is not None and number(text) != moment(text) for text in given):
        return None
    return _line(moment, _decimal, given, typed=True)


def address_domain(given: Iterable[str], *, typed: bool) -> OrderedDomain:
    """The domain of IP addresses of both versions; cells begin where a network begins and after it ends."""
    found = {(4, 0), (6, 0)}
    for text in given:
        net = network(text)
        if net is not None:
            found.add((net.version, int(net.network_address)))
            if (after := int(net.broadcast_address) + 1) < 1 << net.max_prefixlen:
                found.add((net.version, after))
    starts = sorted(found)

    def where(text: str) -> int | None:
        one = address(text)
        return None if one is None else bisect_right(starts, (one.version, int(one.network_address))) - 1

    def span(_: str, policy: str) -> Span | None:
        net = network(policy)
        if net is None:
            return None
        first, after = int(net.network_address), int(net.broadcast_address) + 1
        return bisect_left(starts, (net.version, first)), bisect_left(starts, (net.version, after))

    texts = [str(ipaddress.IPv4Address(at) if v == 4 else ipaddress.IPv6Address(at)) for v, at in starts]
    return _domain(texts, where, span, typed=typed)


def _line(
    read: Callable[[str], Decimal | None], write: Callable[[Decimal], str], given: Iterable[str], *, typed: bool
) -> OrderedDomain | None:
    """A cell for each point, and one between each two, before the first and after the last."""
    ends = sorted({value for text in given if (value := read(text)) is not None})
    points = ends[:1]
    with localcontext(prec=_EXACT):
        for before, after in pairwise(ends):
            points += [(before + after) / 2, after]
        points = [points[0] - _DAY, *points, points[-1] + _DAY] if points else [Decimal(1_800_000_000)]
    texts = [write(point) for point in points]
    # No request can have a value that cannot be written: nothing is concluded from it.
    if not all(read(text) == point for text, point in zip(texts, points, strict=True)):
        return None

    def where(text: str) -> int | None:
        value = read(text)
        if value is None:
            return None
        at = bisect_left(ends, value)
        return 2 * at + (at < len(ends) and ends[at] == value)

    def span(operator: str, policy: str) -> Span | None:
        at = where(policy)
        if at is None:
            return None
        match operator.removeprefix("Numeric").removeprefix("Date"):
            case "Equals":
                return at, at + 1
            case "LessThan":
                return 0, at
            case "LessThanEquals":
                return 0, at + 1
            case "GreaterThan":
                return at + 1, len(points)
            case _:
                return at, len(points)

    return _domain(texts, where, span, typed=typed)


def _domain(
    values: Sequence[str],
    where: Callable[[str], int | None],
    span: Callable[[str, str], Span | None],
    *,
    typed: bool,
) -> OrderedDomain:
    return OrderedDomain((*values, *(() if typed else (_WORD,))), where, span, typed)


def _decimal(value: Decimal) -> str:
    with localcontext(prec=_EXACT):
        return f"{value.normalize():f}"


def _iso(value: Decimal) -> str:
    """A readable date, or epoch time if the date would lose a fraction or a year."""
    if value != int(value):
        return _decimal(value)
    try:
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return _decimal(value)
