"""Does one document allow the same as another, more, less, or something else? Decided exactly, proved by requests."""

from iam_access.compare.comparison import compare
from iam_access.compare.result import Comparison, Relation, Witness

__all__ = ["Comparison", "Relation", "Witness", "compare"]
