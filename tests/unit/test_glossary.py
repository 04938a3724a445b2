"""The words that docs/glossary.md gives up are written nowhere."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs/glossary.md"
# The glossary itself, the history of changes, and hashes of packages.
EXEMPT = (
    "docs/glossary.md",
    "CHANGELOG.md",
    "tests/unit/test_glossary.py",
    "uv.lock",
)
# English in another sense, and names in stored JSON and items. Spaces stand for `_`, `-` and camel case.
ALLOWED = (
    "told apart",
    "code fence",
    "lease fence",
    "role not at spec",
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def unwanted() -> tuple[str, ...]:
    """The first column of the glossary's last section; words that are fine in another sense are left to readers."""
    section = GLOSSARY.read_text().rpartition("\n## ")[2]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")][1:]
    return tuple(word.strip() for cell in cells if "(" not in cell for word in cell.split(","))


def words_in(text: str) -> str:
    """The text with identifiers as words: `madeAgain` and `MADE_AGAIN` are "made again"."""
    return re.sub(r"[_\-]", " ", _CAMEL.sub(" ", text)).lower()


@cache
def _any() -> re.Pattern[str]:
    words = (r"\s+".join(word.split()) for word in unwanted())
    return re.compile(rf"\b(?:{'|'.join(words)})(?:s|d|ed)?\b")


def found(text: str) -> Iterator[tuple[int, str]]:
    """(line, word) of each unwanted word."""
    plain = words_in(text)
    for use in ALLOWED:
        plain = plain.replace(use, " ")
    for match in _any().finditer(plain):
        yield plain.count("\n", 0, match.start()) + 1, match[0]


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    texts = [path for path in listed if not path.endswith((".png", ".xz"))]
    return [path for path in texts if path not in EXEMPT and (ROOT / path).exists()]


def test_the_glossary_names_words_to_avoid() -> None:
    assert {"told", "made again", "stranger"} <= set(unwanted())


@pytest.mark.parametrize(
    ("text", "word"),
    [("it is told", "told"), ("left = madeAgain", "made again"), ("made\nagain", "made\nagain")],
)
def test_a_word_is_found_in_any_spelling(text: str, word: str) -> None:
    assert [one for _, one in found(text)] == [word]


def test_other_senses_and_stored_names_are_allowed() -> None:
    assert list(found("cannot be told apart; a toolbox; ```` is a code fence")) == []


def test_a_stored_name_is_allowed_nowhere_else() -> None:
    assert [word for _, word in found("def departed_owners")] == ["departed"]


def test_no_file_uses_a_word_that_was_given_up() -> None:
    texts = ((path, (ROOT / path).read_text()) for path in tracked())
    assert [f"{path}:{line}: {word}" for path, text in texts for line, word in found(text)] == []
