"""One emulator for the whole folder; each test has accounts of its own, so none can see another's traces."""

import itertools
from collections.abc import Iterator

import pytest

from local.aws.launcher import EmulatedAws
from tests.local.support import NewAccount

_numbers = itertools.count(300_000_000_001)


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
