"""A private name that nothing else in its module mentions is dead; no linter says so of functions and constants."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("layers", "cli", "functions") for path in sorted((ROOT / folder).rglob("*.py"))]
# A function whose name also ends with an underscore is called by an enumeration's class.
_DEFINED = re.compile(r"^(?: *def|class|type) (_[A-Za-z]\w*)\b(?<!_)|^(_[A-Za-z]\w*)(?:: .+)? = ", re.MULTILINE)


def unused(source: str) -> list[str]:
    times = Counter(re.findall(r"\w+", source))
    return [name for found in _DEFINED.finditer(source) if times[name := found[1] or found[2]] == 1]


@pytest.mark.parametrize(
    ("source", "dead"),
    [
        ("def _a() -> None: ...\n", ["_a"]),
        ("class A:\n    def _a(self) -> None: ...\n", ["_a"]),
        ("_B: Final = 1\n", ["_B"]),
        ("type _C = int\n", ["_C"]),
        ("_B = 1\n\n\ndef b() -> int:\n    return _B\n", []),
        ("def __init__(self) -> None: ...\n", []),
        ("    def _missing_(cls, value: object) -> None: ...\n", []),
    ],
)
def test_a_name_is_dead_if_it_stands_only_where_it_is_defined(source: str, dead: list[str]) -> None:
    assert unused(source) == dead


def test_no_private_name_is_dead() -> None:
    assert len(SOURCES) > 300
    assert {path.name: dead for path in SOURCES if (dead := unused(path.read_text()))} == {}
