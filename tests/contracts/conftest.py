"""Each contract runs on the memory adapter and on the boto3 adapter over moto."""

from collections.abc import Iterator

import pytest

from tests.contracts.aws import moto
from tests.contracts.hubs import Hub, MemoryHub, MotoHub
from tests.contracts.worlds import MemoryWorld, RealisticWorld, World


@pytest.fixture(params=["memory", "moto"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two empty accounts, and somebody with every right in them."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    with moto(monkeypatch):
        yield RealisticWorld()


@pytest.fixture(params=["memory", "moto"])
def hub(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub just deployed: nothing accepted, empty queues."""
    if request.param == "memory":
        yield MemoryHub()
        return
    with moto(monkeypatch):
        yield MotoHub()


@pytest.fixture
def moto_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoHub]:
    """A hub on moto, for what memory does not have."""
    with moto(monkeypatch):
        yield MotoHub()
