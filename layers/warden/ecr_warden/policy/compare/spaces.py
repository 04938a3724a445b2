"""The values that a condition key can take, told apart as far as the documents tell them apart.

A text is looked for in a language; a number, a date or an address among cells: between any two values that a document
names every value is like every other, so one stands for all.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from ecr_warden.policy.compare.automaton import Glob, matches
from ecr_warden.policy.compare.budget import Budget
from ecr_warden.policy.compare.language import Globs, find_word
from ecr_warden.policy.operators import COMPARE, comparable, moment, network, number

_MAX_COMPARISONS = 200_000


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a language: those that match one of the patterns."""

    globs: Globs

    def may_hold(self, value: str) -> bool:
        """Does the value match, for some value of the variables?"""
        return any(matches(one, value) for one in self.globs)

    def must_hold(self, value: str) -> bool:
        """Does the value match, whatever the variables are?"""
        return any(not one.open and matches(one, value) for one in self.globs)


@dataclass(frozen=True, slots=True)
class Cells:
    """Some cells of a scale, one bit each, and the values that stand for them."""

    mask: int
    scale: "Scale" = field(compare=False, repr=False)

    def may_hold(self, value: str) -> bool:
        """Is the value, one that stands for a cell, in one of them?"""
        return bool(self.mask >> self.scale.index[value] & 1) if value in self.scale.index else False

    must_hold = may_hold


type Region = Texts | Cells


@dataclass(frozen=True, slots=True)
class TextSpace:
    """All texts, or those of `domain`."""

    domain: Globs | None = None

    def find(self, parts: Sequence[tuple[Region, bool]], budget: Budget) -> str | None:
        """A text in every region marked True and in none marked False; None if there is none."""
        inside = [part.globs for part, wanted in parts if wanted and isinstance(part, Texts)]
        outside: set[Glob] = set()
        for part, wanted in parts:
            if not wanted and isinstance(part, Texts):
                outside |= part.globs
        if self.domain is not None:
            inside.append(self.domain)
        return find_word(inside, frozenset(outside), budget)


@dataclass(frozen=True, slots=True)
class Scale:
    """A line cut into cells; `values` stand for them, in order."""

    values: tuple[str, ...]
    index: dict[str, int] = field(compare=False, repr=False)

    def find(self, parts: Sequence[tuple[Region, bool]], budget: Budget) -> str | None:
        """A value in every region marked True and in none marked False; None if there is none."""
        budget.step(len(parts))
        left = (1 << len(self.values)) - 1
        for part, wanted in parts:
            if isinstance(part, Cells):
                left &= part.mask if wanted else ~part.mask
        return self.values[(left & -left).bit_length() - 1] if left else None

    def region(self, operator: str, given: Sequence[str], *, negated: bool = False) -> Cells:
        """The cells in which one of the values of a policy matches; all if a negated operator cannot read one of them.

        `operator` is the one that is not negated.
        """
        if negated and not all(comparable(operator, self.values[0], policy, None) for policy in given):
            return Cells((1 << len(self.values)) - 1, self)
        compare = COMPARE[operator]
        mask = 0
        for at, value in enumerate(self.values):
            if any(compare(value, policy, None) for policy in given):
                mask |= 1 << at
        return Cells(mask, self)


type Space = TextSpace | Scale


def number_scale(given: Sequence[str]) -> Scale | None:
    """The scale of numeric operators; None if it would have too many cells."""
    return _line(number, _decimal, given)


def date_scale(given: Sequence[str]) -> Scale | None:
    """The scale of date operators."""
    return _line(moment, _iso, given)


def epoch_scale(given: Sequence[str]) -> Scale | None:
    """The scale of seconds since 1970, read as numbers or as dates; None where a value is one of these and no other."""
    if any(number(text) is not None and number(text) != moment(text) for text in given):
        return None
    return _line(moment, _decimal, given)


def address_scale(given: Sequence[str]) -> Scale | None:
    """The scale of IP addresses of both versions; a new cell begins where a network begins and after it ends."""
    starts: set[tuple[int, int]] = {(4, 0), (6, 0)}
    for text in given:
        net = network(text)
        if net is not None:
            after = int(net.broadcast_address) + 1
            starts.add((net.version, int(net.network_address)))
            if after < 1 << net.max_prefixlen:
                starts.add((net.version, after))
    if len(starts) * max(1, len(given)) > _MAX_COMPARISONS:
        return None
    return _scale([str(ipaddress.IPv4Address(at) if v == 4 else ipaddress.IPv6Address(at)) for v, at in sorted(starts)])


def _line(
    read: Callable[[str], Decimal | None], write: Callable[[Fraction], str], given: Sequence[str]
) -> Scale | None:
    """The points, and one value between any two, before the first and after the last."""
    ends = sorted({Fraction(value) for text in given if (value := read(text)) is not None})
    if 2 * len(ends) * max(1, len(given)) > _MAX_COMPARISONS:
        return None
    points = ends[:1]
    for before, after in pairwise(ends):
        points += [(before + after) / 2, after]
    points = [points[0] - 86_400, *points, points[-1] + 86_400] if points else [Fraction(1_800_000_000)]
    texts = [write(point) for point in points]
    # A point that cannot be written is one that no request can hold in this form: no answer rests on it.
    return _scale(texts) if all(read(t) == p for t, p in zip(texts, points, strict=True)) else None


def _scale(values: list[str]) -> Scale:
    return Scale(tuple(values), {value: at for at, value in enumerate(values)})


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
