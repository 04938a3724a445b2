"""A document as boxes: each statement is a product of facts, one or more for each of its elements.

Action and Resource are facts too, on keys of those names that always have one value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecr_warden.policy.canonical import CanonicalPatterns, CanonicalStatement
from ecr_warden.policy.compare.automaton import ACTIONS, NONEMPTY, Glob, Syntax, glob
from ecr_warden.policy.compare.budget import SIZE, Budget
from ecr_warden.policy.compare.facts import Fact, Facts, Key, Quantifier, Test, weight
from ecr_warden.policy.compare.spaces import Texts, TextSpace
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Effect

ACTION = "Action"
RESOURCE = "Resource"


@dataclass(frozen=True, slots=True)
class Part:
    """One fact of a statement; equal facts on a key have equal numbers."""

    number: int
    key: Key = field(compare=False)
    fact: Fact = field(compare=False)
    weight: int = field(compare=False)
    """Units of work to hold it against a value."""


@dataclass(frozen=True, slots=True)
class Box:
    """A statement: it matches where all its parts hold. `callers` has a bit for each caller whom it names."""

    number: int
    statement: CanonicalStatement = field(compare=False, repr=False)
    parts: tuple[Part, ...] = field(compare=False, repr=False)
    callers: int = field(compare=False, repr=False)

    @property
    def allows(self) -> bool:
        """Is it an Allow?"""
        return self.statement.effect is Effect.ALLOW


class Boxes:
    """Makes boxes of the statements of two documents, equal facts once."""

    def __init__(self, statements: Sequence[CanonicalStatement], budget: Budget) -> None:
        """Raises OverBudget."""
        self._budget = budget
        budget.spend(sum(map(_size, statements)), SIZE)
        self.facts = Facts(sorted({clause for one in statements for clause in one.conditions}, key=_order))
        self.parts: list[Part] = []
        self._numbers: dict[object, Part] = {}
        self._action = Key(ACTION, TextSpace(frozenset({ACTIONS})), required=True)
        self._resource = Key(RESOURCE, TextSpace(frozenset({NONEMPTY})), required=True)

    @property
    def always(self) -> tuple[Key, ...]:
        """The keys of every request."""
        return self._action, self._resource

    def box(self, number: int, statement: CanonicalStatement, callers: int) -> Box:
        """The statement as a box."""
        parts = [self.actions(statement.actions)]
        if statement.resources is not None:
            parts.append(self._patterns(self._resource, statement.resources, Syntax.WILD))
        for clause in sorted(statement.conditions, key=_order):
            parts.append(self._part(clause, self.facts.keys[clause.key], clause))
        return Box(number, statement, tuple(parts), callers)

    def actions(self, patterns: CanonicalPatterns) -> Part:
        """An Action element."""
        return self._patterns(self._action, patterns, Syntax.ACTION)

    def resources(self, patterns: CanonicalPatterns) -> Part:
        """A Resource element, read as an ARN."""
        return self._patterns(self._resource, patterns, Syntax.ARN)

    def texts(self, globs: frozenset[Glob]) -> Part:
        """A Resource that is one of these texts."""
        test = Test(Quantifier.ONE, Texts(globs), negated=False, missing=False, empty=False)
        return self._part((RESOURCE, test), self._resource, test)

    def fact(self, key: str, fact: Fact) -> Part:
        """A fact that stands in no document."""
        return self._part((key, fact), self.facts.keys[key], fact)

    def _patterns(self, key: Key, patterns: CanonicalPatterns, syntax: Syntax) -> Part:
        region = Texts(frozenset(glob(value, syntax) for value in patterns.values))
        return self._part(
            (key.name, syntax, patterns),
            key,
            Test(Quantifier.ONE, region, patterns.negated, missing=False, empty=patterns.negated),
        )

    def _part(self, name: object, key: Key, fact: Fact | CanonicalClause) -> Part:
        self._budget.spend(1, SIZE)
        found = self._numbers.get(name)
        if found is None:
            made = self.facts.fact(fact) if isinstance(fact, CanonicalClause) else fact
            found = self._numbers[name] = Part(len(self.parts), key, made, weight(made))
            self.parts.append(found)
        return found


def is_open(boxes: Sequence[Box]) -> bool:
    """Does a policy variable stand in one of the boxes?"""
    for box in boxes:
        for part in box.parts:
            match part.fact:
                case Test(region=Texts(globs)) if any(one.open for one in globs):
                    return True
                case _:
                    pass
    return False


def _size(statement: CanonicalStatement) -> int:
    """Units of work to read a statement: mostly, to make automata of its patterns."""
    texts = [*statement.actions.values, *(statement.resources.values if statement.resources else ())]
    for clause in statement.conditions:
        texts += clause.values
    return 20 + sum(5 + len(text) // 2 for text in texts)


def _order(clause: CanonicalClause) -> tuple[str, str, list[str]]:
    return clause.key, clause.operator, sorted(clause.values)
