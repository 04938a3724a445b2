"""Whether a request is allowed by all policies that apply to it, for policies given as values."""

from ecr_warden.policy.evaluate.actions import is_plain
from ecr_warden.policy.evaluate.evaluate import evaluate
from ecr_warden.policy.evaluate.policies import Policies

__all__ = ["Policies", "evaluate", "is_plain"]
