"""What earlier versions of ecr-warden took: an error in a new version, and a warning in the accepted one."""

import pytest

from ecr_warden.access_spec import Code, Invalid, Valid, load_spec
from tests.unit.access_spec.cases import ACCOUNTS, NOW

# What a spec says, the problem of a new version, and a spec that says what goes on being enforced.
GONE = {
    "exact": (
        "settings: {mode: enforce, exact: true}",
        "E030 4:27 exact of settings is gone; remove it: a document that is written differently and allows the same is "
        "never rewritten",
        "settings: {mode: enforce}",
    ),
    "end_sessions": (
        "settings: {mode: enforce, end_sessions: all}",
        "E030 4:27 end_sessions of settings is gone; remove it: once a trust policy is narrowed, sessions end that "
        "were issued since it was last read in sync",
        "settings: {mode: enforce}",
    ),
}


@pytest.mark.parametrize("name", GONE)
def test_a_new_version_must_not_say_it_and_is_told_what_to_write(name: str) -> None:
    before, problem, _ = GONE[name]
    loaded = load_spec(f"{ACCOUNTS}\n{before}".encode(), now=NOW)
    assert isinstance(loaded, Invalid)
    assert [str(found) for found in loaded.problems] == [problem]


@pytest.mark.parametrize("name", GONE)
def test_the_accepted_version_goes_on_and_is_warned_of(name: str) -> None:
    before, problem, after = GONE[name]
    loaded = load_spec(f"{ACCOUNTS}\n{before}".encode(), now=NOW, accepted=True)
    expected = load_spec(f"{ACCOUNTS}\n{after}".encode(), now=NOW)
    assert isinstance(loaded, Valid) and isinstance(expected, Valid)
    assert [str(found) for found in loaded.warnings] == [Code.ONCE_VALID.code + problem[4:]]
    assert loaded.compiled == expected.compiled
