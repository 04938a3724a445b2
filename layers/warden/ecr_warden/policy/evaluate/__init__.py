"""Is a request allowed, by every policy that has a say? Pure; no policy is read here."""

from ecr_warden.policy.evaluate.evaluate import evaluate
from ecr_warden.policy.evaluate.policies import Policies

__all__ = ["Policies", "evaluate"]
