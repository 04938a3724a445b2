"""`pushed`, over a hub in this process."""

from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.job import Actor
from ecr_warden.images.push import Day, ImageEvent, Right
from local.testing.seed import CHECKOUT, HOME, NOW, OUTSIDER
from tests.cli.test_hub import over
from tests.usecases.world import World, world_in_sync

PIPELINE = Actor("AssumedRole", account=HOME, issuer=f"arn:aws:iam::{HOME}:role/ecr-pusher", session_name="ci")
EVE = Actor("IAMUser", arn=f"arn:aws:iam::{OUTSIDER}:user/eve", account=OUTSIDER)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def push(number: int, by: Actor, right: Right, minutes: int, **more: Any) -> ImageEvent:
    at = NOW - timedelta(minutes=minutes)
    return ImageEvent("pushed", at, f"push-{number}", digest(number), f"v{number}", by, at, right, **more)


PUSHES = (
    push(1, PIPELINE, Right.YES, 40),
    push(2, EVE, Right.OUTSIDE, 30),
    push(3, PIPELINE, Right.DOOR, 20),
    push(4, EVE, Right.OUTSIDE, 10),
)


def pushed_to(left_out: int = 0) -> World:
    world = world_in_sync()
    world.adapters.image_records.kept[CHECKOUT] = {f"{NOW:%Y-%m-%d}": Day(PUSHES, left_out)}
    world.adapters.images[CHECKOUT] = {digest(1): "ACTIVE", digest(2): "ARCHIVED", digest(3): "ACTIVE"}
    return world


def test_each_push_is_listed_with_its_right_and_with_what_is_there_now() -> None:
    ran = over(pushed_to(left_out=7))("pushed", CHECKOUT.name)
    lines = [line for line in ran.out.splitlines() if line.startswith("2026-")]
    assert [line.partition("  ")[2] for line in lines] == [
        "shop/checkout:v4 pushed by an outsider, not there now",
        "shop/checkout:v3 pushed through an open door, there now",
        "shop/checkout:v2 pushed by an outsider, archived",
        "shop/checkout:v1 pushed with a right, there now",
    ]
    assert ran.code == 2
    assert ran.out.count("AttributeValue=BatchGetImage") == 3
    assert ran.out.count("AttributeValue=AssumeRole") == 1
    assert "and 7 more; CloudTrail has them" in ran.out


@pytest.mark.parametrize(
    ("words", "tags", "code"),
    [
        (("--by", "ecr-pusher"), ["v3", "v1"], 2),
        (("--by", "eve", "--from", "15m"), ["v4"], 2),
        (("--to", "35m ago"), ["v1"], 0),
        (("--by", "nobody"), [], 0),
    ],
)
def test_by_and_the_times_narrow_it(words: tuple[str, ...], tags: list[str], code: int) -> None:
    ran = over(pushed_to())("pushed", CHECKOUT.name, *words, "--json")
    assert ([one["tag"] for one in ran.json["pushes"]], ran.code) == (tags, code)


def test_an_account_that_cannot_be_read_leaves_not_known_what_is_there() -> None:
    world = pushed_to()
    world.adapters.images[CHECKOUT] = None
    ran = over(world)("pushed", CHECKOUT.name)
    assert ran.code == 1
    assert "v1 pushed with a right, not known whether it is there" in ran.out
    assert "could not be read" in ran.err


@pytest.mark.parametrize("name", ["all", "shop/none", "role/222222222222/ecr-pusher"])
def test_what_is_not_one_repository_is_refused(name: str) -> None:
    assert over(pushed_to())("pushed", name).code == 1
