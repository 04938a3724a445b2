"""The examples of docs/policy-engine.md do what they say, and its list of modules is complete."""

import doctest
import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "policy-engine.md"
_PACKAGE = _ROOT / "layers" / "access" / "iam_access"


def test_the_examples_run() -> None:
    results = doctest.testfile(str(_PAGE), module_relative=False)
    assert results.failed == 0
    assert results.attempted >= 12


def test_the_page_names_every_module() -> None:
    listed = _PAGE.read_text(encoding="utf-8").partition("\n## Modules\n")[2]
    others, _, compare = listed.partition("\nIn `compare/`")
    listed_in = {"compare": {*re.findall(r"`(\w+)`", compare)}}
    package = "iam_access"
    for line in others.splitlines():
        if found := re.match(r"\| (?:`(\w+)`)? ?\| ([^|]*) \|", line):
            package = found[1] or package
            listed_in.setdefault(package, set()).update(re.findall(r"`(\w+)`", found[2]))
    there = {
        folder.parent.name: {file.stem for file in folder.parent.glob("*.py")} - {"__init__"}
        for folder in (_PACKAGE / "__init__.py", *_PACKAGE.glob("*/__init__.py"))
    }
    assert {package: modules & listed_in.get(package, set()) for package, modules in there.items()} == there
