"""Whether a request is allowed by all policies that apply to it, for policies given as values."""

from iam_access.evaluate.actions import is_plain
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies

__all__ = ["Policies", "evaluate", "is_plain"]
