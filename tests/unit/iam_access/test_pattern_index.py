"""An index of patterns finds what trying each of them finds, in the order in which they were added."""

import pytest

from iam_access.document.pattern_index import PatternIndex
from iam_access.document.variables import literal_glob

PATTERNS = ("*", "shop/*", "shop/app", "shop/a?p", "?hop/app", "shop/app*", "*app", "shop/${x}", "", "shop/app")
TEXTS = ("shop/app", "shop/web", "shop/a?p", "shop/${x}", "other", "", "*")


@pytest.mark.parametrize("text", TEXTS)
def test_an_index_finds_the_values_of_all_patterns_that_match(text: str) -> None:
    index = PatternIndex[int]()
    for number, pattern in enumerate(PATTERNS):
        index.add(pattern, number)
    expected = [number for number, pattern in enumerate(PATTERNS) if literal_glob(pattern).matches(text)]
    assert sorted(index.matching(text)) == expected


def test_what_names_the_text_itself_comes_first_and_patterns_as_they_were_added() -> None:
    index = PatternIndex[str]()
    for pattern in ("shop/*", "*", "shop/app", "s*", "shop/*"):
        index.add(pattern, pattern)
    assert list(index.matching("shop/app")) == ["shop/app", "shop/*", "shop/*", "*", "s*"]
