"""The stored estate through the hub: its parts, and each of them as it was kept."""

from base64 import b64decode

import pytest

from ecr_warden.collect.estate import Piece
from ecr_warden.core.codec.compressed import decompress
from ecr_warden.hub.queries import NotSurveyed, PartTooLarge
from ecr_warden.hub.reply import EstateReply
from ecr_warden.hub.request import AskEstate, question_from_text
from ecr_warden.hub.selecting import NothingAccepted
from ecr_warden.state.commands import BadRequest
from iam_access.errors import NamedError
from local.testing.seed import CI, HOME, NOW
from tests.usecases.hub import ask
from tests.usecases.test_survey import PART, estate_world


def test_the_parts_are_those_of_the_accepted_spec() -> None:
    world = estate_world()
    world.estate_store.put(Piece("333333333333", NOW, {}))  # it left the spec
    assert ask(world, AskEstate()) == EstateReply((CI, HOME, PART))


def test_a_part_is_as_it_was_kept() -> None:
    world = estate_world()
    world.sweep()
    for part in (CI, HOME, PART):
        reply = ask(world, AskEstate(part))
        assert isinstance(reply, EstateReply)
        piece = world.estate_store.pieces[part]
        assert (reply.began, decompress(b64decode(reply.piece))) == (piece.began, piece.entry)


@pytest.mark.parametrize(
    ("part", "remedy"), [(CI, "the next sweep reads it"), ("333333333333", "name a part that the accepted spec has")]
)
def test_a_part_without_a_piece_says_what_would_bring_one(part: str, remedy: str) -> None:
    world = estate_world()
    world.estate_store.put(Piece("333333333333", NOW, {}))
    with pytest.raises(NotSurveyed) as error:
        ask(world, AskEstate(part))
    assert error.value.remedy == remedy


def test_a_piece_that_does_not_fit_into_a_reply_is_named_with_another_way() -> None:
    world = estate_world()
    world.sweep()
    with pytest.raises(PartTooLarge, match=f"{CI} does not fit") as error:
        ask(world, AskEstate(CI), reply_bytes=10)
    assert "ecr-warden snapshot --spec SPEC" in error.value.remedy


def test_without_an_accepted_spec_there_is_no_estate() -> None:
    world = estate_world()
    world.specs.compiled = None
    with pytest.raises(NothingAccepted):
        ask(world, AskEstate())


@pytest.mark.parametrize("part", ["audit/last", "111111111111/../x", "1" * 13, "111111111111/", "é"])
def test_only_a_part_can_be_asked_for(part: str) -> None:
    with pytest.raises(BadRequest) as error:
        question_from_text(f'{{"schema": 1, "action": "estate", "part": "{part}"}}')
    assert isinstance(error.value, NamedError)
