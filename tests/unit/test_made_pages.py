"""The pages that show tables of the code show what the code has."""

from pathlib import Path

import pytest

from tools.make_pages import written


@pytest.mark.parametrize(("page", "text"), written().items(), ids=lambda one: getattr(one, "name", ""))
def test_a_page_shows_the_tables_of_the_code(page: Path, text: str) -> None:
    assert page.read_text(encoding="utf-8") == text, "run: make schema"
