"""What is wrong with a policy document beyond its grammar: AWS refuses it, or it does other than it seems to."""

from iam_access.lint.lint import lint
from iam_access.lint.rules import Level, LintFinding, LintRule

__all__ = ["Level", "LintFinding", "LintRule", "lint"]
