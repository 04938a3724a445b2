"""Sizes against quotas, and the small words of messages."""

import pytest

from iam_access.document.document import parse_document, policy_size
from iam_access.text.printable import bounded, first, printable


def test_white_space_is_not_counted() -> None:
    text = '{"Statement":{"Sid":"ECR Repository Policy","Effect":"Deny","Action":"*"}}'
    assert policy_size(parse_document(f" \n{text}\t")) == len(text) - 2


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("plain", 10, "plain"),
        ("line\nbreak", 20, "line\\nbreak"),
        ("\u202eevil", 20, "\\u202eevil"),
        ("x" * 100, 10, "xxxxxxx..."),
        ("\x00" * 10, 10, "\\x00\\x0..."),
    ],
)
def test_text_from_outside_is_escaped_and_bounded(text: str, limit: int, expected: str) -> None:
    assert printable(text, limit) == expected


def test_letters_of_any_script_are_kept_where_people_chose_them() -> None:
    assert printable("Müller\n\u202e", ascii_only=False) == "Müller\\n\\u202e"
    assert printable("pushеr") == "push\\u0435r"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (f"user {'n' * 200} is not authorized", f"user {'n' * 157}... is not authorized"),
        ("word " * 200, "word " * 99 + "..."),
    ],
    ids=["a long name", "a long sentence"],
)
def test_a_sentence_loses_its_end_and_never_its_middle(sentence: str, expected: str) -> None:
    assert bounded(sentence) == expected


def test_what_a_list_leaves_out_is_counted() -> None:
    assert list(first("abcde", 3)) == ["a", "b", "and 3 more"]
    assert list(first("abc", 3)) == ["a", "b", "c"]
