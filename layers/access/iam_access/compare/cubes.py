"""A statement as a cube: the conjunction of an atom for its actions, its resources and each clause of its condition.

Actions and resources are values of two keys of these names, which every request has.
"""

from collections.abc import Sequence

from msgspec import Struct

from iam_access.compare.budget import SIZE
from iam_access.compare.clauses import Predicates
from iam_access.compare.domains import TextDomain, TextSet
from iam_access.compare.predicates import ConditionKey, KeyTest, Predicate, weight
from iam_access.compare.shapes import ACTIONS, NONEMPTY
from iam_access.document.condition import CanonicalClause, Quantifier
from iam_access.document.document import Effect
from iam_access.document.pattern import Pattern, Syntax, pattern
from iam_access.document.steps import Steps
from iam_access.equivalent.canonical import CanonicalPatterns, CanonicalStatement

ACTION = "Action"
RESOURCE = "Resource"


class Atom(Struct, frozen=True, eq=False):
    """One predicate on one key, the same object wherever it occurs."""

    number: int
    key: ConditionKey
    predicate: Predicate
    weight: int
    """Units of work to evaluate it on a value."""


class Cube(Struct, frozen=True, eq=False):
    """A statement: it matches if all its atoms hold. `callers` has a bit for each caller that it names."""

    number: int
    allows: bool
    atoms: tuple[Atom, ...]
    callers: int


class CubeBuilder:
    """Turns the statements of two documents into cubes that share their atoms."""

    def __init__(self, statements: Sequence[CanonicalStatement], budget: Steps) -> None:
        """Raises TooManySteps."""
        self._budget = budget
        budget.spend(sum(map(_size, statements)), SIZE)
        self.predicates = Predicates(
            sorted({clause for statement in statements for clause in statement.conditions}, key=_order)
        )
        self.atoms: list[Atom] = []
        self._numbers: dict[object, Atom] = {}
        self._action = ConditionKey(ACTION, TextDomain(frozenset({ACTIONS})), required=True)
        self._resource = ConditionKey(RESOURCE, TextDomain(frozenset({NONEMPTY})), required=True)

    @property
    def always(self) -> tuple[ConditionKey, ...]:
        """The keys of every request."""
        return self._action, self._resource

    def cube(self, number: int, statement: CanonicalStatement, callers: int) -> Cube:
        """The statement as a cube."""
        atoms = [self.actions(statement.actions)]
        if statement.resources is not None:
            atoms.append(self._patterns(self._resource, statement.resources, Syntax.WILD))
        for clause in sorted(statement.conditions, key=_order):
            atoms.append(self._atom(clause, self.predicates.keys[clause.key], clause))
        return Cube(number, statement.effect is Effect.ALLOW, tuple(atoms), callers)

    def impossible(self, number: int, arn: str, possible: frozenset[Pattern]) -> Cube:
        """What matches the resources of an ARN's form that none can have; `possible`: those that one can have."""
        of_form = self.resources(CanonicalPatterns(False, frozenset({arn})))
        return Cube(number, False, (of_form, self.texts(possible, negated=True)), 0)

    def actions(self, patterns: CanonicalPatterns) -> Atom:
        """An Action element."""
        return self._patterns(self._action, patterns, Syntax.ACTION)

    def resources(self, patterns: CanonicalPatterns) -> Atom:
        """A Resource element, read as an ARN."""
        return self._patterns(self._resource, patterns, Syntax.ARN)

    def texts(self, language: frozenset[Pattern], *, negated: bool = False) -> Atom:
        """A Resource that is one of these texts, or none of them."""
        test = KeyTest(Quantifier.ONE, TextSet(language), negated, missing=False, empty=negated)
        return self._atom((RESOURCE, test), self._resource, test)

    def predicate(self, key: str, predicate: Predicate) -> Atom:
        """A predicate that no document contains."""
        return self._atom((key, predicate), self.predicates.keys[key], predicate)

    def _patterns(self, key: ConditionKey, patterns: CanonicalPatterns, syntax: Syntax) -> Atom:
        accepted = TextSet(frozenset(pattern(value, syntax) for value in patterns.values))
        return self._atom(
            (key.name, syntax, patterns),
            key,
            KeyTest(Quantifier.ONE, accepted, patterns.negated, missing=False, empty=patterns.negated),
        )

    def _atom(self, name: object, key: ConditionKey, predicate: Predicate | CanonicalClause) -> Atom:
        self._budget.spend(1, SIZE)
        atom = self._numbers.get(name)
        if atom is None:
            made = self.predicates.predicate(predicate) if isinstance(predicate, CanonicalClause) else predicate
            atom = self._numbers[name] = Atom(len(self.atoms), key, made, weight(made))
            self.atoms.append(atom)
        return atom


def _size(statement: CanonicalStatement) -> int:
    """Units of work to read a statement, mostly for compiling its patterns."""
    return 20 + sum(5 + len(text) // 2 for text in (*statement.actions.values, *statement.texts))


def _order(clause: CanonicalClause) -> tuple[str, str, list[str]]:
    return clause.key, clause.operator, sorted(clause.values)
