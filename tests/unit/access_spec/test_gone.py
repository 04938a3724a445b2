"""What earlier versions of ecr-warden took: an error in a new version, and a warning in the accepted one."""

from collections.abc import Iterable

import pytest

from ecr_warden.access_spec import Invalid, Problem, Valid, load_spec
from tests.unit.access_spec.cases import ACCOUNTS, NOW

NO_ADMIN = "the spec makes nobody an administrator"
ANNA = "ci:user/anna"
ONE_BY = "remove it: write by: at one repository of the role, and at the others the role's name alone"
TWO_BYS = (
    'E204 the role "one" also pushes to the repository on line 4; everyone under either by: could push to both: give '
    "each its own role, or write by: at one of them and at the other the role's name alone"
)
_A, _B = (f"{{name: shop/{name}, account: registry, push: [{{role: one" for name in "ab")
_SHARED, _B_ALONE = "shared_role: true}]}", "{name: shop/b, account: registry, push: [one]}"
_ADMIN = "{Statement: {Effect: Allow, Action: 'iam:PutUserPolicy', Resource: '*'}}"
_OF_ANNA = "kind: identity-policy, account: ci, user: anna, name: n"
# What a spec says, the problems of a new version, and a spec that says what goes on being enforced.
GONE: dict[str, tuple[str, list[str], str]] = {
    "exact": (
        "settings: {mode: enforce, exact: true}",
        [
            "E030 exact of settings is gone; remove it: a document that is written differently and allows the same is "
            "never rewritten"
        ],
        "settings: {mode: enforce}",
    ),
    "end_sessions": (
        "settings: {mode: enforce, end_sessions: all}",
        [
            "E030 end_sessions of settings is gone; remove it: once a trust policy is narrowed, sessions end that were "
            "issued since it was last read in sync"
        ],
        "settings: {mode: enforce}",
    ),
    "on_remove": (
        "repositories: [{name: shop/a, account: registry, on_remove: release}]",
        [
            "E030 on_remove of a repository is gone; remove it: what was enforced loses its policy when it leaves the "
            "spec; to hand the policy over, set mode: observe in one version and remove the repository in a later one"
        ],
        "repositories: [{name: shop/a, account: registry}]",
    ),
    "shared_role, with a by": (
        f"repositories: [{_A}, by: [{ANNA}], {_SHARED}, {_B}, by: [{ANNA}], {_SHARED}]",
        [*[f"E030 shared_role of a push is gone; {ONE_BY}"] * 2, TWO_BYS],
        f"repositories: [{_A}, by: [{ANNA}]}}]}}, {_B_ALONE}]",
    ),
    "shared_role, with two": (
        f"repositories: [{_A}, by: [{ANNA}], {_SHARED}, {_B}, by: [ci:user/bob], {_SHARED}]",
        [*[f"E030 shared_role of a push is gone; {ONE_BY}"] * 2, TWO_BYS],
        f"repositories: [{_A}, by: [{ANNA}, ci:user/bob]}}]}}, {_B_ALONE}]",
    ),
    "also_allowed, with an end in the past": (
        f"also_allowed: [{{principals: [{ANNA}], reason: why, until: 2026-11-01T00:00:00Z}}]",
        [
            'E221 "2026-11-01T00:00:00Z" is in the past; its access is a finding again: remove the entry, or change '
            "the time"
        ],
        f"also_allowed: [{{principals: [{ANNA}], reason: why, until: 2026-11-01T00:00:00Z}}]",
    ),
    "allow_admin": (
        f"documents: [{{{_OF_ANNA}, allow_admin: true, document: {_ADMIN}}}]",
        [
            f"E030 allow_admin of an identity-policy document is gone; remove it: {NO_ADMIN}",
            "E305 statement 1 makes user/111111111111/anna an administrator of the account; allow less, or give such a "
            f"policy by other means: {NO_ADMIN}",
        ],
        f"documents: [{{{_OF_ANNA}, document: {_ADMIN}}}]",
    ),
}


def _said(problems: Iterable[Problem]) -> list[str]:
    return [f"{found.code} {found.message}; {found.remedy}" for found in problems]


@pytest.mark.parametrize("name", GONE)
def test_a_new_version_must_not_say_it_and_hears_what_to_write(name: str) -> None:
    before, problems, _ = GONE[name]
    loaded = load_spec(f"{ACCOUNTS}\n{before}".encode(), now=NOW)
    assert isinstance(loaded, Invalid)
    assert sorted(_said(loaded.problems)) == problems


@pytest.mark.parametrize("name", GONE)
def test_the_accepted_version_goes_on_and_is_warned_of(name: str) -> None:
    before, problems, after = GONE[name]
    loaded, expected = (load_spec(f"{ACCOUNTS}\n{text}".encode(), now=NOW, accepted=True) for text in (before, after))
    assert isinstance(loaded, Valid) and isinstance(expected, Valid)
    assert sorted(_said(loaded.warnings)) == sorted("W515" + problem[4:] for problem in problems)
    assert loaded.compiled == expected.compiled
