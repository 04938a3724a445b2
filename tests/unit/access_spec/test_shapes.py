"""Shapes that no field of the spec has, and those of ecr-warden.yaml do."""

import pytest

from ecr_warden.access_spec.check_shape import check_shape
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.parse import parse_text
from ecr_warden.access_spec.problems import ProblemReport
from ecr_warden.access_spec.shapes import Shape, TextShape, Whole

FORM = TextShape("an address", form="[a-z]+@[a-z]+", example="team@example")
CHOICES = Whole(7, 30, choices=(7, 14, 30))
CASES: dict[str, tuple[Shape, str, str]] = {
    "text of the form": (FORM, "me@here", ""),
    "text of another form": (FORM, "me", 'E026 1:1 "me" is not an address; write it as team@example'),
    "text that only begins so": (FORM, "me@here!", 'E026 1:1 "me@here!" is not an address; write it as team@example'),
    "no text": (FORM, "7", "E020 1:1 the number 7 instead of an address; write it as team@example"),
    "one of the numbers": (CHOICES, "14", ""),
    "another number": (CHOICES, "8", "E020 1:1 the number 8; write 7, 14 or 30"),
    "no number": (CHOICES, "x", 'E020 1:1 "x" is not a whole number; write 7, 14 or 30'),
}


@pytest.mark.parametrize("case", CASES)
def test_a_value_that_does_not_fit_is_met_by_what_to_write(case: str) -> None:
    shape, text, said = CASES[case]
    report = ProblemReport()
    tree = parse_text(text.encode(), report)
    assert tree is not None
    fits = isinstance(check_shape(tree, shape, report), Scalar)
    assert (fits, [str(problem) for problem in report.found]) == (not said, [said] if said else [])
