"""Policy variables in a comparison: values that no document mentions, and values under which a pattern matches."""

from collections.abc import Iterable, Mapping

from iam_access.compare.cubes import Cube
from iam_access.compare.domains import TextSet
from iam_access.compare.predicates import KeyTest, Values
from iam_access.document.condition import CanonicalClause
from iam_access.document.variables import Variable, as_pattern, captured, replace_variables, variables_in
from iam_access.equivalent.canonical import CanonicalPatterns, CanonicalStatement

_FRESH = "unmentioned"


def variables_of(statements: Iterable[CanonicalStatement]) -> tuple[Variable, ...]:
    """The variables in resources and condition values."""
    return tuple(
        sorted({variable for statement in statements for text in statement.texts for variable in variables_in(text)})
    )


def fresh_values(variables: Iterable[Variable], known: Mapping[str, Values]) -> dict[Variable, str]:
    """A value for each variable: the known one of its key, else one that no document mentions."""
    keys = sorted({variable.key for variable in variables})
    values = {key: next(iter(known.get(key, ())), f"{_FRESH}{number}") for number, key in enumerate(keys)}
    return {variable: values[variable.key] for variable in variables}


def default_values(variables: Iterable[Variable]) -> dict[Variable, str | None]:
    """What stands for each variable in a request without any of their keys; None where it has no default."""
    return {variable: None if variable.default is None else as_pattern(variable.default) for variable in variables}


def resolved(statement: CanonicalStatement, values: Mapping[Variable, str | None]) -> CanonicalStatement:
    """The statement with its variables replaced by patterns.

    A text with a variable that is None is dropped: it matches nothing.
    """

    def replaced(given: Iterable[str]) -> frozenset[str]:
        return frozenset(
            replace_variables(text, replacement)
            for text in given
            if all(values.get(variable, "") is not None for variable in variables_in(text))
        )

    def replacement(variable: Variable) -> str:
        found = values.get(variable)
        return variable.text if found is None else found

    resources = statement.resources
    return CanonicalStatement(
        statement.effect,
        statement.actions,
        statement.principals,
        CanonicalPatterns(resources.negated, replaced(resources.values)) if resources else None,
        frozenset(CanonicalClause(o, key, replaced(values)) for o, key, values in statement.conditions),
    )


def bound(statement: CanonicalStatement) -> CanonicalStatement:
    """The statement with the variables replaced whose keys its own condition binds to one text."""
    texts = {
        clause.key: next(iter(clause.values))
        for clause in statement.conditions
        if clause.operator == "StringEquals" and len(clause.values) == 1
    }
    values = {
        variable: texts[key]
        for variable in (variables_of([statement]) if texts else ())
        if (key := variable.key) in texts and as_pattern(texts[key]) == texts[key]
    }
    return resolved(statement, values) if values else statement


def meeting_values(cubes: Iterable[Cube], values: Mapping[str, Values]) -> dict[str, str]:
    """Values by key under which the patterns of the cubes match the values found, as far as one attempt shows."""
    found: dict[str, str] = {}
    for cube in cubes:
        for atom in cube.atoms:
            texts = values.get(atom.key.name, ())
            if isinstance(atom.predicate, KeyTest) and isinstance(atom.predicate.accepted, TextSet) and texts:
                for pattern in sorted(atom.predicate.accepted.language, key=lambda entry: entry.text):
                    if pattern.open:
                        found = dict(captured(pattern.text, texts[0])) | found
    return found
