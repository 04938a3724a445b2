"""Rules on statements and actions that another one makes pointless. A finding is certain; in doubt there is none."""

from collections.abc import Iterator
from contextlib import suppress
from copy import replace

from iam_access.document.document import Effect
from iam_access.document.pattern import is_literal, pattern_covers
from iam_access.document.steps import Steps, TooManySteps
from iam_access.equivalent.canonical import canonical_statements
from iam_access.equivalent.subsumption import covers_statement
from iam_access.lint.examination import Examination, PlacedElement, quoted
from iam_access.lint.rules import LintRule
from iam_access.text.ascii_case import ascii_lower

_MAX_STATEMENTS = 60


def check_redundant(examination: Examination) -> None:
    """Report actions, statements and Allows that have no effect, as far as a bounded number of steps goes."""
    with suppress(TooManySteps):
        steps = Steps()
        for statement in examination.statements:
            _check_actions(examination, statement.actions, steps)
        if len(examination.statements) <= _MAX_STATEMENTS:
            _check_statements(examination, steps)


def _check_actions(examination: Examination, element: PlacedElement, steps: Steps) -> None:
    lowered = [ascii_lower(value.text) for value in element.values]
    wide = [(index, text) for index, text in enumerate(lowered) if not is_literal(text)]
    first: dict[str, int] = {}
    for index, text in enumerate(lowered):
        other = first.setdefault(text, index)
        if other == index:
            steps.spend(len(wide))
            other = next(
                (at for at, pattern in wide if pattern != text and pattern_covers(pattern, text, steps)), index
            )
        if other != index:
            message = f"{quoted(element.values[other].text)} includes {quoted(element.values[index].text)}"
            examination.add(LintRule.ACTION_REDUNDANT, element.values[index].place, message)


def _check_statements(examination: Examination, steps: Steps) -> None:
    statements = canonical_statements(examination.document, kind=examination.kind)

    def covered_by(index: int, effect: Effect) -> Iterator[int]:
        """The other statements of this effect that match every request that the statement matches."""
        canonical_statement = replace(statements[index], effect=effect)
        for at, other in enumerate(statements):
            if at != index and covers_statement(other, canonical_statement, steps):
                yield at

    for index, statement in enumerate(examination.statements):
        # A denied Allow is reported as that, even if another Allow includes it.
        if statement.allows and (at := next(covered_by(index, Effect.DENY), None)) is not None:
            examination.add(LintRule.STATEMENT_DENIED, statement.place, f"statement {at + 1} denies all of it")
            continue
        effect = statements[index].effect
        # Of two statements that include each other, the second is redundant.
        including = (at for at in covered_by(index, effect) if at < index or index not in covered_by(at, effect))
        if (at := next(including, None)) is not None:
            examination.add(LintRule.STATEMENT_REDUNDANT, statement.place, f"statement {at + 1} includes it")
