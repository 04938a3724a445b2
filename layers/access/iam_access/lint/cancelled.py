"""The rule on an Allow that another statement takes back. A finding is certain; in doubt there is none."""

from contextlib import suppress
from copy import replace

from iam_access.document.document import Effect
from iam_access.document.steps import Steps, TooManySteps
from iam_access.equivalent.canonical import canonical_statements
from iam_access.equivalent.subsumption import covers_statement
from iam_access.lint.examination import Examination
from iam_access.lint.rules import LintRule

_MAX_STATEMENTS = 60


def check_cancelled(examination: Examination) -> None:
    """Report each Allow that a Deny cancels, as far as a bounded number of steps goes."""
    if len(examination.statements) > _MAX_STATEMENTS:
        return
    steps = Steps()
    statements = canonical_statements(examination.document, kind=examination.kind)
    with suppress(TooManySteps):
        for statement, form in zip(examination.statements, statements, strict=True):
            denied = replace(form, effect=Effect.DENY)
            covering = (at for at, one in enumerate(statements) if covers_statement(one, denied, steps))
            if statement.allows and (at := next(covering, None)) is not None:
                message = f"statement {at + 1} denies all of it"
                examination.add(LintRule.STATEMENT_DENIED, statement.place, message)
