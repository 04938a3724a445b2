"""Moto for the adapters' own tests."""

from collections.abc import Iterator

import pytest

from tests.contracts.aws import moto
from tests.contracts.hubs import MotoHub
from tests.contracts.worlds import MotoWorld


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoWorld]:
    """Empty accounts on moto."""
    with moto(monkeypatch):
        yield MotoWorld()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoHub]:
    """A hub just deployed, on moto."""
    with moto(monkeypatch):
        yield MotoHub()
