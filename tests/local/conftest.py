"""One emulator for the whole folder; each test has accounts of its own, so none can see another's traces.

All are thorough: what the embedded AWS does changes with local/aws and with ministack alone.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.launcher import EmulatedAws
from tests.local.support import NewAccount

FOLDER = Path(__file__).parent
_numbers = itertools.count(300_000_000_001)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest gives those of all folders."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.thorough)


@pytest.fixture(scope="session")
def aws() -> Iterator[EmulatedAws]:
    """The running emulator."""
    with EmulatedAws() as running:
        yield running


@pytest.fixture
def new_account() -> NewAccount:
    """Gives an account that nobody has used."""
    return lambda: str(next(_numbers))


@pytest.fixture(autouse=True)
def without_faults(aws: EmulatedAws) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    aws.clear_faults()
