"""The examples of docs/policy-engine.md do what they say, and its list of modules is complete."""

import doctest
import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "policy-engine.md"
_PACKAGE = _ROOT / "layers" / "warden" / "ecr_warden" / "policy"


def test_the_examples_run() -> None:
    results = doctest.testfile(str(_PAGE), module_relative=False)
    assert results.failed == 0
    assert results.attempted >= 12


def test_the_page_names_every_module() -> None:
    listed = _PAGE.read_text(encoding="utf-8").partition("\n## Modules\n")[2]
    policy, _, compare = listed.partition("\nIn `compare/`")
    for folder, part in ((_PACKAGE, policy), (_PACKAGE / "compare", compare)):
        modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
        assert modules == {*re.findall(r"`(\w+)`", part)} & modules
