"""Conditions as facts about single keys: what each clause says of a missing key, of one value and of several.

A key that neither document names with a set operator holds at most one value; any other may hold several. One empty
text counts as none to Null and the set operators. Clauses that AWS may read otherwise than this engine become facts of
their own (`Unknown`), each true or false whatever the others are.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum

from msgspec import Struct

from ecr_warden.policy.compare.automaton import (
    ARN_COLONS,
    ARNS,
    NONEMPTY,
    NOT_ARNS,
    Glob,
    Syntax,
    doubtful,
    glob,
    of_characters,
    sample,
)
from ecr_warden.policy.compare.budget import STATEMENTS, Budget
from ecr_warden.policy.compare.readings import LISTS, may_be_read_otherwise
from ecr_warden.policy.compare.spaces import (
    Part,
    Region,
    Scale,
    Texts,
    TextSpace,
    address_scale,
    date_scale,
    epoch_scale,
    number_scale,
)
from ecr_warden.policy.condition import CanonicalClause, Clause
from ecr_warden.policy.condition_match import clause_holds
from ecr_warden.policy.operators import binary

type Values = tuple[str, ...]
"""Of a key: none is a key that is missing."""


class Quantifier(Enum):
    """How many of the key's values a clause speaks of."""

    ONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


class Test(Struct, frozen=True):
    """One clause on a key: whether it holds where the key is missing, on one empty text, and on values.

    `region` is None for Null, whose answer on all other values is `present`.
    """

    quantifier: Quantifier
    region: Region | None
    negated: bool
    missing: bool
    empty: bool
    present: bool = False

    def may_hold(self, value: str) -> bool:
        """Does it hold on a value that is not empty, for some value of the variables?"""
        if self.region is None:
            return self.present
        return not self.region.must_hold(value) if self.negated else self.region.may_hold(value)

    def may_fail(self, value: str) -> bool:
        """Does it not, for some value of the variables?"""
        if self.region is None:
            return not self.present
        return self.region.may_hold(value) if self.negated else not self.region.must_hold(value)


class Unknown(Struct, frozen=True):
    """A clause as a fact of its own; what it says of a missing key is certain, unless `missing` is None."""

    clause: CanonicalClause
    missing: bool | None

    def may_be(self, values: Values, *, wanted: bool) -> bool:
        """Does this engine read it so?"""
        operator, key, given = self.clause
        if any("${" in one for one in given):
            return True
        return clause_holds(Clause(operator, key, tuple(given)), {key: values}, variables=False) is wanted


type Fact = Test | Unknown
type Constraint = tuple[Fact, bool]
"""A fact, and whether it is to hold."""


