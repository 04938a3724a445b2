"""A live document over which the policy engine fails must not keep itself from being repaired.

Whoever may write a document of an account chooses its text, and no test has seen all texts. So an error in a pure
decision is answered as an unparseable document is: it counts as differing, and the repair replaces it whole.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from ecr_warden.errors import site_of
from ecr_warden.model.address import Address
from ecr_warden.model.observed import Observation, Present, Unparseable
from ecr_warden.policy.document import Document


def decided[T](decide: Callable[[Observation], T], observation: Observation) -> T:
    """What `decide` says of an observation; a document over which it fails is taken for unparseable.

    Raises what `decide` raises without any live document: then none of them is to blame.
    """
    try:
        return decide(observation)
    except Exception as error:
        for other in _with_less(observation, f"ecr-warden failed to interpret it ({site_of(error)})"):
            try:
                return decide(other)
            except Exception:  # noqa: S112 - then it was not this document, or not this one alone
                continue
        raise


def _with_less(observation: Observation, error: str) -> Iterator[Observation]:
    """The observation without one of its documents at a time, then without any."""
    suspects = [
        address
        for address, seen in observation.documents.items()
        if isinstance(seen, Present) and isinstance(seen.value, Document)
    ]
    if len(suspects) > 1:
        for suspect in suspects:
            yield _without(observation, {suspect}, error)
    yield _without(observation, suspects, error)


def _without(observation: Observation, suspects: Collection[Address], error: str) -> Observation:
    documents = {
        address: Unparseable(error, seen.value.text, seen.digest)
        if address in suspects and isinstance(seen, Present) and isinstance(seen.value, Document)
        else seen
        for address, seen in observation.documents.items()
    }
    return replace(observation, documents=documents)
