"""Conditions in words: `sts:ExternalId is "build-42"`, `aws:SourceIp is not in "10.0.0.0/8"`."""

from collections.abc import Iterable, Iterator, Mapping

from iam_access.document.condition import CanonicalClause, Clause, Quantifier, parse_operator
from iam_access.document.variables import variables_in
from iam_access.evaluate.condition_match import clause_holds
from iam_access.text.printable import first, printable
from iam_access.who_can.contexts import Context

VALUES_SHOWN = 6
"""How many values of a list are written out."""

# The verb for a clause that holds, and for one that must not.
_VERBS = {
    "Equals": ("is", "is not"),
    "EqualsIgnoreCase": ("is", "is not"),
    "Like": ("matches", "does not match"),
    "LessThan": ("is less than", "is not less than"),
    "LessThanEquals": ("is at most", "is more than"),
    "GreaterThan": ("is more than", "is at most"),
    "GreaterThanEquals": ("is at least", "is less than"),
    "IpAddress": ("is in", "is not in"),
    "Bool": ("is", "is not"),
}
_FAMILIES = ("String", "Arn", "Numeric", "Date", "Binary")


def keys_of_variables(clauses: Iterable[CanonicalClause]) -> set[str]:
    """The keys of the variables in clauses."""
    return {one.key for clause in clauses for value in clause.values for one in variables_in(value)}


def condition_texts(clauses: Iterable[CanonicalClause], context: Context, spelling: Mapping[str, str]) -> Iterator[str]:
    """What a context needs of a key, in words: the clauses on it that hold, and those that must not."""
    for clause in clauses:
        holds = clause_holds(Clause(clause.operator, clause.key, tuple(clause.values)), context, variables=True)
        yield clause_text(clause._replace(key=spelling.get(clause.key, clause.key)), holds=holds)


def clause_text(clause: CanonicalClause, *, holds: bool) -> str:
    """A clause in words, or its opposite: `sts:ExternalId is "build-42"`, `aws:SourceIp is not in "10.0.0.0/8"`."""
    operator = parse_operator(clause.operator)
    # What is not so of any value is otherwise with each, and what is not so of all is otherwise with one.
    of_all = operator.quantifier is (Quantifier.ALL if holds else Quantifier.ANY)
    each = "" if not operator.quantifier else "each value of " if of_all else "a value of "
    name = each + printable(clause.key, 80)
    if operator.positive == "Null":
        return f"{name} is {'absent' if ('true' in clause.values) is holds else 'present'}"
    family = next((one for one in _FAMILIES if operator.positive.startswith(one)), "")
    verb = _VERBS[operator.positive.removeprefix(family)][1 if operator.negated is holds else 0]
    values = " or ".join(first((f'"{printable(value, 160)}"' for value in sorted(clause.values)), VALUES_SHOWN))
    if of_all or (operator.if_exists and holds):
        return f"{name} {verb} {values}, where it is present"
    return f"{name} is present and {verb} {values}" if operator.if_exists else f"{name} {verb} {values}"
