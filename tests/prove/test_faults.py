"""A fixed part of the fault matrix; `make prove` tries the whole."""

import pytest

from tests import examples
from tests.prove.faults import Case, Fault, Kind, Report, of_scene, pairs, tried, undisturbed
from tests.prove.scenes import SCENES

ONE_IN = 3_200 // examples.number(50)


@pytest.mark.parametrize("case", SCENES)
def test_whatever_fails_access_is_as_the_spec_says_and_everybody_hears_of_every_write(case: str) -> None:
    report = of_scene(case, number_of_pairs=3, one_in=ONE_IN)
    assert report.cases
    assert report.fired >= report.cases
    assert (report.diverged, report.silent, report.extra_writes) == ((), (), 0)


def test_a_fault_that_does_not_happen_fails_its_case() -> None:
    scene = "a repository is repaired"
    expected = undisturbed(scene)
    late = Case(scene, (Fault(Kind.RESET, len(expected.calls) + 1),))
    assert tried(late, expected).fired == 0
    assert tried(Case(scene, (Fault(Kind.RESET, 1),)), expected).fired == 1


def test_a_lasting_fault_exhausts_a_job_and_people_hear_of_it() -> None:
    scene = "a repository is repaired"
    expected = undisturbed(scene)
    found = tried(Case(scene, (Fault(Kind.KILLED_BEFORE, 2, lasts=True),)), expected)
    assert found.exhausted == 1
    assert (found.wrong, found.silent) == ((), ())
    assert tried(Case(scene, (Fault(Kind.KILLED_BEFORE, 2),)), expected).exhausted == 0


def test_the_second_fault_of_a_pair_happens_too() -> None:
    scene = "a role with its trust policy and permissions"
    expected = undisturbed(scene)
    found = [tried(case, expected).fired for case in pairs(scene, expected, 6)]
    assert found
    assert set(found) == {2}


PAIRS = {
    "an announcement that is lost, and then a read": (Fault(Kind.RESET, 13), Fault(Kind.UNANSWERED, 17)),
    "a process that dies before its last read, and then a read": (
        Fault(Kind.KILLED_BEFORE, 12),
        Fault(Kind.UNANSWERED, 15),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_an_interrupted_run_may_have_written_is_reported_though_it_cannot_be_read(name: str) -> None:
    scene = "a repository is repaired"
    found = tried(Case(scene, PAIRS[name]), undisturbed(scene))
    assert (found.fired, found.wrong, found.silent) == (2, (), ())


def test_reports_are_joined_field_by_field() -> None:
    one, other = Report(1, 2, 3, ("a",), (), 4), Report(5, 6, 7, (), ("b",), 8)
    assert one.joined(other) == Report(6, 8, 10, ("a",), ("b",), 12)


AUDITS = {
    "the mark that it was begun is kept, and nobody hears so": (Fault(Kind.UNANSWERED, 14, lasts=True),),
    "it dies once, and then a call is denied": (Fault(Kind.KILLED_AFTER, 19), Fault(Kind.DENIED, 30)),
    "it dies twice": (Fault(Kind.KILLED_BEFORE, 18), Fault(Kind.KILLED_BEFORE, 26)),
}


@pytest.mark.parametrize("name", AUDITS)
def test_what_an_audit_finds_is_said_whatever_became_of_the_first_ones(name: str) -> None:
    scene = "a survey and its proof"
    found = tried(Case(scene, AUDITS[name]), undisturbed(scene))
    assert (found.fired, found.wrong, found.silent) == (len(AUDITS[name]), (), ())
