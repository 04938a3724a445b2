"""One deployment by sam, as contributors deploy, for the whole folder; each test finds everything right.

All are thorough but the journeys: what each shows of a whole is decided and asserted below (docs/adr/0008).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo.quiet import Quiet
from local.demo.stage import standing_by_sam
from tests.e2e.house import EMAIL, GUESTS, SEED, House

FOLDER = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest gives those of all folders."""
    for item in items:
        if FOLDER in item.path.parents and item.get_closest_marker("journey") is None:
            item.add_marker(pytest.mark.thorough)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The product in two accounts, with the seed's file accepted."""
    built = tmp_path_factory.mktemp("e2e") / "built"  # its own: the demo builds beside it, and so may another run
    with standing_by_sam("rate(1 day)", GUESTS, built, EMAIL) as stage:
        bare = House(stage, Quiet.of(stage), {})
        bare.upload(SEED)
        yield House(stage, bare.quiet, bare.documents())


@pytest.fixture
def house(deployed: House) -> House:
    """The same, settled."""
    deployed.settle()
    return deployed
