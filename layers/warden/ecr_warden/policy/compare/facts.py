"""Conditions as facts about single keys: what each clause says of a missing key, of one value and of several.

A key that neither document names with a set operator holds at most one value; any other may hold several, and AWS
counts one empty text as none. Clauses that read one key in ways that cannot be compared (as a number and as a text)
become facts of their own (`Unknown`), each true or false whatever the others are, as do those that AWS may read
otherwise than this engine.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ecr_warden.policy.compare.automaton import ARNS, NONEMPTY, NOT_ARNS, Glob, Syntax, glob
from ecr_warden.policy.compare.budget import Budget
from ecr_warden.policy.compare.readings import LISTS, may_be_read_otherwise
from ecr_warden.policy.compare.spaces import (
    Cells,
    Region,
    Scale,
    Space,
    Texts,
    TextSpace,
    address_scale,
    date_scale,
    epoch_scale,
    number_scale,
)
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.operators import binary


class Quantifier(Enum):
    """How many of the key's values a clause speaks of."""

    ONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Test:
    """One clause on a key. `region` is None for Null, whose two answers are `missing` and `present`."""

    quantifier: Quantifier
    region: Region | None
    negated: bool
    missing: bool
    present: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A clause as a fact of its own."""

    clause: CanonicalClause


type Fact = Test | Unknown
type Constraint = tuple[Fact, bool]
"""A fact, and whether it is to hold."""

type Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One condition key: its values, and whether it may have several."""

    name: str
    space: Space
    several: bool
    required: bool = False
    """Action and Resource: no request lacks them."""

    def find(self, constraints: Sequence[Constraint], budget: Budget) -> Values | None:
        """Values of the key (none: it is missing) under which all is as constrained; None if there are none."""
        tests = [(fact, wanted) for fact, wanted in constraints if isinstance(fact, Test)]
        if not self.required and all(fact.missing is wanted for fact, wanted in tests):
            return ()
        if self.several and all(self._on_empty(fact) is wanted for fact, wanted in tests):
            return ("",)
        if not all(fact.present is wanted for fact, wanted in tests if fact.region is None):
            return None
        parts = [_part(fact, wanted) for fact, wanted in tests if fact.region is not None]
        single = self._find(parts, budget)
        if single is not None:
            return (single,)
        return self._several(tests, budget) if self.several else None

    def may_hold(self, fact: Fact, values: Values) -> bool:
        """Does a fact hold on such values, for some value of the variables?"""
        if isinstance(fact, Unknown):
            return True
        if not values:
            return fact.missing
        if self.several and values == ("",):
            return self._on_empty(fact)
        if fact.region is None:
            return fact.present
        if fact.quantifier is Quantifier.ONE and len(values) > 1:
            return False
        region, negated = fact.region, fact.negated
        held = [not region.must_hold(v) if negated else region.may_hold(v) for v in values]
        return all(held) if fact.quantifier is Quantifier.ALL else any(held)

    def _on_empty(self, fact: Test) -> bool:
        match fact:
            case Test(region=None):
                return fact.missing
            case Test(quantifier=Quantifier.ONE, region=Texts() | Cells() as region):
                return region.may_hold("") is not fact.negated
            case _:
                return fact.quantifier is Quantifier.ALL

    def _several(self, tests: Sequence[tuple[Test, bool]], budget: Budget) -> Values | None:
        """Two values or more: a plain clause never holds, one value is found for each that must exist."""
        each: list[tuple[Region, bool]] = []
        some: list[tuple[Region, bool]] = []
        for fact, wanted in tests:
            if fact.region is None:
                continue
            if fact.quantifier is Quantifier.ONE:
                if wanted:
                    return None
            elif (fact.quantifier is Quantifier.ALL) is wanted:
                each.append(_part(fact, wanted))
            else:
                some.append(_part(fact, wanted))
        words: list[str] = []
        for more in [[one] for one in some] or [[]]:
            word = self._find([*each, *more], budget)
            if word is None:
                return None
            words.append(word)
        while len(words) < 2:
            apart = [(Texts(frozenset({glob(words[0], Syntax.ACTION)})), False)] if _plain(words[0]) else []
            words.append(self._find([*each, *apart], budget) or words[0])
        return tuple(dict.fromkeys(words)) if len(set(words)) > 1 else tuple(words)

    def _find(self, parts: Sequence[tuple[Region, bool]], budget: Budget) -> str | None:
        if self.several and isinstance(self.space, TextSpace):
            parts = [*parts, (Texts(frozenset({NONEMPTY})), True)]
        return self.space.find(parts, budget)


def _part(fact: Test, wanted: bool) -> tuple[Region, bool]:
    assert fact.region is not None
    return fact.region, wanted is not fact.negated


def _plain(text: str) -> bool:
    return text.islower() and not any(char in text for char in "*?$")


