"""One deployment for the whole folder; each test finds everything right."""

from collections.abc import Iterator

import pytest

from local.demo.quiet import Quiet
from local.demo.stage import standing
from tests.e2e.house import GUESTS, SEED, House


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The product in two accounts, with the seed's file accepted."""
    built = tmp_path_factory.mktemp("e2e") / "built"  # its own: the demo builds beside it, and so may another run
    with standing(lambda _: None, sweeps="rate(1 day)", guests=GUESTS, into=built) as stage:
        bare = House(stage, Quiet.of(stage), {})
        bare.upload(SEED)
        yield House(stage, bare.quiet, bare.documents())


@pytest.fixture
def house(deployed: House) -> House:
    """The same, settled."""
    deployed.settle()
    return deployed
