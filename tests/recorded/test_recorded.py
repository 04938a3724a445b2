"""Every recorded verdict is still the product's: a fixed choice in the gate, all of them in `make prove`."""

import os
from collections import Counter

import pytest

from tests.recorded.cases import Case, accepted, differences, faults, never_reached, read, some
from tests.recorded.verdicts import QUESTIONS, gist, verdict_on

IN_THE_GATE = 150
ACCEPTED_IN_THE_GATE = 20
MOST = 0.7


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return read()


def test_verdicts_are_as_recorded(cases: list[Case]) -> None:
    chosen = some(cases, IN_THE_GATE)
    assert faults(chosen, differences(chosen), accepted()) == []


@pytest.mark.thorough
def test_every_verdict_is_as_recorded(cases: list[Case]) -> None:
    assert faults(cases, differences(cases, processes=os.cpu_count() or 1), accepted()) == []


def test_cases_that_are_accepted_as_changed_exist_and_say_why(cases: list[Case]) -> None:
    listed = accepted()
    assert {" ".join(name.split()[:2]) for name in listed} <= {case.name for case in cases}
    assert all(listed.values())


def test_a_change_of_findings_that_is_accepted_takes_no_finding_away(cases: list[Case]) -> None:
    none_is_gone(some(accepted_findings(cases), ACCEPTED_IN_THE_GATE))


@pytest.mark.thorough
def test_no_change_of_findings_that_is_accepted_takes_a_finding_away(cases: list[Case]) -> None:
    none_is_gone(accepted_findings(cases))


def accepted_findings(cases: list[Case]) -> list[Case]:
    """Those whose change is accepted."""
    return [one for one in cases if one.question == "findings" and one.name in accepted()]


def none_is_gone(cases: list[Case]) -> None:
    """Each finding that was recorded is still one."""
    for case in cases:
        found = verdict_on(case.question, case.inputs)
        assert {*map(_kind_and_who, case.verdict["findings"])} <= {*map(_kind_and_who, found["findings"])}, case.name


def _kind_and_who(finding: str) -> tuple[str, ...]:
    """The kind, the access, the place and the principal, whichever way it is."""
    return tuple(finding.split()[:4])


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_answer_prevails(question: str, cases: list[Case]) -> None:
    answers = Counter(case.verdict["answer"] for case in cases if case.question == question)
    assert max(answers.values()) <= MOST * answers.total(), answers


def test_the_cases_have_every_code(cases: list[Case]) -> None:
    assert never_reached(cases) == set()


def test_a_difference_names_the_case_the_field_and_what_differs() -> None:
    case = Case("event 1", "event", {"event": "{}"}, {"answer": "malformed", "codes": ["job sweep-all"]})
    (found,) = differences([case])
    assert str(found) == "event 1 codes: no longer ['job sweep-all'], but []"
    assert faults([case], [found], {}) == [str(found)]
    assert faults([case], [found], {"event 1": "events are read otherwise"}) == []
    assert faults([case], [], {"event 1": "events are read otherwise"}) != []
    assert faults([case], [found], {"event 1 codes": "events are read otherwise"}) == []
    assert faults([case], [found], {"event 1 answer": "events are read otherwise"}) != []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('sts:ExternalId is "build-42"', "build-42 sts:ExternalId"),
        ('aws:SourceIp is not in "10.0.0.0/8"', "in not 10.0.0.0/8 aws:SourceIp"),
        ("anybody in account 111111111111", "anybody in 111111111111"),
        ("shop/app (222222222222, eu-central-1): it was lost", "222222222222 eu-central-1 shop/app"),
        ("arn:aws:iam::111111111111:user/ann gains pull", "gains pull arn:aws:iam::111111111111:user/ann"),
    ],
)
def test_of_a_sentence_the_names_and_what_turns_it_count(text: str, found: str) -> None:
    assert gist(text) == found
