"""Does one document allow what another does, more, less, or something else? Exactly, with requests as the proof."""

from ecr_warden.policy.compare.comparison import compare
from ecr_warden.policy.phrases import Comparison, Relation, Witness

__all__ = ["Comparison", "Relation", "Witness", "compare"]
