"""What is wrong with a policy document beyond its grammar: AWS refuses it, or it does other than it seems to."""

from iam_access.lint.lint import guessed_kind, lint
from iam_access.lint.rules import Finding, Level, Rule

__all__ = ["Finding", "Level", "Rule", "guessed_kind", "lint"]
