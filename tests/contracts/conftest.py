"""Each test runs on the memory adapter and on the boto3 adapter over moto."""

from collections.abc import Iterator

import pytest

from tests.contracts.aws import moto
from tests.contracts.hubs import HUBS, Hub, MotoHub
from tests.contracts.worlds import WORLDS, World


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two empty accounts and who can change them."""
    with moto(monkeypatch):
        yield WORLDS[request.param]()


@pytest.fixture(params=list(HUBS))
def hub(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub just deployed: nothing accepted, nothing in its queues."""
    with moto(monkeypatch):
        yield HUBS[request.param]()


@pytest.fixture
def moto_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoHub]:
    """One over moto alone, for what memory has not."""
    with moto(monkeypatch):
        yield MotoHub()
