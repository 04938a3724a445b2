"""Predicates on single condition keys, and values of a key that fulfil some of them and no others.

A key that neither document names with a set operator holds at most one value; any other may hold several. A single
empty text counts as no value for Null and the set operators.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Sequence

from msgspec import Struct

from iam_access.document.condition import CanonicalClause, Clause, Quantifier
from iam_access.document.pattern import Syntax, pattern
from iam_access.document.steps import Steps
from iam_access.evaluate.condition_match import clause_holds
from iam_access.key_values.domains import STATEMENTS, Membership, OrderedDomain, TextDomain, TextSet, ValueSet
from iam_access.key_values.shapes import NONEMPTY

type Values = tuple[str, ...]
"""The values of a key; none if it is missing."""


class KeyTest(Struct, frozen=True):
    """One clause on a key: whether it holds if the key is missing, on one empty text, and on other values.

    `accepted` is None for Null, which is `present` on all other values.
    """

    quantifier: Quantifier
    accepted: ValueSet | None
    negated: bool
    missing: bool
    empty: bool
    present: bool = False

    def holds(self, value: str) -> bool:
        """Does it hold on a value that is not empty?"""
        return self.present if self.accepted is None else self.accepted.holds(value) is not self.negated


class Uninterpreted(Struct, frozen=True):
    """A clause that AWS may read differently; whether it holds on a missing key is certain."""

    clause: CanonicalClause
    missing: bool

    def may_be(self, values: Values, *, wanted: bool) -> bool:
        """Does it have this value as this engine reads it?"""
        operator, key, given = self.clause
        if any("${" in one for one in given):
            return True
        return clause_holds(Clause(operator, key, tuple(given)), {key: values}, variables=False) is wanted


type Predicate = KeyTest | Uninterpreted
type Literal = tuple[Predicate, bool]
"""A predicate, and whether it must hold or fail."""


def weight(predicate: Predicate) -> int:
    """Units of work to evaluate a predicate on a value."""
    match predicate:
        case KeyTest(accepted=TextSet(language)):
            return 1 + sum(1 + len(one.steps) // 64 for one in language)
        case KeyTest():
            return 2
        case Uninterpreted(clause):
            return 4 + 2 * len(clause.values)


class ConditionKey(Struct, frozen=True):
    """One condition key and the values that it can have."""

    name: str
    texts: TextDomain
    domains: tuple[OrderedDomain, ...] = ()
    """The ways in which clauses read the key other than as a text."""
    several: bool = False
    may_be_empty: bool = False
    examples: tuple[str, ...] = ()
    """Values to try if clauses read the key in several ways, which no single domain distinguishes."""

    def find(self, literals: Sequence[Literal], budget: Steps) -> Values | None:
        """Values of the key (none: it is missing) that fulfil all literals; None if there are none.

        None is certain. Values that depend on an Uninterpreted, or on several ways of reading the key, may prove wrong.
        """
        if all(predicate.missing is wanted for predicate, wanted in literals):
            return ()
        tests = [(predicate, wanted) for predicate, wanted in literals if isinstance(predicate, KeyTest)]
        unknown = [(predicate, wanted) for predicate, wanted in literals if isinstance(predicate, Uninterpreted)]
        doubtful: Values | None = None
        if all(predicate.present is wanted for predicate, wanted in tests if predicate.accepted is None):
            single, certain = self._single(tests, unknown, budget)
            if single is not None and certain:
                return (single,)
            doubtful = None if single is None else (single,)
            found, certain = self._several(tests, budget) if self.several else (None, True)
            if found is not None and certain:
                return found
            doubtful = doubtful or found
        if self.may_be_empty and all(predicate.empty is wanted for predicate, wanted in tests):
            empty = ("",)
            if all(predicate.may_be(empty, wanted=wanted) for predicate, wanted in unknown):
                return empty
            doubtful = doubtful or empty
        return doubtful

    def _single(
        self, tests: Sequence[tuple[KeyTest, bool]], unknown: Sequence[tuple[Uninterpreted, bool]], budget: Steps
    ) -> tuple[str | None, bool]:
        """One value that is not empty, and whether it is certain; (None, True) if there is none."""
        atoms = [_membership(predicate, wanted) for predicate, wanted in tests if predicate.accepted is not None]
        # These count one empty text as no value; for the others it is a text like any other.
        empty_differs = any(test.accepted is None or test.quantifier is not Quantifier.ONE for test, _ in tests)
        words = self._words(atoms, budget, nonempty=empty_differs)
        if words is None:
            return None, True
        if len(words) == 1 and not unknown:
            return words[0], True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(4 * len(atoms) + sum(weight(predicate) for predicate, _ in unknown), STATEMENTS)
            if (
                value
                and self.can_be(value)
                and all(test.holds(value) is wanted for test, wanted in tests)
                and all(predicate.may_be((value,), wanted=wanted) for predicate, wanted in unknown)
            ):
                return value, True
        return words[0], False

    def _several(self, tests: Sequence[tuple[KeyTest, bool]], budget: Steps) -> tuple[Values | None, bool]:
        """Two values or more, and whether they are certain; (None, True) if there are none.

        A clause without a set operator never holds on them; each value that must exist is looked for by itself.
        """
        each: list[Membership] = []
        some: list[Membership] = []
        for predicate, wanted in tests:
            if predicate.accepted is None:
                continue
            if predicate.quantifier is Quantifier.ONE:
                if wanted:
                    return None, True
            elif (predicate.quantifier is Quantifier.ALL) is wanted:
                each.append(_membership(predicate, wanted))
            else:
                some.append(_membership(predicate, wanted))
        words: list[str] = []
        for more in [[one] for one in some] or [[]]:
            word, certain = self._word([*each, *more], budget)
            if word is None or not certain:
                return (None if word is None else (word, word)), certain
            words.append(word)
        while len(words) < 2:
            apart = [(TextSet(frozenset({pattern(words[0], Syntax.ACTION)})), False)] if _plain(words[0]) else []
            other, certain = self._word([*each, *apart], budget)
            words.append(other if other is not None and certain else words[0])
        return (tuple(dict.fromkeys(words)) if len(set(words)) > 1 else tuple(words)), True

    def _word(self, members: Sequence[Membership], budget: Steps) -> tuple[str | None, bool]:
        words = self._words(members, budget, nonempty=not self.may_be_empty)
        if words is None:
            return None, True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(2 + 4 * len(members), STATEMENTS)
            if self.can_be(value) and all(accepted.holds(value) is wanted for accepted, wanted in members):
                return value, True
        return words[0], False

    def _words(self, members: Sequence[Membership], budget: Steps, *, nonempty: bool) -> list[str] | None:
        """A value for each way of reading the key; None if one of them has none."""
        words: list[str] = []
        texts = [member for member in members if isinstance(member[0], TextSet)]
        if texts or not self.domains:
            word = self.texts.find([*texts, *([_NOT_EMPTY] if nonempty else [])], budget)
            if word is None:
                return None
            words.append(word)
        for domain in self.domains:
            word = domain.find(members, budget)
            if word is None:
                return None
            words.append(word)
        return words

    def can_be(self, value: str) -> bool:
        """Can the key have this value, as far as is known?"""
        return self.texts.holds(value) and all(domain.cell(value) is not None for domain in self.domains)


_NOT_EMPTY: Membership = (TextSet(frozenset({NONEMPTY})), True)


def _membership(predicate: KeyTest, wanted: bool) -> Membership:
    assert predicate.accepted is not None
    return predicate.accepted, wanted is not predicate.negated


def _plain(text: str) -> bool:
    return text.islower() and not any(char in text for char in "*?$")
