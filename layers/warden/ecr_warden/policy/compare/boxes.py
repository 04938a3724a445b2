"""A document as boxes: each statement is a product of facts, one or more for each of its elements.

Action and Resource are facts too, on keys of those names that always have one value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ecr_warden.policy.canonical import CanonicalPatterns, CanonicalStatement
from ecr_warden.policy.compare.automaton import ACTIONS, NONEMPTY, Syntax, glob
from ecr_warden.policy.compare.facts import Fact, Facts, Key, Quantifier, Test
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

    def __init__(self, statements: Iterable[CanonicalStatement]) -> None:
        self.facts = Facts(sorted({clause for one in statements for clause in one.conditions}, key=_order))
        self.parts: list[Part] = []
        self._numbers: dict[object, Part] = {}
        self._action = Key(ACTION, TextSpace(frozenset({ACTIONS})), several=False, required=True)
        self._resource = Key(RESOURCE, TextSpace(frozenset({NONEMPTY})), several=False, required=True)

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

    def fact(self, key: str, fact: Fact) -> Part:
        """A fact that stands in no document."""
        return self._part((key, fact), self.facts.keys[key], fact)

    def _patterns(self, key: Key, patterns: CanonicalPatterns, syntax: Syntax) -> Part:
        region = Texts(frozenset(glob(value, syntax) for value in patterns.values))
        return self._part(
            (key.name, syntax, patterns), key, Test(Quantifier.ONE, region, patterns.negated, missing=False)
        )

    def _part(self, name: object, key: Key, fact: Fact | CanonicalClause) -> Part:
        found = self._numbers.get(name)
        if found is None:
            made = self.facts.fact(fact) if isinstance(fact, CanonicalClause) else fact
            found = self._numbers[name] = Part(len(self.parts), key, made)
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


def resolved(statement: CanonicalStatement, values: Mapping[str, str | None]) -> CanonicalStatement:
    """The statement with its variables replaced; `values` by the variable's text, `${...}` included.

    A text with a variable that is None goes: it matches nothing.
    """

    def replaced(given: Iterable[str]) -> frozenset[str]:
        return frozenset(found for one in given if (found := text(one)) is not None)

    def text(given: str) -> str | None:
        for name, value in values.items():
            if name in given:
                if value is None:
                    return None
                given = given.replace(name, value)
        return given

    resources = statement.resources
    return CanonicalStatement(
        statement.effect,
        statement.actions,
        statement.principals,
        CanonicalPatterns(resources.negated, replaced(resources.values)) if resources else None,
        frozenset(CanonicalClause(o, key, replaced(values)) for o, key, values in statement.conditions),
    )


def _order(clause: CanonicalClause) -> tuple[str, str, list[str]]:
    return clause.key, clause.operator, sorted(clause.values)
