"""Worlds and commands for the tests of the command line."""

from typing import Any

import pytest

from local.testing.memory.estate import LiveEstateReader
from local.testing.printed import complete_account
from local.testing.seed import CHECKOUT, CI, HOME, USERS
from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld

ESTATE: dict[str, dict[str, Any]] = {
    CI: {"iam": {"UserDetailList": [{"Arn": f"arn:aws:iam::{CI}:user/{user.name}"} for user in USERS]}},
    HOME: {"iam": {}, "ecr": {CHECKOUT.region: {"repositories": [{"repositoryName": CHECKOUT.name, "policy": None}]}}},
}
ESTATE = {account: complete_account(entry) for account, entry in ESTATE.items()}


@pytest.fixture
def world() -> MemoryWorld:
    """Two empty accounts."""
    return MemoryWorld()


@pytest.fixture
def command(world: MemoryWorld) -> Command:
    """The command over that world, in whose estate everybody of the seed's spec exists and nobody else."""
    return Command(LiveEstateReader(world.documents), entries=ESTATE)
