"""Bugs planted into both packages: that each area has its own, and a few of them; `make prove` plants all."""

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.mutants.areas import ROOT, areas, chosen, survivors
from tests.mutants.operators import Bug
from tests.mutants.runner import Fate, Found
from tests.mutants.whole import figures_of


@cache
def planted() -> list[Bug]:
    return [bug for area in areas() for bug in chosen(area)]


def test_each_area_has_its_bugs_and_no_bug_is_in_two() -> None:
    assert len(planted()) == sum(area.bugs for area in areas()) >= 600
    assert len({bug.name for bug in planted()}) == len(planted())


def test_each_area_names_tests_that_there_are() -> None:
    assert [test for area in areas() for test in area.tests if not (ROOT / test).exists()] == []


def test_each_survivor_is_planted_and_says_what_is_changed() -> None:
    texts = {bug.name: bug.text for bug in planted()}
    listed = {name: one.what for name, one in survivors().items()}
    assert listed == {name: texts.get(name, "is not planted") for name in listed}


def test_a_bug_that_one_path_alone_notices_is_named_with_it() -> None:
    area = next(one for one in areas() if len(one.tests) == 2)
    first, second, both, nobody = chosen(area)[:4]
    fates: list[tuple[str, Bug, Fate]] = [(area.name, bug, "caught") for bug in (first, second, both)]
    by = {first.name: area.tests[:1], second.name: area.tests[1:], both.name: area.tests}
    found = Found([*fates, (area.name, nobody, "survived")], [], by)
    assert figures_of(area, 4, found).alone == {area.tests[0]: [first.name], area.tests[1]: [second.name]}


@pytest.mark.thorough
def test_the_first_bugs_of_an_area_are_noticed_and_by_whom_is_said() -> None:
    command = [sys.executable, "-m", "tests.mutants", "--area", "import", "--most", "8"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search("alone by tests/unit/importing: [1-9]", ran.stdout)