_SYNTAX = {
    "StringEquals": Syntax.EXACT,
    "StringEqualsIgnoreCase": Syntax.FOLDED,
    "StringLike": Syntax.WILD,
    "ArnEquals": Syntax.ARN,
    "ArnLike": Syntax.ARN,
    "BinaryEquals": Syntax.EXACT,
    "Bool": Syntax.FOLDED,
}
_OF_ARNS = frozenset({"ArnEquals", "ArnLike"})
_ARN_KEYS = frozenset({"aws:principalarn", "aws:sourcearn"})
"""Keys that AWS itself sets, to an ARN."""
_EVERYTHING = glob("*", Syntax.WILD)
_BOOLEAN_KEYS = frozenset(
    {"aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice", "aws:principalisawsservice"}
)
"""Keys that AWS itself sets, to `true` or `false`: any operator may read them, as a text too."""
_BOOLEANS = frozenset(glob(word, Syntax.EXACT) for word in ("true", "false"))
_EPOCH_TIME = "aws:epochtime"
"""The one key that AWS documents for numeric operators and for those of dates."""
_SCALES: dict[str, Callable[[Sequence[str]], Scale | None]] = {
    "Numeric": number_scale,
    "Date": date_scale,
    "IpAddress": address_scale,
}


class Facts:
    """The keys of two documents, and their clauses as facts; made once for both."""

    def __init__(self, clauses: Iterable[CanonicalClause]) -> None:
        by_key: dict[str, list[CanonicalClause]] = {}
        for clause in clauses:
            by_key.setdefault(clause.key, []).append(clause)
        self.keys: dict[str, Key] = {}
        self.unclear: set[str] = set()
        for name, given in by_key.items():
            space = _space(name, given)
            if space is None:
                self.unclear.add(name)
            several = any(_split(clause.operator)[0] is not Quantifier.ONE for clause in given)
            self.keys[name] = Key(name, space or TextSpace(), several)

    def fact(self, clause: CanonicalClause) -> Fact:
        """What a clause says of its key."""
        quantifier, base, if_exists = _split(clause.operator)
        positive = base.replace("Not", "")
        if clause.key in self.unclear and base != "Null":
            return Unknown(clause)
        if may_be_read_otherwise(positive, clause.values) or (
            quantifier is Quantifier.ONE and base != "Null" and clause.key in LISTS
        ):
            return Unknown(clause)
        if base == "Null":
            words = {value.lower() for value in clause.values}
            vacuous = quantifier is Quantifier.ALL or (quantifier is Quantifier.ONE and "true" in words)
            return Test(quantifier, None, False, vacuous, "false" in words)
        negated = positive != base
        match quantifier:
            case Quantifier.ONE:
                missing = if_exists or negated
            case Quantifier.ALL:
                missing = True
            case Quantifier.ANY:
                missing = if_exists
        region = _region(self.keys[clause.key].space, positive, clause.values, negated=negated)
        return Test(quantifier, region, negated, missing)


def _split(operator: str) -> tuple[Quantifier, str, bool]:
    quantifier, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    return Quantifier(quantifier), base, base != rest


def _region(space: Space, positive: str, values: Iterable[str], *, negated: bool) -> Region:
    """The values that match one of the policy's; of a negated operator, also those that it cannot compare with one."""
    if isinstance(space, Scale):
        return space.region(positive, sorted(values), negated=negated)
    globs = frozenset(_globs(positive, values))
    if negated and _SYNTAX[positive] is Syntax.ARN:
        return Texts(frozenset({_EVERYTHING}) if any(one.impossible for one in globs) else globs | NOT_ARNS)
    return Texts(globs)


def _globs(positive: str, values: Iterable[str]) -> Iterable[Glob]:
    for value in values:
        if positive == "BinaryEquals":
            if binary(value) is not None:
                yield glob(value, Syntax.EXACT)
        elif positive != "Bool" or "${" in value or value.lower() in ("true", "false"):
            yield glob(value, _SYNTAX[positive])


def _space(key: str, clauses: Sequence[CanonicalClause]) -> Space | None:
    """The one space in which all clauses on a key can be read; None if there is none."""
    bases = {_split(clause.operator)[1].replace("Not", "") for clause in clauses} - {"Null"}
    values = [value for clause in clauses for value in clause.values]
    if key == _EPOCH_TIME and bases and all(base.startswith(("Numeric", "Date")) for base in bases):
        return epoch_scale(values)
    for family, scale in _SCALES.items():
        if any(base.startswith(family) for base in bases):
            return scale(values) if all(base.startswith(family) for base in bases) else None
    if key in _BOOLEAN_KEYS or (bases == {"Bool"} and not any("${" in value for value in values)):
        return TextSpace(_BOOLEANS)
    if key in _ARN_KEYS or (bases and bases <= _OF_ARNS):
        return TextSpace(frozenset({ARNS}))
    return TextSpace()
