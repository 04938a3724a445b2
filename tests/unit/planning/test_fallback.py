"""A document over which a decision fails is taken for one that cannot be parsed, and the others for what they are."""

import re

import pytest
from ecr_warden.model.address import Address
from ecr_warden.model.observed import Observation, Present, Unparseable
from ecr_warden.planning.fallback import decided

from tests.unit.planning.seed import D2, D3, PUSHER, ROLE, reading, spec_of

SEEN = reading(spec_of(PUSHER))


def _unparseable(observation: Observation) -> set[Address]:
    return {address for address, seen in observation.documents.items() if isinstance(seen, Unparseable)}


def _failing_over(*addresses: Address, error: type[Exception] = ValueError) -> object:
    """A decision that fails while it sees one of the documents, and else says which of them it did not see."""

    def decide(observation: Observation) -> set[Address]:
        if any(isinstance(observation.documents[address], Present) for address in addresses):
            raise error("of an attacker's choosing")
        return _unparseable(observation)

    return decided(decide, SEEN)


def test_a_decision_that_does_not_fail_sees_everything() -> None:
    assert decided(_unparseable, SEEN) == set()


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, AssertionError, KeyError])
@pytest.mark.parametrize("address", [D2, D3], ids=["trust policy", "inline policy"])
def test_one_document_that_fails_is_the_only_one_that_is_not_seen(address: Address, error: type[Exception]) -> None:
    assert _failing_over(address, error=error) == {address}


def test_where_several_fail_no_document_is_seen() -> None:
    assert _failing_over(D2, D3) == {D2, D3}


def test_the_text_and_digest_stay_for_the_repair_and_the_journal() -> None:
    def decide(observation: Observation) -> Unparseable:
        seen = observation.documents[D2]
        match seen:
            case Unparseable():
                return seen
            case _:
                raise ValueError("of an attacker's choosing")

    before = SEEN.documents[D2]
    assert isinstance(before, Present)
    found = decided(decide, SEEN)
    assert found.digest == before.digest
    assert found.text == getattr(before.value, "text", None)
    assert re.fullmatch(r"ecr-warden failed to interpret it \(ValueError in test_fallback\.py, line \d+\)", found.error)


def test_where_no_document_is_to_blame_the_error_is_raised() -> None:
    with pytest.raises(ValueError, match="of an attacker's choosing"):
        _failing_over(ROLE)
