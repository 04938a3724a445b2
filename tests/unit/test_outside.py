"""Text from outside: what editors and shells add is stripped, unusable text is refused, and none of it is shown."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.outside import MAX_CHARACTERS, Environment, OutsideError, outside_text

URL = "https://hooks.example.com/T0/B0/s3cr3t"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(URL, id="as it is"),
        pytest.param(f"{URL}\n", id="a newline"),
        pytest.param(f"{URL}\r\n\r\n", id="newlines of Windows"),
        pytest.param(f"  \t{URL} \t", id="blanks"),
        pytest.param(f"\ufeff{URL}\n", id="a byte order mark"),
        pytest.param(f"\n\ufeff \ufeff{URL}", id="marks and blanks in turn"),
        pytest.param(f"\xa0{URL}\u3000", id="blanks of a word processor"),
        pytest.param(f"{URL}\x0c\x1f", id="blanks that are control characters"),
    ],
)
def test_what_an_editor_adds_is_stripped(given: str) -> None:
    assert outside_text(given, "the place") == URL


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param(" \ufeff\n ", "is empty", id="a mark and blanks"),
        pytest.param(b"s3cr3t", "is not text", id="bytes"),
        pytest.param(None, "is not text", id="no value"),
        pytest.param(17, "is not text", id="a number"),
        pytest.param([URL], "is not text", id="a list"),
        pytest.param(f"{URL}\n{URL}", "control or invisible", id="two lines"),
        pytest.param(f"s3cr3t\x00{URL}", "control or invisible", id="a NUL"),
        pytest.param("s3cr3t\x1b[31mred", "control or invisible", id="a terminal's code"),
        pytest.param(f"s3cr3t\u200b{URL}", "control or invisible", id="a character without width"),
        pytest.param(f"s3cr3t\u202e{URL}", "control or invisible", id="a change of direction"),
        pytest.param("s3cr3t\ufeffx", "control or invisible", id="a mark in the middle"),
        pytest.param("s3cr3t\udc80", "control or invisible", id="an undecodable byte of the environment"),
        pytest.param("s3cr3t" * MAX_CHARACTERS, "is longer than", id="too long"),
        pytest.param(URL + " " * MAX_CHARACTERS, "is longer than", id="too many blanks"),
    ],
)
def test_unusable_text_is_refused_without_being_shown(given: object, says: str) -> None:
    with pytest.raises(OutsideError) as caught:
        outside_text(given, "the webhook's secret ssm:/w", remedy="put it there again")
    assert caught.value.message.startswith("the webhook's secret ssm:/w ")
    assert says in caught.value.message
    assert caught.value.remedy == "put it there again"
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text())
def test_there_is_an_answer_or_the_named_error_and_an_answer_is_stable(given: str) -> None:
    try:
        text = outside_text(given, "there")
    except OutsideError:
        return
    assert text == text.strip()
    assert text.isprintable()
    assert outside_text(text, "there") == text


def environment(**variables: str) -> Environment:
    return Environment(variables)


def test_a_variable_is_read_as_other_text_from_outside() -> None:
    assert environment(X=" hub-1\n").required("X") == "hub-1"
    assert environment(X="\ufeffssm:/w ").optional("X") == "ssm:/w"


@pytest.mark.parametrize("variables", [{}, {"X": ""}, {"X": " \n"}, {"X": "a\x00b"}])
def test_a_variable_that_is_missing_or_unusable_is_named(variables: dict[str, str]) -> None:
    with pytest.raises(OutsideError, match=r"the function's variable X .*ecr-warden deploy"):
        Environment(variables).required("X")


@pytest.mark.parametrize("variables", [{}, {"X": ""}, {"X": " \n"}])
def test_a_variable_that_may_be_missing_is_empty_then(variables: dict[str, str]) -> None:
    assert Environment(variables).optional("X") == ""


def test_one_that_may_be_missing_is_refused_all_the_same() -> None:
    with pytest.raises(OutsideError, match="control or invisible"):
        environment(X="ssm:/\x00").optional("X")


def test_seconds_are_digits() -> None:
    assert environment(X="60\n").seconds("X") == timedelta(seconds=60)


@pytest.mark.parametrize("value", ["-1", "+1", "1.5", "1e3", "\u0661", "sixty", "9" * 6, "9" * 4000, "1_0"])
def test_what_is_not_a_number_of_seconds_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(OutsideError, match="X is not a number of seconds") as caught:
        environment(X=value).seconds("X")
    assert repr(value) not in str(caught.value)
