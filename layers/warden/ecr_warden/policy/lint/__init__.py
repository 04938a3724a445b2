"""What is wrong with a policy document beyond its grammar: AWS refuses it, or it does other than it seems to."""

from ecr_warden.policy.lint.check import lint
from ecr_warden.policy.lint.kind import guessed_kind
from ecr_warden.policy.lint.rules import Finding, Rule, Severity

__all__ = ["Finding", "Rule", "Severity", "guessed_kind", "lint"]
