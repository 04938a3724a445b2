"""Does one part of a statement cover another? Yes is certain; no may mean unknown, and then counts as access.

Covered: equal parts, what a wildcard matches, any principal by `*`, a condition by fewer or wider clauses, an end of
access by a later one. Not decided: an account's root against its users; patterns of ARNs, numbers, networks and other
dates in conditions. Functions that compare patterns raise TooManySteps once the steps are used up.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from iam_access.document.condition import CanonicalClause, parse_operator
from iam_access.document.pattern import is_literal, pattern_covers, patterns_meet
from iam_access.document.principal import ANYONE, Principal
from iam_access.document.steps import Steps
from iam_access.document.values import moment
from iam_access.equivalent.canonical import CanonicalPatterns, CanonicalPrincipals, CanonicalStatement


class AllBut[T](Struct, frozen=True):
    """A Not-element as a whole: everything except these, sorted."""

    values: tuple[T, ...]


class AnyOf[T](Struct, frozen=True):
    """Several values, sorted, that would be too many one by one."""

    values: tuple[T, ...]


type Part[T] = T | AllBut[T] | AnyOf[T]


def covers_patterns(wide: CanonicalPatterns | None, part: Part[str] | None, steps: Steps) -> bool:
    """Does an Action or Resource element cover a part of another? An absent Resource is `*`: the target itself."""
    if wide is None:
        return part is None or part == "*"
    match part:
        case AnyOf(values):
            return all(covers_patterns(wide, value, steps) for value in values)
        case AllBut(values):
            if wide.negated:
                steps.spend(len(wide.values) * len(values))
                return all(any(pattern_covers(value, excluded, steps) for value in values) for excluded in wide.values)
            return "*" in wide.values
        case _:
            text = "*" if part is None else part
            steps.spend(len(wide.values))
            if wide.negated:
                return not any(patterns_meet(excluded, text, steps) for excluded in wide.values)
            return text in wide.values or any(pattern_covers(v, text, steps) for v in wide.values if not is_literal(v))


def covers_principals(wide: CanonicalPrincipals | None, part: Part[Principal] | None) -> bool:
    """Does a Principal element cover a part of another? An absent one covers only an absent one."""
    if wide is None or part is None:
        return wide is None and part is None
    if wide.negated and not wide.values:
        return True
    match part:
        case AnyOf(values):
            return all(covers_principals(wide, value) for value in values)
        case AllBut(values):
            return wide.values <= frozenset(values) if wide.negated else ANYONE in wide.values
        case Principal():
            # NotPrincipal also excludes sessions and whole accounts, which the ARN alone does not show.
            return not wide.negated and (ANYONE in wide.values or part in wide.values)


def covers_conditions(wide: frozenset[CanonicalClause], narrow: frozenset[CanonicalClause], steps: Steps) -> bool:
    """Does `wide` hold whenever `narrow` does?"""
    return wide <= narrow or all(any(covers_clause(clause, other, steps) for other in narrow) for clause in wide)


def covers_clause(wide: CanonicalClause, narrow: CanonicalClause, steps: Steps | None = None) -> bool:
    """Does one clause hold whenever another on the same key and operator does?

    Without `steps`, patterns are compared as texts.
    """
    if wide == narrow:
        return True
    if (wide.operator, wide.key) != (narrow.operator, narrow.key) or not wide.values or not narrow.values:
        return False
    if wide.values <= narrow.values if wide.negative else wide.values >= narrow.values:
        return True
    if steps is not None and not wide.negative and parse_operator(wide.operator).positive == "StringLike":
        return covers_patterns(CanonicalPatterns(False, wide.values), AnyOf(tuple(sorted(narrow.values))), steps)
    last, latest = last_end(narrow), last_end(wide)
    return last is not None and latest is not None and last <= latest


# As AWS writes times: in the order of texts. How IAM reads other forms is not known.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def last_end(clause: CanonicalClause) -> str | None:
    """The time until which a clause holds, as 2027-03-31T18:00:00Z; None if that cannot be read for certain."""
    if clause.key != "aws:currenttime" or clause.operator not in ("DateLessThan", "DateLessThanEquals"):
        return None
    are_known = all(_MOMENT.fullmatch(value) and moment(value) is not None for value in clause.values)
    return max(clause.values) if are_known else None


def covers_statement(wide: CanonicalStatement, narrow: CanonicalStatement, steps: Steps) -> bool:
    """Does one statement cover another of the same effect?"""
    return (
        wide.effect is narrow.effect
        and covers_conditions(wide.conditions, narrow.conditions, steps)
        and all(covers_principals(wide.principals, part) for part in principal_parts(narrow))
        and all(covers_patterns(wide.actions, part, steps) for part in action_parts(narrow))
        and all(covers_patterns(wide.resources, part, steps) for part in resource_parts(narrow))
    )


def principal_parts(statement: CanonicalStatement) -> list[Part[Principal] | None]:
    """The principals of a statement, sorted; a Not-element as a whole; [None] if there is no element."""
    element = statement.principals
    return [None] if element is None else _parts(element.negated, element.values)


def action_parts(statement: CanonicalStatement) -> list[Part[str] | None]:
    """The actions of a statement, in the same way."""
    return _parts(statement.actions.negated, statement.actions.values)


def resource_parts(statement: CanonicalStatement) -> list[Part[str] | None]:
    """The resources of a statement, in the same way."""
    element = statement.resources
    return [None] if element is None else _parts(element.negated, element.values)


def _parts[V: (str, Principal)](negated: bool, values: Iterable[V]) -> list[Part[V] | None]:
    listed = tuple(sorted(values))
    return [AllBut(listed)] if negated else list(listed)
