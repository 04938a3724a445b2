"""The examples of docs/policy-engine.md do what they say."""

import doctest
from pathlib import Path

_PAGE = Path(__file__).parents[3] / "docs" / "policy-engine.md"


def test_the_examples_run() -> None:
    results = doctest.testfile(str(_PAGE), module_relative=False)
    assert results.failed == 0
    assert results.attempted >= 12
