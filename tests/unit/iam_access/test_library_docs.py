"""The examples of the library's README do what they say, and its list of modules is complete."""

import doctest
import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "layers" / "access" / "README.md"
_PACKAGE = _PAGE.parent / "iam_access"


def test_the_examples_run() -> None:
    results = doctest.testfile(str(_PAGE), module_relative=False)
    assert results.failed == 0
    assert results.attempted >= 9


def test_the_page_names_every_module() -> None:
    listed = _PAGE.read_text(encoding="utf-8").partition("\n## Modules\n")[2]
    listed_in: dict[str, set[str]] = {}
    package = "iam_access"
    for line in listed.splitlines():
        if found := re.match(r"\| (?:`(\w+)`)? ?\| ([^|]*) \|", line):
            package = found[1] or package
            listed_in.setdefault(package, set()).update(re.findall(r"`(\w+)`", found[2]))
    there = {
        folder.parent.name: {file.stem for file in folder.parent.glob("*.py")} - {"__init__"}
        for folder in (_PACKAGE / "__init__.py", *_PACKAGE.glob("*/__init__.py"))
    }
    assert {package: modules & listed_in.get(package, set()) for package, modules in there.items()} == there
