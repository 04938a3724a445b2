"""What people read is what the pages in golden/ show."""

import pytest

from tests.unit.notify.pages import GOLDEN, NAMES, page


@pytest.mark.parametrize("name", NAMES)
def test_messages_read_as_their_page_shows(name: str) -> None:
    is_meant = "if it is meant: .venv/bin/python -m tests.unit.notify.pages, and read the diff"
    assert page(name) == (GOLDEN / f"{name}.txt").read_text(), is_meant