def weight(fact: Fact) -> int:
    """Units of work to hold a fact against a value."""
    match fact:
        case Test(region=Texts(globs)):
            return 1 + sum(1 + len(one.steps) // 64 for one in globs)
        case Test():
            return 2
        case Unknown(clause):
            return 4 + 2 * len(clause.values)


class Key(Struct, frozen=True):
    """One condition key: its values, and whether it may have several."""

    name: str
    texts: TextSpace
    scales: tuple[Scale, ...] = ()
    """Each way in which a clause reads the key that is not as a text."""
    several: bool = False
    required: bool = False
    """Action and Resource: no request lacks them."""
    may_be_empty: bool = False
    examples: tuple[str, ...] = ()
    """Values to try where clauses read the key in several ways, which no one space tells apart."""

    def find(self, constraints: Sequence[Constraint], budget: Budget) -> Values | None:
        """Values of the key (none: it is missing) under which all is as constrained; None if there are none.

        What rests on an Unknown, or on several ways of reading the key, may turn out to be none; None is certain.
        """
        if not self.required and all(fact.missing in (wanted, None) for fact, wanted in constraints):
            return ()
        tests = [(fact, wanted) for fact, wanted in constraints if isinstance(fact, Test)]
        unknown = [(fact, wanted) for fact, wanted in constraints if isinstance(fact, Unknown)]
        doubtful: Values | None = None
        if all(fact.present is wanted for fact, wanted in tests if fact.region is None):
            single, certain = self._single(tests, unknown, budget)
            if single is not None and certain:
                return (single,)
            doubtful = None if single is None else (single,)
            found, certain = self._several(tests, budget) if self.several else (None, True)
            if found is not None and certain:
                return found
            doubtful = doubtful or found
        if self.may_be_empty and all(fact.empty is wanted for fact, wanted in tests):
            empty = ("",)
            if all(fact.may_be(empty, wanted=wanted) for fact, wanted in unknown):
                return empty
            doubtful = doubtful or empty
        return doubtful

    def may_hold(self, fact: Fact, values: Values) -> bool:
        """Does a fact hold on such values, for some value of the variables?"""
        if isinstance(fact, Unknown):
            return bool(values) or fact.missing is not False
        if not values:
            return fact.missing
        if values == ("",):
            return fact.empty
        if fact.region is None:
            return fact.present
        if fact.quantifier is Quantifier.ONE and len(values) > 1:
            return False
        held = map(fact.may_hold, values)
        return all(held) if fact.quantifier is Quantifier.ALL else any(held)

    def _single(
        self, tests: Sequence[tuple[Test, bool]], unknown: Sequence[tuple[Unknown, bool]], budget: Budget
    ) -> tuple[str | None, bool]:
        """One value that is not empty, and whether it is certain; None for certain if there is none."""
        parts = [_part(fact, wanted) for fact, wanted in tests if fact.region is not None]
        # One empty text is none to these; to the others it is a text like any other.
        empty_differs = any(fact.region is None or fact.quantifier is not Quantifier.ONE for fact, _ in tests)
        words = self._words(parts, budget, nonempty=empty_differs)
        if words is None:
            return None, True
        if len(words) == 1 and not unknown:
            return words[0], True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(4 * len(parts) + sum(weight(fact) for fact, _ in unknown), STATEMENTS)
            if (
                value
                and self.can_be(value)
                and all(fact.may_hold(value) if wanted else fact.may_fail(value) for fact, wanted in tests)
                and all(fact.may_be((value,), wanted=wanted) for fact, wanted in unknown)
            ):
                return value, True
        return words[0], False

    def _several(self, tests: Sequence[tuple[Test, bool]], budget: Budget) -> tuple[Values | None, bool]:
        """Two values or more, and whether they are certain; None for certain if there are none.

        A plain clause never holds; one value is found for each that must exist.
        """
        each: list[Part] = []
        some: list[Part] = []
        for fact, wanted in tests:
            if fact.region is None:
                continue
            if fact.quantifier is Quantifier.ONE:
                if wanted:
                    return None, True
            elif (fact.quantifier is Quantifier.ALL) is wanted:
                each.append(_part(fact, wanted))
            else:
                some.append(_part(fact, wanted))
        words: list[str] = []
        for more in [[one] for one in some] or [[]]:
            word, certain = self._word([*each, *more], budget)
            if word is None or not certain:
                return (None if word is None else (word, word)), certain
            words.append(word)
        while len(words) < 2:
            apart = [(Texts(frozenset({glob(words[0], Syntax.ACTION)})), False)] if _plain(words[0]) else []
            other, certain = self._word([*each, *apart], budget)
            words.append(other if other is not None and certain else words[0])
        return (tuple(dict.fromkeys(words)) if len(set(words)) > 1 else tuple(words)), True

    def _word(self, parts: Sequence[Part], budget: Budget) -> tuple[str | None, bool]:
        words = self._words(parts, budget, nonempty=not self.may_be_empty)
        if words is None:
            return None, True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(2 + 4 * len(parts), STATEMENTS)
            if self.can_be(value) and all(
                region.may_hold(value) if wanted else not region.must_hold(value) for region, wanted in parts
            ):
                return value, True
        return words[0], False

    def _words(self, parts: Sequence[Part], budget: Budget, *, nonempty: bool) -> list[str] | None:
        """A value for each way of reading the key; None if there is none for one of them."""
        words: list[str] = []
        texts = [one for one in parts if isinstance(one[0], Texts)]
        if texts or not self.scales:
            word = self.texts.find([*texts, *([_NOT_EMPTY] if nonempty else [])], budget)
            if word is None:
                return None
            words.append(word)
        for scale in self.scales:
            word = scale.find(parts, budget)
            if word is None:
                return None
            words.append(word)
        return words

    def can_be(self, value: str) -> bool:
        """Can the key hold the value, as far as its kind tells?"""
        return self.texts.holds(value) and all(scale.cell(value) is not None for scale in self.scales)


_NOT_EMPTY: Part = (Texts(frozenset({NONEMPTY})), True)


def _part(fact: Test, wanted: bool) -> Part:
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
# Bounded as the variables of a request are.
_VARIABLE = re.compile(r"\$\{[^}]{0,1024}\}")
_NOTHING = Texts(frozenset())
_EVERYTHING = glob("*", Syntax.WILD)

_BOOLEANS = frozenset(glob(word, Syntax.EXACT) for word in ("true", "false"))
_DOMAINS = dict.fromkeys(
    (
        *("aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice"),
        "aws:principalisawsservice",
    ),
    _BOOLEANS,
) | dict.fromkeys(("aws:principalarn", "aws:sourcearn"), frozenset({ARNS}))
_DOMAINS["aws:principaltype"] = frozenset(
    glob(kind, Syntax.EXACT) for kind in ("User", "AssumedRole", "FederatedUser", "Account", "Anonymous")
)
"""Keys that AWS itself sets, to `true` or `false`, to an ARN or to one of a few words, whatever operator reads them."""

_NUMBER, _DATE, _ADDRESS = "Numeric", "Date", "IpAddress"
_FAMILIES = (_NUMBER, _DATE, _ADDRESS)
_TYPES = {
    "aws:multifactorauthage": _NUMBER,
    "aws:currenttime": _DATE,
    "aws:tokenissuetime": _DATE,
    "aws:sourceip": _ADDRESS,
    "aws:vpcsourceip": _ADDRESS,
    "aws:ec2instancesourceprivateipv4": _ADDRESS,
    "s3:max-keys": _NUMBER,
    "s3:signatureage": _NUMBER,
    "s3:object-lock-remaining-retention-days": _NUMBER,
    "sts:durationseconds": _NUMBER,
}
"""Keys that AWS documents to hold what the operators of one family read. Any other key may hold any text."""
_SPELLED = {
    _NUMBER: frozenset({of_characters("0123456789+-.")}),
    _DATE: frozenset({of_characters("0123456789+-.:TZ")}),
    _ADDRESS: frozenset({of_characters("0123456789abcdefABCDEF.:")}),
}
"""What the values of such a key are spelled with, whatever operator reads them."""
_EPOCH_TIME = "aws:epochtime"
"""The one key that AWS documents for numeric operators and for those of dates."""

_MOST_EXAMPLES = 160
_FILLERS = {
    "": ("x", "", "1"),
    _NUMBER: ("0", "1"),
    _DATE: ("-01-01T00:00:00Z", "-01T00:00:00Z", "T00:00:00Z", "00:00:00Z", "2026-01-01"),
    _ADDRESS: ("0", "0.0", "0.0.0", "10.0.0.0", ":1"),
}
"""What may stand for a star."""
_WORDS = ("x", "true", "0", "10.0.0.1")


_FREE = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
_FREE_KEYS = frozenset({"aws:tagkeys", "aws:useragent", "aws:referer"})


def _may_be_empty(key: str) -> bool:
    """May its one value be the empty text? Most of the global keys AWS sets, to something."""
    return key not in _TYPES and (not key.startswith("aws:") or key.startswith(_FREE) or key in _FREE_KEYS)


class Facts:
    """The keys of two documents, and their clauses as facts; made once for both."""

    def __init__(self, clauses: Iterable[CanonicalClause]) -> None:
        by_key: dict[str, list[CanonicalClause]] = {}
        for clause in clauses:
            by_key.setdefault(clause.key, []).append(clause)
        self.keys: dict[str, Key] = {}
        self._scales: dict[tuple[str, str], Scale | None] = {}
        self._epoch: Scale | None = None
        for name, given in by_key.items():
            self.keys[name] = self._key(name, given)

    def fact(self, clause: CanonicalClause) -> Fact:
        """What a clause says of its key."""
        quantifier, base, if_exists = _split(clause.operator)
        positive = base.replace("Not", "")
        negated = positive != base
        if base == "Null":
            words = {value.lower() for value in clause.values}
            vacuous = quantifier is Quantifier.ALL or (quantifier is Quantifier.ONE and "true" in words)
            if may_be_read_otherwise(positive, clause.values):
                return Unknown(clause, None)
            return Test(quantifier, None, False, vacuous, vacuous, "false" in words)
        match quantifier:
            case Quantifier.ONE:
                missing = if_exists or negated
            case Quantifier.ALL:
                missing = True
            case Quantifier.ANY:
                missing = if_exists
        if may_be_read_otherwise(positive, clause.values) or (quantifier is Quantifier.ONE and clause.key in LISTS):
            return Unknown(clause, missing)
        region, reversed_ = self._region(clause.key, positive, clause.values, negated=negated)
        if region is None:
            return Unknown(clause, missing)
        empty = region.may_hold("") is not reversed_ if quantifier is Quantifier.ONE else quantifier is Quantifier.ALL
        return Test(quantifier, region, reversed_, missing, empty)

    def _region(self, key: str, positive: str, values: Collection[str], *, negated: bool) -> tuple[Region | None, bool]:
        """The values that match one of the policy's, and whether the clause holds on all others instead.

        None if no request can be written that shows it.
        """
        family = _family(positive)
        if family is not None:
            # No boolean and no ARN is a number, a date or an address, and no address is one of the others.
            if key in _DOMAINS or (key in _TYPES and (family == _ADDRESS) is not (_TYPES[key] == _ADDRESS)):
                return (_NOTHING, True) if negated and not values else (_NOTHING, False)
            scale = self._scales[key, family]
            return (None if scale is None else scale.region(positive, values, negated=negated)), False
        if positive == "Bool" and key in _TYPES:
            return _NOTHING, False
        globs = frozenset(_globs(positive, values))
        if negated and _SYNTAX[positive] is Syntax.ARN:
            # What is no ARN cannot be compared with one.
            wide = frozenset({_EVERYTHING}) if any(one.impossible for one in globs) else globs | NOT_ARNS
            if any(one.open and _VARIABLE.sub("", one.text).count(":") < ARN_COLONS for one in globs):
                # Whether it is one rests on its variables.
                wide |= {doubtful(f"{key} {sorted(values)}")}
            return Texts(wide if globs else globs), negated
        return Texts(globs), negated

    def _key(self, name: str, clauses: Sequence[CanonicalClause]) -> Key:
        several = any(_split(clause.operator)[0] is not Quantifier.ONE for clause in clauses)
        bases = {_split(clause.operator)[1].replace("Not", "") for clause in clauses} - {"Null"}
        values = [value for clause in clauses for value in clause.values]
        read = {family for base in bases if (family := _family(base)) is not None}
        own = {_TYPES[name]} if name in _TYPES else {_NUMBER} if name == _EPOCH_TIME else set()
        texts = TextSpace(next((_SPELLED[family] for family in own), _DOMAINS.get(name)))
        # What the key holds is of its own kind, whatever reads it.
        families = [] if name in _DOMAINS else [one for one in _FAMILIES if one in read | own]
        scales = [found for family in families if (found := self._scale(name, family, values)) is not None]
        unknown = any(may_be_read_otherwise(_split(c.operator)[1].replace("Not", ""), c.values) for c in clauses)
        mixed = len(families) + any(_family(base) is None for base in bases) > 1
        return Key(
            name,
            texts,
            tuple(dict.fromkeys(scales)),
            several,
            may_be_empty=_may_be_empty(name),
            examples=_examples(clauses, scales, own) if mixed or unknown or name in LISTS else (),
        )

    def _scale(self, key: str, family: str, values: Sequence[str]) -> Scale | None:
        if key == _EPOCH_TIME and family in (_NUMBER, _DATE):
            both = self._epoch = self._epoch or epoch_scale(values)
        else:
            both = None
        if family == _ADDRESS:
            found: Scale | None = address_scale(values, typed=_TYPES.get(key) == family)
        else:
            make = number_scale if family == _NUMBER else date_scale
            found = both or make(values, typed=_TYPES.get(key) == family or (key == _EPOCH_TIME and family == _NUMBER))
        self._scales[key, family] = found
        return found


def _split(operator: str) -> tuple[Quantifier, str, bool]:
    quantifier, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    return Quantifier(quantifier), base, base != rest


def _family(positive: str) -> str | None:
    return next((family for family in _FAMILIES if positive.startswith(family)), None)


def _globs(positive: str, values: Iterable[str]) -> Iterator[Glob]:
    for value in values:
        if positive == "BinaryEquals":
            if binary(value) is not None:
                yield glob(value, Syntax.EXACT)
        elif positive != "Bool" or "${" in value or value.lower() in ("true", "false"):
            yield glob(value, _SYNTAX[positive])


def _examples(clauses: Iterable[CanonicalClause], scales: Iterable[Scale], own: Collection[str]) -> tuple[str, ...]:
    """Values that each of the clauses may hold on, those of the policies first; `own` is the key's own kind."""
    found: dict[str, None] = {}
    fillers = [filler for family in (*own, "") for filler in _FILLERS[family]]
    for clause in clauses:
        for value in sorted(clause.values):
            if len(found) >= _MOST_EXAMPLES:
                return tuple(found)
            found[value] = None
            if "*" in value or "?" in value:
                found.update(dict.fromkeys(sample(glob(value, Syntax.WILD), filler) for filler in fillers))
    for scale in scales:
        found.update(dict.fromkeys(scale.values[:_MOST_EXAMPLES]))
    return (*found, *_WORDS)
