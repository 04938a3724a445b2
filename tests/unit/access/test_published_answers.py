"""Every published question about access has the answer that AWS's documentation gives."""

import re

import pytest

from bench.answers import FOLDER, Asked, Row, estates

ALL = list(estates())


def _name(row: Row) -> str:
    return " ".join(str(row[part]) for part in ("ask", "access", "repository", "principal") if part in row)


# Of these there are hundreds, or each takes long.
_MANY = ("conditions", "carried")


@pytest.mark.parametrize(
    "asked",
    [pytest.param(one, id=one.name, marks=[pytest.mark.thorough] if one.name in _MANY else []) for one in ALL],
)
def test_every_answer_is_right(asked: Asked) -> None:
    wrong = {_name(row): found for row in asked.rows if (found := asked.mistake(row)) is not None}
    assert wrong == {}


@pytest.mark.thorough
def test_a_wrong_answer_would_be_seen() -> None:
    others = {"yes": "no", "no": "yes", "conditional": "no", "unknown": "no"}
    for asked in ALL:
        row = next(row for row in asked.rows if row["ask"] != "who-can")
        if row["ask"] == "what-if":
            assert asked.mistake(row | {"gains": ["nobody web"]}) is not None
        else:
            assert asked.mistake(row | {"answer": others[row["answer"]]}) == row["answer"]


def test_the_page_says_how_many_and_names_every_source() -> None:
    page = (FOLDER / "README.md").read_text()
    rows = [row for asked in ALL for row in asked.rows]
    assert f"{len(rows)} questions" in page
    assert {f"`{row['source']}`" for row in rows} <= {*re.findall(r"`[a-z-]+`", page.partition("## Sources")[2])}
    assert all(row["why"] for row in rows)
    assert {f"`{asked.name}`" for asked in ALL} == {
        *re.findall(r"^\| (`[a-z-]+`) \| ", page.partition("## Format")[0], re.M)
    }
