"""What `sam build` made, installed on the emulator, with nothing else at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.launcher import EmulatedAws
from local.testing.installed import Installed, install
from local.testing.runtime_api import BuiltFunction


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A hub that was right and is left alone from here on: what happens then is done by the test's own functions."""
    with EmulatedAws() as aws:
        made = install(aws, tmp_path_factory.mktemp("artifact") / "built")
        made.pause()
        yield made


@pytest.fixture(scope="session")
def layer(installed: Installed) -> Path:
    """The unzipped layer with ecr_warden and all third-party code."""
    return installed.built / "WardenLayer" / "python"


@pytest.fixture(scope="session")
def access_layer(installed: Installed) -> Path:
    """The unzipped layer with iam_access alone."""
    return installed.built / "AccessLayer" / "python"


@pytest.fixture
def reconcile_function(installed: Installed) -> Iterator[BuiltFunction]:
    """A new container of reconcile."""
    with installed.function("reconcile") as function:
        yield function
