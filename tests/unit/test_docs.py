"""Every link, path and name of code in the documentation leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tables

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
PAGES = [path for path in TRACKED if path.endswith(".md") and (ROOT / path).exists()]
# Where the paths of a page may begin: the repository, its package, the folder of the page.
PACKAGE = "layers/warden/ecr_warden"
_FOLDERS = {path.split("/")[0] for path in TRACKED if "/" in path} | {
    path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir()
}
_FILE = re.compile(r"[\w./-]+\.(?:py|md|jsonl|yaml)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_FOLDER = re.compile(r"(?:[\w.-]+/)+[\w.-]*")
# Names of ours: in any page those with an underscore, in the decisions also classes.
_SNAKE = re.compile(r"(?:\w+\.)*([a-z]+(?:_[a-z0-9]+)+)(?:\(\))?")
_CLASS = re.compile(r"(?:\w+\.)*([A-Z][a-z]+(?:[A-Z][a-z]+)*)(?:\(\))?")
# Files that readers make.
_THEIRS = {"access.yaml", "ecr-warden.yaml", "packaged.yaml", "boundary.yaml"}


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> Iterator[str]:
    outside_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", outside_code) if not link.startswith("http"))


def paths(text: str) -> Iterator[str]:
    """The paths between backticks."""
    for code in re.findall(r"`([^`\n]+)`", text):
        if (_FILE.fullmatch(code) and code not in _THEIRS) or (
            _FOLDER.fullmatch(code) and code.split("/")[0] in _FOLDERS
        ):
            yield code


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_somewhere(page: str) -> None:
    for link in links((ROOT / page).read_text()):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_each_path_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    # A file may be named without its folder where the text has said which.
    gone = [path for path in paths(text) if not any(f"/{path.rstrip('/')}" in f"/{one}" for one in TRACKED)]
    assert gone == []


@pytest.fixture(scope="module")
def words_of_code() -> set[str]:
    sources = [path for path in TRACKED if path.endswith((".py", ".yaml", ".toml")) and not path.startswith("tests/")]
    return {
        word for path in sources if (ROOT / path).exists() for word in re.findall(r"\w+", (ROOT / path).read_text())
    }


def names(page: str) -> Iterator[str]:
    """The names of code between a page's backticks."""
    forms = (_SNAKE, _CLASS) if page.startswith("docs/adr/") else (_SNAKE,)
    for code in re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()):
        yield from (found[1] for form in forms if (found := form.fullmatch(code)))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_each_name_of_code_exists(page: str, words_of_code: set[str]) -> None:
    assert [name for name in names(page) if name not in words_of_code] == []


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_a_page_names_exists(page: str) -> None:
    named = _TEST.findall((ROOT / page).read_text())
    assert [(path, name) for path, name in named if f"\ndef {name}(" not in (ROOT / path).read_text()] == []


def claims() -> dict[str, list[str]]:
    """The claims about attackers, by section."""
    sections = (part.partition("\n") for part in (ROOT / "docs/security.md").read_text().split("\n## ")[1:])
    found = {heading: re.findall(r"^- \*\*([^*]+)\*\*: .+$", text, re.MULTILINE) for heading, _, text in sections}
    return {heading: said for heading, said in found.items() if said and heading != "Remaining risks"}


def test_each_claim_about_an_attacker_names_its_tests_or_says_why_there_is_none() -> None:
    shown = tables.load((ROOT / "tests/cases/claims.yaml").read_text())
    assert {section: [*rows] for section, rows in shown.items()} == claims(), "tests/cases/claims.yaml"
    proofs = [
        (claim, kind, proof) for rows in shown.values() for claim, row in rows.items() for kind, proof in row.items()
    ]
    assert {claim for claim, _, _ in proofs} == {claim for said in claims().values() for claim in said}
    assert {kind for _, kind, _ in proofs} == {"A", "T", "C", "none"}
    assert [claim for claim, _, proof in proofs if not proof] == []
    named = [test.split("::") for _, kind, tests in proofs if kind != "none" for test in tests]
    assert len(named) > 100
    assert [(path, name) for path, name in named if f"\ndef {name}(" not in (ROOT / path).read_text()] == []


def test_each_invariant_names_the_code_that_keeps_it_and_its_tests() -> None:
    numbers = re.findall(r"^([0-9]+)\. \*\*", (ROOT / "docs/invariants.md").read_text(), re.MULTILINE)
    rows = tables.load((ROOT / "tests/cases/invariants.yaml").read_text())
    assert [*rows] == [*map(int, numbers)], "tests/cases/invariants.yaml"
    assert [number for number, row in rows.items() if not (row["code"] and row["tests"])] == []
    roots = (PACKAGE, "layers/access", "cli/ecr_warden_cli")
    code = [path for row in rows.values() for path in row["code"]]
    assert [path for path in code if not any((ROOT / root / path).exists() for root in roots)] == []
    assert [path for row in rows.values() for path in row["tests"] if not (ROOT / path).exists()] == []
