"""A fixed part of the orders in which actors may move; `make prove` tries thousands."""

import pytest

from ecr_warden.core.plan import Change
from local.testing.memory.documents import MemoryDocuments
from tests import examples
from tests.prove.plays import PLAYS, Play, explore
from tests.prove.schedules import Step, explored, played

ORDERS = examples.number(30)


@pytest.mark.parametrize("case", PLAYS)
def test_in_whatever_order_they_move_nothing_is_overwritten_blindly_and_no_older_spec_comes_back(case: str) -> None:
    found = explore(PLAYS[case], at_most=ORDERS, only_first=True)
    assert found.wrong == ()
    assert found.orders == ORDERS


class Blind(MemoryDocuments):
    """Writes without looking whether the document is still the one that the plan was made from."""

    def write(self, change: Change) -> None:
        self._take(change)
        self.writes.append(change)


def test_a_write_without_the_check_before_it_is_caught() -> None:
    def play() -> Play:
        made = PLAYS["two runs of a target"]()
        documents = made.stage.world.documents
        made.stage.world.documents = Blind(documents.owners, documents.live, documents.tagged)
        return made

    [wrong] = {line.partition(": ")[2] for line in explore(play, at_most=12, only_first=True).wrong}
    assert wrong.startswith("the journal has another pre-image of repository-policy")


def test_every_order_with_few_enough_interruptions_comes_once() -> None:
    def play(prefix: tuple[str, ...]) -> tuple[Step, ...]:
        def moves(hand_over) -> None:  # type: ignore[no-untyped-def]
            hand_over()

        return played({"a": moves, "b": moves}, prefix)

    found = {number: sorted("".join(order) for order in explored(play, interruptions=number)) for number in range(3)}
    assert found[0] == ["aabb", "bbaa"]
    assert found[1] == ["aabb", "abba", "baab", "bbaa"]
    assert found[2] == ["aabb", "abab", "abba", "baab", "baba", "bbaa"]


def test_what_an_actor_raises_is_raised() -> None:
    def fails(hand_over) -> None:  # type: ignore[no-untyped-def]
        hand_over()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        played({"a": fails}, ())
