"""The properties of `make fuzz`, within a small fixed budget."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.properties import PROPERTIES


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_for_any_input(name: str) -> None:
    inputs, holds, most = PROPERTIES[name]
    settings(max_examples=min(25, most), deadline=None, suppress_health_check=list(HealthCheck))(given(inputs)(holds))()
