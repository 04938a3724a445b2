"""The properties of `make fuzz`, within a small fixed budget."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests import examples
from tests.fuzz.properties import PROPERTIES


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.thorough] if one == "hostile" else []) for one in PROPERTIES]
)
def test_it_holds_for_any_input(name: str) -> None:
    inputs, holds, most = PROPERTIES[name]
    few = min(examples.number(25), most)
    settings(max_examples=few, deadline=None, suppress_health_check=list(HealthCheck))(given(inputs)(holds))()
