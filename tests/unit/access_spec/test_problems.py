"""Every problem has its code, place and wording."""

import re
from pathlib import Path

import pytest
from boto3 import Session

from ecr_warden.access_spec import Code, Invalid, Problem, Valid, load_spec
from ecr_warden.access_spec.accounts import REGIONS, may_be_region
from tests.unit.access_spec.cases import ACCOUNTS, NOW, Case, problem_cases, wording_cases

CASES = problem_cases()
TESTED_BELOW = {"E001", "E002", "E007", "E008", "E012", "E222", "E401", "E402", "E403", "E404", "W515"}


def problems(data: str | bytes) -> tuple[Problem, ...]:
    loaded = load_spec(data if isinstance(data, bytes) else data.encode(), now=NOW)
    match loaded:
        case Valid(warnings=found) | Invalid(problems=found):
            return found


def places(data: str | bytes) -> list[tuple[str, int, int]]:
    return [(found.code, found.line, found.column) for found in problems(data)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_problem_is_reported_at_its_place(case: Case) -> None:
    assert places(case.text) == list(case.expected)
    refused = any(code.startswith("E") for code, _, _ in case.expected)
    assert isinstance(load_spec(case.text.encode(), now=NOW), Invalid) is refused


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(case: Case) -> None:
    assert places(b"\xef\xbb\xbf" + case.text.replace("\n", "\r\n").encode()) == list(case.expected)


def test_every_code_has_a_case() -> None:
    covered = {code for case in CASES for code, _, _ in case.expected} | TESTED_BELOW
    assert covered == {code.code for code in Code}


def test_codes_are_unique() -> None:
    codes = [code.code for code in Code]
    assert len(set(codes)) == len(codes) == len(list(Code.__members__))
    assert all(re.fullmatch("[EW][0-9]{3}", code) for code in codes)


def test_example_in_the_documentation_is_valid() -> None:
    example = documentation().partition("```yaml\n")[2].partition("```")[0]
    assert problems(example) == ()


def documentation() -> str:
    return (Path(__file__).parents[3] / "docs" / "spec.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("spec", "lines"), [pytest.param(*case, id=name) for name, *case in wording_cases()])
def test_line_says_what_is_wrong_and_what_to_do(spec: str, lines: list[str]) -> None:
    assert [found.at("access.yaml") for found in problems(spec)] == lines


def test_the_number_of_hints_is_bounded() -> None:
    names = ", ".join(f"deployrs{number}" for number in range(200))
    found = problems(f"{ACCOUNTS}\nrepositories: [{{name: a/b, account: registry, pull: [{names}]}}]")
    assert len(found) == 200
    assert sum("did you mean" in entry.message for entry in found) == 50
    assert all(entry.remedy for entry in found[50:])


def test_an_end_time_of_now_is_in_the_past() -> None:
    until = NOW.isoformat()
    push = f"[{{role: pusher, by: [deployers], until: {until}}}]"
    found = problems(f"{ACCOUNTS}\nrepositories: [{{name: a/b, account: registry, push: {push}}}]")
    assert [entry.code for entry in found] == ["W502"]


def test_a_repository_name_is_as_long_as_ecr_lets_it_be() -> None:
    """Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html (repositoryName)."""
    longest = "shop/".ljust(256, "a")
    assert [
        [entry.code for entry in problems(f"{ACCOUNTS}\nrepositories: [{{name: {name}, account: registry}}]")]
        for name in (longest, f"{longest}a")
    ] == [[], ["E111"]]


def test_known_regions_are_those_with_ecr() -> None:
    known = Session().get_available_regions("ecr")
    assert sorted(known) == sorted(REGIONS)
    assert all(map(may_be_region, known))


def test_text_of_the_spec_is_shown_on_one_line_and_shortened() -> None:
    (found,) = problems('version: 1\naccounts: {}\n"\\e[31m\\n' + "x" * 1000 + '": 1\n')
    assert str(found).isprintable()
    assert len(found.message) < 150


def test_problems_are_in_the_order_of_the_spec() -> None:
    found = problems(next(case.text for case in CASES if case.name == "every problem is reported at once"))
    assert list(found) == sorted(found, key=lambda entry: (entry.line, entry.column))
