"""Rules on statements that another one makes pointless. A yes is certain; in doubt nothing is said."""

from msgspec import Struct, field

from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.canonical import CanonicalPatterns, CanonicalPrincipals, CanonicalStatement, canonical_statements
from ecr_warden.policy.document import Effect
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Element, Subject, quoted
from ecr_warden.policy.pattern import is_literal, pattern_covers
from ecr_warden.policy.principal import ANYONE

_MOST_STATEMENTS = 60
_MOST_COMPARISONS = 20_000
_LONGEST = 512


class _Budget(Struct):
    """Long lists are compared pair by pair: only so many."""

    left: int = field(default=_MOST_COMPARISONS)

    def covers(self, wide: str, narrow: str) -> bool:
        self.left -= 1
        if self.left < 0 or len(wide) > _LONGEST or len(narrow) > _LONGEST:
            return wide == narrow
        return pattern_covers(wide, narrow)


def check_redundant(subject: Subject) -> None:
    """Report values, statements and Allows that have no effect."""
    budget = _Budget()
    for part in subject.parts:
        _check_values(subject, part.actions, budget)
    if len(subject.parts) > _MOST_STATEMENTS:
        return
    statements = canonical_statements(subject.document, kind=subject.kind)
    for index, part in enumerate(subject.parts):
        one = statements[index]
        covering = [at for at, other in enumerate(statements) if at != index and _covers(other, one, budget)]
        # What is denied is told as that, wherever a statement that includes it stands.
        denying = [at for at in covering if statements[at].effect is Effect.DENY and one.effect is Effect.ALLOW]
        including = (
            at
            for at in covering
            if statements[at].effect is one.effect and (at < index or not _covers(one, statements[at], budget))
        )
        if denying:
            subject.add(Rule.STATEMENT_DENIED, part.place, f"statement {denying[0] + 1} denies all of it")
        elif (other := next(including, None)) is not None:
            subject.add(Rule.STATEMENT_REDUNDANT, part.place, f"statement {other + 1} includes it")


def _check_values(subject: Subject, element: Element, budget: _Budget) -> None:
    lowered = [ascii_lower(value.text) for value in element.values]
    wide = [(index, text) for index, text in enumerate(lowered) if not is_literal(text)]
    first: dict[str, int] = {}
    for index, text in enumerate(lowered):
        other = first.setdefault(text, index)
        if other == index:
            other = next((at for at, pattern in wide if pattern != text and budget.covers(pattern, text)), index)
        if other != index:
            message = f"{quoted(element.values[other].text)} includes {quoted(element.values[index].text)}"
            subject.add(Rule.ACTION_REDUNDANT, element.values[index].place, message)


def _covers(wide: CanonicalStatement, narrow: CanonicalStatement, budget: _Budget) -> bool:
    """Does `wide` match every request that `narrow` matches?"""
    return (
        wide.conditions <= narrow.conditions
        and _covers_principals(wide.principals, narrow.principals)
        and _covers_patterns(wide.actions, narrow.actions, budget)
        and _covers_optional(wide.resources, narrow.resources, budget)
    )


def _covers_principals(wide: CanonicalPrincipals | None, narrow: CanonicalPrincipals | None) -> bool:
    if wide is None or narrow is None or wide.negated or narrow.negated:
        return wide == narrow
    return ANYONE in wide.values or wide.values >= narrow.values


def _covers_optional(wide: CanonicalPatterns | None, narrow: CanonicalPatterns | None, budget: _Budget) -> bool:
    if wide is None or narrow is None:
        return wide == narrow
    return _covers_patterns(wide, narrow, budget)


def _covers_patterns(wide: CanonicalPatterns, narrow: CanonicalPatterns, budget: _Budget) -> bool:
    if wide.negated or narrow.negated:
        return wide == narrow
    return all(
        text in wide.values or any(budget.covers(pattern, text) for pattern in wide.values) for text in narrow.values
    )
