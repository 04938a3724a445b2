"""What is typed wrong, and what is said of it: tests/cases/wrong_input.yaml."""

from collections.abc import Mapping
from typing import Any

from tests import tables
from tests.template.cfn import ROOT

type Wrong = Mapping[str, Any]

WRONG: dict[str, list[Wrong]] = tables.load((ROOT / "tests" / "cases" / "wrong_input.yaml").read_text())


def name_of(case: Wrong) -> str:
    """What is wrong."""
    return str(case["name"])
