"""What earlier versions of ecr-warden took: an error in a new version, and a warning in the accepted one."""

from collections.abc import Iterable
from typing import Any

import pytest

from ecr_warden.access_spec import Invalid, Problem, Valid, load_spec
from tests import tables
from tests.unit.access_spec.cases import ACCOUNTS, CASES, NOW

GONE: dict[str, dict[str, Any]] = tables.load((CASES / "gone.yaml").read_text(encoding="utf-8"))


def _said(problems: Iterable[Problem]) -> list[str]:
    return [f"{found.code} {found.message}; {found.remedy}" for found in problems]


@pytest.mark.parametrize("name", GONE)
def test_a_new_version_must_not_say_it_and_hears_what_to_write(name: str) -> None:
    loaded = load_spec(f"{ACCOUNTS}\n{GONE[name]['spec']}".encode(), now=NOW)
    assert isinstance(loaded, Invalid)
    assert sorted(_said(loaded.problems)) == GONE[name]["problems"]


@pytest.mark.parametrize("name", GONE)
def test_the_accepted_version_goes_on_and_is_warned_of(name: str) -> None:
    row = GONE[name]
    texts = row["spec"], row.get("goes on as", row["spec"])
    loaded, expected = (load_spec(f"{ACCOUNTS}\n{text}".encode(), now=NOW, accepted=True) for text in texts)
    assert isinstance(loaded, Valid) and isinstance(expected, Valid)
    assert sorted(_said(loaded.warnings)) == sorted("W515" + problem[4:] for problem in row["problems"])
    assert loaded.compiled == expected.compiled
