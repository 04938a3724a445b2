"""The properties of `make fuzz`, within a small fixed budget."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from iam_access.document.document import DocumentError, parse_document
from tests import examples
from tests.fuzz import inputs
from tests.fuzz.properties import PROPERTIES


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.thorough] if one == "hostile" else []) for one in PROPERTIES]
)
def test_it_holds_for_any_input(name: str) -> None:
    inputs, holds, most = PROPERTIES[name]
    few = min(examples.number(25), most)
    settings(max_examples=few, deadline=None, suppress_health_check=list(HealthCheck))(given(inputs)(holds))()


@pytest.mark.thorough
def test_some_of_what_is_drawn_is_a_document_and_some_is_not() -> None:
    seen = examples.seen(200, inputs.documents(), by=lambda raw: [is_document(raw)])
    assert min(seen[True], seen[False]) > 20, seen


def is_document(raw: Any) -> bool:
    try:
        parse_document(raw)
    except DocumentError:
        return False
    return True
