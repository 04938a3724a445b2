"""Does one document allow the same as another, more, less, or something else? Decided exactly, proved by requests."""

from ecr_warden.policy.compare.comparison import compare
from ecr_warden.policy.phrases import Comparison, Relation, Witness

__all__ = ["Comparison", "Relation", "Witness", "compare"]
