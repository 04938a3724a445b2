"""`snapshot --hub`: what the hub has kept of the estate, as a file that the other verbs read."""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.codec.compressed import compress
from ecr_warden.hub.codec_replies import reply_to_json
from ecr_warden.hub.reply import EstateReply
from local.testing.seed import CI, HOME, NOW
from tests.cli.command import Command
from tests.cli.test_hub import InProcess, over
from tests.snapshots import estate_from_text
from tests.usecases.test_survey import PART, estate_world


def test_a_snapshot_of_the_hub_is_read_by_the_other_verbs(tmp_path: Path) -> None:
    world = estate_world()
    world.sweep()
    world.clock.advance(timedelta(hours=1))
    world.sweep()
    world.clock.advance(timedelta(hours=1))
    ran = over(world)("snapshot", "--hub")
    assert (ran.code, ran.err) == (0, "")
    estate = estate_from_text(ran.out, at=world.clock.now())
    assert set(estate.accounts) == {CI, HOME}
    assert estate.taken_at == NOW + timedelta(hours=1), "as old as its oldest piece"
    assert set(estate.accounts[HOME].registries["eu-central-1"].repositories) == set(world.reader.policies[PART])
    file = tmp_path / "estate.json"
    written = over(world)("snapshot", "--hub", "-o", str(file))
    assert (written.code, written.out, file.read_text()) == (0, "", ran.out)
    assert Command()("can-i", "--as", f"arn:aws:iam::{CI}:user/nobody", "--snapshot", str(file)).err


def test_an_estate_that_was_not_read_yet_is_no_snapshot() -> None:
    ran = over(estate_world())("snapshot", "--hub")
    assert (ran.code, ran.out) == (1, "")
    assert "ci (111111111111) has not been read yet" in ran.err
    assert "the next sweep reads it" in ran.err


LISTED = EstateReply((CI,))


@dataclass(slots=True)
class Forged(InProcess):
    """A hub that lists a part and sends something else for it."""

    reply: EstateReply = LISTED

    def answer(self, request: str) -> dict[str, Any]:
        return reply_to_json(self.reply if json.loads(request)["part"] else LISTED)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (EstateReply((CI,), NOW, "?"), "cannot be opened"),
        (EstateReply((CI,), NOW, "AAAA"), "cannot be opened"),
        (EstateReply((CI,), None, b64encode(compress({})).decode()), "has no time"),
    ],
)
def test_what_is_no_piece_is_not_written(reply: EstateReply, why: str) -> None:
    ran = Command(hub=Forged(estate_world(), reply=reply))("snapshot", "--hub")
    assert (ran.code, ran.out) == (1, "")
    assert f"the part {CI} {why}" in ran.err
