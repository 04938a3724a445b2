"""Worlds and commands for the tests of the command line."""

import pytest

from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld


@pytest.fixture
def world() -> MemoryWorld:
    """Two empty accounts."""
    return MemoryWorld()


@pytest.fixture
def command(world: MemoryWorld) -> Command:
    """The command over that world."""
    return Command(world.documents)
