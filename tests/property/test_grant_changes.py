"""Who gains and who loses by a new version is what both versions' grants say, request by request, in every context."""

from collections import Counter
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_warden.audit.changes import access_changes
from ecr_warden.core.access_change import Direction
from ecr_warden.core.target import RepositoryTarget
from tests import examples
from tests.property.grants import CI, HOME, NAMED, REGION, REPOSITORIES, Drawn, specs
from tests.property.test_grants import MOMENTS, Moments, loaded, when, when_pushing

type Found = set[tuple[str, str, str, Direction]]

PEOPLE = {
    "ann": f"arn:aws:iam::{CI}:user/ann",
    "build": f"arn:aws:iam::{CI}:role/build",
    "carl": f"arn:aws:iam::{HOME}:user/carl",
}
KEYS = {name: RepositoryTarget(HOME, REGION, name.strip('"')).key for name in REPOSITORIES}


@st.composite
def versions(draw: st.DrawFn) -> tuple[Drawn, Drawn]:
    """Two versions that have most of their grants in common."""
    before, other = (draw(specs(pullers=NAMED, pushers=NAMED)) for _ in range(2))
    places = sorted({_place(drawn, at) for drawn in (before, other) for at in range(len(drawn.grants))})
    changed = draw(st.sets(st.sampled_from(places or [""]), max_size=3))
    grants = [
        drawn.grants[at]
        for drawn, is_new in ((before, False), (other, True))
        for at in range(len(drawn.grants))
        if (_place(drawn, at) in changed) is is_new
    ]
    return before, other._replace(grants=tuple(grants))


def _place(drawn: Drawn, at: int) -> str:
    """Grants of a role change together, for nobody may have two limits on one."""
    one = drawn.grants[at]
    return f"role {one.role}" if one.role else one.repository


class Version(NamedTuple):
    """When somebody pulls from a repository directly, and by role when it is of use there, and when it is assumed."""

    direct: Moments
    use: dict[str, Moments]
    assumed: dict[str, Moments]


def _version(drawn: Drawn, who: str, repository: str, access: str) -> Version:
    here = [one for one in drawn.grants if one.repository == repository]
    pulls = [one for one in here if one.who == who and not one.role and access == "pull"]
    roles = {one.role for one in here if one.role and (access == "push" or one.role in drawn.pulling)}
    of_role = {role: [one for one in drawn.grants if one.role == role] for role in roles}
    return Version(
        when(pulls),
        {role: when_pushing(grants) for role, grants in of_role.items()},
        {role: when(one for one in grants if one.who == who) for role, grants in of_role.items()},
    )


def _directions(pair: tuple[Drawn, Drawn], who: str, repository: str, access: str) -> set[Direction]:
    """The directions in which access changes in some choice of a moment for each request."""
    versions = [_version(drawn, who, repository, access) for drawn in pair]
    roles = sorted({role for one in versions for role in one.use})
    none: Moments = frozenset()

    def kinds(*asked: Moments) -> set[tuple[bool, ...]]:
        return {tuple(moment in one for one in asked) for moment in MOMENTS}

    at_repository = kinds(*(some for one in versions for some in (one.direct, *(one.use.get(r, none) for r in roles))))
    at_roles = [kinds(*(one.assumed.get(role, none) for one in versions)) for role in roles]
    found: set[Direction] = set()
    for here, *assumed in product(at_repository, *at_roles):
        size = 1 + len(roles)
        old, new = (
            held[0] or any(use and can[at] for use, can in zip(held[1:], assumed, strict=True))
            for at, held in enumerate((here[:size], here[size:]))
        )
        if old is not new:
            found.add(Direction.GAINS if new else Direction.LOSES)
    return found


def _expected(pair: tuple[Drawn, Drawn]) -> Found:
    return {
        (arn, KEYS[repository], access, direction)
        for who, arn in PEOPLE.items()
        for repository in REPOSITORIES
        for access in ("pull", "push")
        for direction in _directions(pair, who, repository, access)
    }


def _seen(pair: tuple[Drawn, Drawn]) -> Found:
    before, after = (loaded(drawn).compiled for drawn in pair)
    found = access_changes(before, after)
    assert found.undecided == ()
    return {
        (one.principal, one.repository, one.access, one.direction)
        for one in found.changes
        if one.principal in PEOPLE.values()
    }


@examples.of(20)
@given(versions())
def test_changes_are_what_both_versions_say(pair: tuple[Drawn, Drawn]) -> None:
    assert _seen(pair) == _expected(pair)


@pytest.mark.thorough
def test_changes_of_every_kind_are_drawn() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=40, database=None, derandomize=True)
    @given(versions())
    def draw(pair: tuple[Drawn, Drawn]) -> None:
        expected = _expected(pair)
        seen["none"] += not expected
        for who, repository, access, direction in expected:
            seen[f"{access}: {direction}"] += 1
            is_both = {(who, repository, access, one) for one in Direction} <= expected
            seen[f"{access}: gains at one time and loses at another"] += is_both

    draw()
    assert len(seen) == 7
    assert min(seen.values()) >= 5, seen
