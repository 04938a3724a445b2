"""The values that a condition key can take, told apart as far as the documents tell them apart.

A text is looked for in a language; a number, a date or an address among cells: between any two values that a document
names every value is like every other, so one stands for all, and one text for all that are none of the kind.
"""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from ecr_warden.policy.compare.budget import STATEMENTS, WILDCARDS, Budget
from ecr_warden.policy.compare.language import Language, find_word, matches
from ecr_warden.policy.operators import address, moment, network, number
from ecr_warden.policy.pattern import Pattern

_DAY = 86_400
_WORD = "x"
"""Neither a number nor a date nor an address."""


class TextSet(Struct, frozen=True):
    """The texts of a language: those that match one of the patterns."""

    language: Language

    def may_hold(self, value: str) -> bool:
        """Does the value match, for some value of the variables?"""
        return any(matches(one, value) for one in self.language)

    def must_hold(self, value: str) -> bool:
        """Does the value match, whatever the variables are?"""
        return any(not one.open and matches(one, value) for one in self.language)


class CellSet(Struct, frozen=True):
    """Some cells of a domain, one bit each."""

    mask: int
    domain: "OrderedDomain"

    def may_hold(self, value: str) -> bool:
        """Is the value in one of them?"""
        cell = self.domain.cell(value)
        return cell is not None and bool(self.mask >> cell & 1)

    must_hold = may_hold


type ValueSet = TextSet | CellSet
type Membership = tuple[ValueSet, bool]
"""Where a value is to be, or not to be."""


class TextDomain(Struct, frozen=True):
    """All texts, or those of `domain`."""

    domain: Language | None = None

    def find(self, atoms: Iterable[Membership], budget: Budget) -> str | None:
        """A text in every accepted marked True and in none marked False; None if there is none."""
        inside: list[Language] = []
        outside: set[Pattern] = set()
        for atom, wanted in atoms:
            if not isinstance(atom, TextSet):
                continue
            budget.spend(1 + len(atom.language) // 4, WILDCARDS)
            if wanted:
                inside.append(atom.language)
            else:
                outside |= atom.language
        if self.domain is not None:
            inside.append(self.domain)
        return find_word(inside, frozenset(outside), budget)

    def holds(self, value: str) -> bool:
        """Is the value one of these texts?"""
        return self.domain is None or any(matches(one, value) for one in self.domain)


type Span = tuple[int, int]
"""CellSet, from the first to before the last."""


class OrderedDomain(Struct, frozen=True, eq=False):
    """Lines cut into cells; `values` stand for them, in order.

    `typed`: whatever the key holds can be read so. Else the last cell is of all that cannot.
    """

    values: tuple[str, ...]
    where: Callable[[str], int | None]
    """The cell of a value of a request; None if it cannot be read."""
    span: Callable[[str, str], Span | None]
    """The cells that match one value of a policy, under an operator that is not negated; None if it cannot be read."""
    typed: bool

    def cell(self, value: str) -> int | None:
        """Which cell a value is in; None where the key cannot have it."""
        found = self.where(value)
        return len(self.values) - 1 if found is None and not self.typed else found

    def find(self, atoms: Iterable[Membership], budget: Budget) -> str | None:
        """A value in every accepted marked True and in none marked False; None if there is none."""
        left = self._everything
        for atom, wanted in atoms:
            if isinstance(atom, CellSet) and atom.domain is self:
                budget.spend(1 + len(self.values) // 4096, STATEMENTS)
                left &= atom.mask if wanted else ~atom.mask
        return self.values[(left & -left).bit_length() - 1] if left else None

    def cells(self, operator: str, given: Collection[str], *, negated: bool) -> CellSet:
        """The cells on which a clause holds; `operator` is the one that is not negated."""
        if negated and not given:
            return CellSet(self._everything, self)
        spans = [self.span(operator, policy) for policy in given]
        mask = 0
        for one in spans:
            if one is not None and one[0] < one[1]:
                mask |= (1 << one[1]) - (1 << one[0])
        if not negated:
            return CellSet(mask, self)
        # A negated operator does not hold where it cannot compare.
        return CellSet(self._readable & ~mask if None not in spans else 0, self)

    @property
    def _everything(self) -> int:
        return (1 << len(self.values)) - 1

    @property
    def _readable(self) -> int:
        return self._everything if self.typed else self._everything >> 1


type Space = TextDomain | OrderedDomain


def number_domain(given: Iterable[str], *, typed: bool) -> OrderedDomain | None:
    """The domain of numeric operators; None if a cell of it cannot be written."""
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
    """The domain of IP addresses of both versions; a new cell begins where a network begins and after it ends."""
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
    read: Callable[[str], Decimal | None], write: Callable[[Fraction], str], given: Iterable[str], *, typed: bool
) -> OrderedDomain | None:
    """A cell for each point, and one for each stretch between two, before the first and after the last."""
    ends = sorted({Fraction(value) for text in given if (value := read(text)) is not None})
    points = ends[:1]
    for before, after in pairwise(ends):
        points += [(before + after) / 2, after]
    points = [points[0] - _DAY, *points, points[-1] + _DAY] if points else [Fraction(1_800_000_000)]
    texts = [write(point) for point in points]
    # A point that cannot be written is one that no request can hold in this form: no answer rests on it.
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


def _decimal(value: Fraction) -> str:
    with localcontext(prec=120):
        return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def _iso(value: Fraction) -> str:
    """A date that people read, epoch time where that would lose a fraction or a year."""
    if value.denominator != 1:
        return _decimal(value)
    try:
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return _decimal(value)
