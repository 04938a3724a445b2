"""The contexts that a decision may depend on: values for the condition keys whose value is not certain.

Every clause on such a key holds or does not. `contexts_of` gives each key values for every possible combination, found
exactly by the engine's own search. Where policy variables tie keys together, or there are many clauses, likely values
are tried instead. What no request can have together (`key_presence`) is left out. Every context is then evaluated as it
is, so no answer rests on one that cannot occur.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product

from msgspec import Struct

from iam_access.document.condition import CanonicalClause, Clause, parse_operator
from iam_access.document.steps import Steps, TooManySteps
from iam_access.document.variables import captured, replace_variables, variables_in
from iam_access.evaluate.condition_match import clause_holds
from iam_access.gather import gather
from iam_access.key_values.clauses import Predicates
from iam_access.key_values.predicates import Literal
from iam_access.text.ascii_case import folded
from iam_access.who_can.key_presence import RELATED, can_be, presence

type Values = tuple[str, ...]
type Context = dict[str, Values]

MAX_CONTEXTS = 2048
_FEW_CONTEXTS = 64
_UNITS = 40_000
LONG = 64
"""Characters that are compared or filled in in about one step."""
_OTHER = "some-other-value"
_WILD = frozenset("*?$")
_NOTHING = "\0"
"""Stands for a variable without a value; no policy can have it."""


class Contexts(Struct, frozen=True):
    """Every combination of `choices` (the values to try for each key), absent keys first."""

    choices: Mapping[str, tuple[Values, ...]]
    complete: bool
    """The contexts cover every combination of clauses that hold and do not hold."""
    certain: Context
    """Other keys, as far as they tell which of these can occur."""

    def __iter__(self) -> Iterator[Context]:
        """All that can occur, or, of more than can be tried, a few."""
        keys = sorted(self.choices)
        size = math.prod(map(len, self.choices.values()))
        every = product(*(self.choices[key] for key in keys))
        contexts = (dict(zip(keys, values, strict=True)) for values in islice(every, MAX_CONTEXTS))
        yield from islice(filter(self.can_occur, contexts), None if size <= MAX_CONTEXTS else _FEW_CONTEXTS)

    def can_occur(self, context: Context) -> bool:
        """Can a request have these values together?"""
        return can_be({**self.certain, **context})


def contexts_of(
    clauses: Iterable[CanonicalClause],
    resources: Iterable[tuple[str, str]],
    always: Iterable[CanonicalClause],
    certain: Callable[[str], Values | None],
    steps: Steps,
) -> Contexts:
    """The contexts in which the clauses hold or do not hold, in every combination.

    `resources`: patterns with variables, each with the resource that it may match; `always`: clauses that hold in every
    context, such as that an ARN belongs to a certain account. Raises TooManySteps.
    """
    turned = (_turned(resolved(clause, certain), certain) for clause in clauses)
    by_key = gather((known.key, known) for known in turned if known.values)
    rules = gather((clause.key, clause) for clause in always)
    known_related = {key: values for key in RELATED - by_key.keys() if (values := certain(key)) is not None}
    for clause in presence({*by_key, *known_related}):
        if clause.key in by_key:
            by_key[clause.key].append(clause)
    tied = list(resources)
    likely = _likely(by_key, tied, certain, steps)
    choices: dict[str, tuple[Values, ...]] = {}
    exact = True
    for key in dict.fromkeys((*by_key, *likely)):
        ruled = rules.get(key, [])
        found, is_exact = _choices([*by_key.get(key, []), *ruled], likely.get(key, ()), steps)
        exact = exact and is_exact
        steps.spend(len(found))
        for rule in ruled:
            one = Clause(rule.operator, rule.key, tuple(rule.values))
            found = tuple(values for values in found if clause_holds(one, {key: values}, variables=False))
        choices[key] = found or ((),)
    size = math.prod(map(len, choices.values()))
    return Contexts(choices, exact and not tied and not likely and size <= MAX_CONTEXTS, known_related)


def texts_told_apart(clauses: Sequence[CanonicalClause], steps: Steps) -> Iterator[str]:
    """Texts of one key for every way in which clauses without variables hold or do not, or likely ones."""
    return (values[0] for values in _choices(clauses, (), steps)[0] if values)


def resolved(clause: CanonicalClause, certain: Callable[[str], Values | None]) -> CanonicalClause:
    """The clause with the texts of its variables, where each is certain; a value with one that is absent is none."""
    texts: dict[str, str] = {}
    values = set[str]()
    for value in clause.values:
        for variable in variables_in(value):
            known = certain(variable.key)
            text = "".join(known or (variable.default or "",)) if known is not None and len(known) < 2 else None
            if text is None or not _WILD.isdisjoint(text):
                return clause
            texts[variable.spelled] = text if known or variable.default is not None else _NOTHING
        filled = replace_variables(value, lambda variable: texts[variable.spelled])
        if _NOTHING not in filled:
            values.add(filled)
    return clause._replace(values=frozenset(values))


def _turned(clause: CanonicalClause, certain: Callable[[str], Values | None]) -> CanonicalClause:
    """The same said of a variable's key, where the clause's own key is certain: it is the rest of that one's value.

    The clause as it is, where a value has wildcards, a default, or not just the one variable.
    """
    operator, known = parse_operator(clause.operator), certain(clause.key) or ()
    variables = {variable.spelled: variable for value in clause.values for variable in variables_in(value)}
    is_alone = all(len(variables_in(value)) == 1 and _WILD.isdisjoint(_filled(value, "")) for value in clause.values)
    if operator.quantifier or not operator.positive.startswith("String") or len(known) != 1 or len(variables) != 1:
        return clause
    (variable,) = variables.values()
    if variable.default is not None or not is_alone:
        return clause
    fold = folded if "IgnoreCase" in operator.positive else str
    rests = (rest for value in clause.values for _, rest in captured(fold(value), fold(known[0])))
    name = clause.operator.removesuffix("IfExists").replace("Like", "Equals")
    return CanonicalClause(name, variable.key, frozenset(rests))


def _choices(
    clauses: Sequence[CanonicalClause], likely: Sequence[str], steps: Steps
) -> tuple[tuple[Values, ...], bool]:
    """Values of one key, absent first, and whether these tell the clauses apart in every way in which that can be."""
    found: dict[Values, None] = {(): None}
    # The exact search knows no variables: what they are compared with is among the likely values.
    plain = [clause for clause in clauses if not any(map(variables_in, clause.values))]
    exactly = _exactly(plain, steps) if plain else None
    if exactly is not None:
        found |= dict.fromkeys(exactly)
        if plain == clauses and not likely:
            return tuple(found), True
    found |= dict.fromkeys((value,) for value in (*_samples(clauses), *likely))
    several = [value for clause in clauses if ":" in clause.operator for value in sorted(clause.values)]
    if len(several) > 1:
        found[tuple(dict.fromkeys(several))] = None
    return tuple(found), False


def _exactly(clauses: Sequence[CanonicalClause], steps: Steps) -> tuple[Values, ...] | None:
    """Values for every combination of clauses that hold; None if that is too much work."""
    found, spent = _found(tuple(clauses), min(_UNITS, steps.left))
    steps.spend(spent)
    return found


# The same clauses are asked about for many principals and resources.
@lru_cache(maxsize=256)
def _found(clauses: tuple[CanonicalClause, ...], units: int) -> tuple[tuple[Values, ...] | None, int]:
    """As `_exactly` within so many steps, and those that it took."""
    budget = Steps(units)
    predicates = Predicates(clauses)
    found: list[tuple[tuple[Literal, ...], Values]] = [((), ())]
    try:
        for predicate in map(predicates.predicate, clauses):
            literals = [(*those, (predicate, holds)) for those, _ in found for holds in (False, True)]
            found = [
                (those, values) for those in literals if (values := predicates.key.find(those, budget)) is not None
            ]
    except TooManySteps:
        return None, units
    return tuple(values for _, values in found), units - budget.left


def _samples(clauses: Iterable[CanonicalClause]) -> Iterator[str]:
    for clause in clauses:
        for value in sorted(clause.values):
            if "${" not in value:
                yield value.replace("*", "x").replace("?", "x")
    yield _OTHER


def _likely(
    by_key: Mapping[str, Sequence[CanonicalClause]],
    resources: Sequence[tuple[str, str]],
    certain: Callable[[str], Values | None],
    steps: Steps,
) -> dict[str, list[str]]:
    """Values with which a variable's value matches the text around it."""
    found: dict[str, list[str]] = {}
    for key, clauses in by_key.items():
        for clause in clauses:
            for value in clause.values:
                variables = variables_in(value)
                for variable in variables:
                    known = certain(variable.key)
                    texts = list(_samples(by_key.get(variable.key, ())) if known is None else known)
                    steps.spend(sum(1 + (len(value) + len(variables) * len(text)) // LONG for text in texts))
                    found.setdefault(key, []).extend(_filled(value, text) for text in texts)
                    if known is None:
                        found.setdefault(variable.key, []).extend(texts)
                for text in (certain(key) or ()) if variables else ():
                    steps.spend(1 + (len(value) + len(text)) // LONG)
                    for name, part in captured(value, text):
                        if certain(name) is None:
                            found.setdefault(name, []).append(part)
    for pattern, resource in resources:
        steps.spend(1 + len(pattern) // LONG)
        for key, text in captured(pattern, resource):
            if certain(key) is None:
                found.setdefault(key, []).append(text)
    return {key: list(dict.fromkeys(values)) for key, values in found.items()}


def _filled(value: str, text: str) -> str:
    return replace_variables(value, lambda _: text)
