"""Live documents on which the policy engine fails: they count as differing, and are replaced as a whole."""

from collections.abc import Callable
from copy import replace

from ecr_warden.core.address import Address
from ecr_warden.core.observed import Observation, Observed, Present, Unparseable
from iam_access.document.document import Document
from iam_access.errors import site_of


def decided[T](decide: Callable[[Observation], T], observation: Observation) -> T:
    """The decision on an observation; a document on which it fails counts as unparseable.

    An attacker may choose a document's text, and no test has seen all texts: an error in the policy engine must not
    keep the document from being repaired. So it counts as differing and is replaced whole. Raises the error that
    `decide` raises without any live document, because then none of them causes it.
    """
    try:
        return decide(observation)
    except Exception as error:
        reason = f"ecr-warden failed to interpret it ({site_of(error)})"
        unparseable: dict[Address, Observed] = {
            address: Unparseable(reason, seen.value.text, seen.digest)
            for address, seen in observation.documents.items()
            if isinstance(seen, Present) and isinstance(seen.value, Document)
        }
        one_by_one = [{address: one} for address, one in unparseable.items()] if len(unparseable) > 1 else []
        for replaced in (*one_by_one, unparseable):
            try:
                return decide(replace(observation, documents={**observation.documents, **replaced}))
            except Exception:  # noqa: S112 - it is not this document, or not this one alone
                continue
        raise
