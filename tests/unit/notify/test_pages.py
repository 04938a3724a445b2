"""What people read is what the pages in golden/ show."""

import pytest

from ecr_warden.notify.message import FIRST_LINE
from tests.unit.notify.pages import GOLDEN, NAMES, THREADS, page, thread


@pytest.mark.parametrize("name", NAMES)
def test_messages_read_as_their_page_shows(name: str) -> None:
    is_meant = "if it is meant: .venv/bin/python -m tests.unit.notify.pages, and read the diff"
    assert page(name) == (GOLDEN / f"{name}.txt").read_text(), is_meant


@pytest.mark.parametrize("name", NAMES)
def test_no_first_line_of_a_page_is_cut(name: str) -> None:
    subjects = [line for line in page(name).splitlines() if line.startswith("Subject: [ecr-warden] ")]
    assert [line for line in subjects if line.endswith("...")] == []
    assert all(len(line) <= len("Subject: [ecr-warden] ") + FIRST_LINE for line in subjects)
    assert subjects or name in ("words", "threads")


@pytest.mark.parametrize("name", THREADS)
def test_one_cause_is_one_thread_of_few_messages(name: str) -> None:
    heard = [message for _, message in thread(name)]
    assert 1 <= len(heard) <= {"200 tampers by three": 4, "an outsider who leaves an image": 5}.get(name, 3)
    assert len({message.incident for message in heard}) == 1
