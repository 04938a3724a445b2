"""Documents.scan: the same as reading each target, and what nobody asked for besides."""

from collections.abc import Iterable
from copy import replace

import pytest

from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, RepositoryPattern, TargetSpec
from ecr_warden.core.observed import Observation, Present, Unreadable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.documents import AccountUnread
from local.testing.seed import (
    CHECKOUT,
    CI,
    D3,
    D4,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    identity_document,
    identity_spec,
    repository_document,
    trust_document,
)
from tests.contracts.worlds import World

BARE, GONE = RepositoryTarget(HOME, "us-east-1", "bare"), RepositoryTarget(HOME, "eu-central-1", "gone")
REPOSITORIES = [
    TargetSpec(target, Extent.WHOLE, {repository_policy(target): repository_document()})
    for target in (CHECKOUT, BARE, GONE)
]
LITERAL, MISSING = RoleTarget(HOME, "legacy"), RoleTarget(HOME, "missing")
NODE, NOBODY, EXCLUSIVE = RoleTarget(CI, "eks-node"), UserTarget(CI, "nobody"), UserTarget(CI, "old-pusher")
ROLES = [
    TargetSpec(
        target,
        Extent.WHOLE,
        {role(target): SETTINGS, trust_policy(target): trust_document(), D3: identity_document()},
    )
    for target in (PUSHER, MISSING)
]
OWNERS = [
    identity_spec(LITERAL, Extent.NAMED, ["push", "absent"]),
    identity_spec(NODE, Extent.OURS, ["ecr-warden-pull"]),
    identity_spec(PUSH_USER, Extent.OURS, [D4.name, "ecr-warden-absent"]),
    identity_spec(NOBODY, Extent.OURS, [D4.name]),
    identity_spec(EXCLUSIVE, Extent.WHOLE, ["push", "absent"]),
]
ALL = [*REPOSITORIES, *ROLES, *OWNERS]


@pytest.fixture
def furnished(world: World) -> World:
    """Both accounts with targets in every state, each holding what its spec does not name too."""
    world.make(CHECKOUT)
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    world.make(BARE)
    world.make_role(PUSHER, replace(SETTINGS, max_session_duration=7200), trust_document(), tagged=True)
    world.attach(attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power"))
    world.make_role(LITERAL, replace(SETTINGS, path="/", boundary=None), trust_document(), tagged=False)
    world.attach(attached_policy(LITERAL, f"arn:aws:iam::{HOME}:policy/Other"))
    world.make_role(NODE, replace(SETTINGS, path="/", boundary=None), trust_document(), tagged=False)
    for user in (PUSH_USER, EXCLUSIVE):
        world.make(user)
        world.attach(attached_policy(user, f"arn:aws:iam::{CI}:policy/{user.name}"))
    for owner in (PUSHER, LITERAL, NODE, PUSH_USER, EXCLUSIVE):
        for name in ("push", "ecr-warden-pull", D4.name, D3.name):
            world.put(identity_policy(owner, name), identity_document())
    world.corrupt(identity_policy(PUSH_USER, D4.name), "{")
    return world


def by_target(scanned: Iterable[Observation | AccountUnread]) -> dict[Target, Observation]:
    """Of a scan that listed every account that it had to."""
    found: dict[Target, Observation] = {}
    for one in scanned:
        assert isinstance(one, Observation), one
        assert one.target not in found, "a target was reported twice"
        found[one.target] = one
    return found


def unread_of(
    scanned: Iterable[Observation | AccountUnread],
) -> tuple[dict[Target, Observation], list[tuple[str, str]]]:
    """What was observed, and the accounts that could not be listed, each with the kind of the reason."""
    found = list(scanned)
    unread = [one for one in found if isinstance(one, AccountUnread)]
    return by_target(one for one in found if one not in unread), [(one.account, one.error.code) for one in unread]


def test_scan_equals_read_for_every_target(furnished: World) -> None:
    found = by_target(furnished.documents.scan(ALL, accounts=(CI, HOME)))
    assert found == {spec.target: furnished.documents.read(spec) for spec in ALL}


def test_targets_of_accounts_that_are_not_searched_for_orphans_are_read_too(furnished: World) -> None:
    assert set(by_target(furnished.documents.scan(ALL, accounts=()))) == {spec.target for spec in ALL}


@pytest.mark.parametrize("searched", [(CI,), (HOME,), (CI, HOME), ()], ids=str)
def test_identities_with_policies_of_ours_are_found_in_the_searched_accounts(
    furnished: World, searched: tuple[str, ...]
) -> None:
    retired, old = RoleTarget(HOME, "retired-pusher"), UserTarget(CI, "old-ci")
    furnished.make_role(retired, SETTINGS, trust_document(), tagged=True)
    furnished.make_role(RoleTarget(HOME, "unrelated"), SETTINGS, trust_document(), tagged=False)
    furnished.make(UserTarget(CI, "unrelated"))
    furnished.put(identity_policy(UserTarget(CI, "unrelated"), "my-ecr-warden-like"), identity_document())
    furnished.make(old)
    furnished.put(identity_policy(old, "ecr-warden-pull"), identity_document())
    found = set(by_target(furnished.documents.scan(ALL, accounts=searched)))
    assert found - {spec.target for spec in ALL} == {target for target in (retired, old) if target.account in searched}


def test_account_whose_role_cannot_be_assumed_is_unreadable_and_stops_no_other(furnished: World) -> None:
    furnished.close(HOME)
    found, unread = unread_of(furnished.documents.scan(ALL, accounts=(CI, HOME)))
    assert set(found) == {spec.target for spec in ALL}
    for spec in ALL:
        states = {type(found[spec.target].documents[address]) for address in spec.documents}
        assert (states == {Unreadable}) == (spec.target.account == HOME)
    assert unread == [(HOME, "account-unreachable")]


@pytest.mark.parametrize("searched", [(CI,), (CI, HOME)], ids=str)
def test_an_account_whose_identities_cannot_be_listed_is_reported_once_and_its_repositories_are_read(
    furnished: World, searched: tuple[str, ...]
) -> None:
    furnished.hide_owners()
    found, unread = unread_of(furnished.documents.scan(ALL, accounts=searched))
    assert set(found) == {spec.target for spec in ALL}
    for spec in OWNERS:
        states = {type(found[spec.target].documents[address]) for address in spec.documents}
        assert states == {Unreadable} or spec.target.account not in searched
    for spec in REPOSITORIES:
        assert found[spec.target] == furnished.documents.read(spec)
    assert unread == [(account, "permission-missing") for account in searched]


def test_an_unreachable_account_that_is_not_searched_is_not_reported(furnished: World) -> None:
    furnished.close(HOME)
    assert set(by_target(furnished.documents.scan(ALL, accounts=(CI,)))) == {spec.target for spec in ALL}


def test_identity_is_found_however_the_spec_spells_its_name(furnished: World) -> None:
    spelled = UserTarget(CI, "Push-User")
    spec = identity_spec(spelled, Extent.OURS, ["ecr-warden-pull"])
    observation = by_target(furnished.documents.scan([spec], accounts=(CI,)))[spelled]
    assert isinstance(observation.documents[identity_policy(spelled, "ecr-warden-pull")], Present)
    assert {address.target for address in observation.documents} == {spelled}


def pattern(name: str, *excluded: str, region: str = "eu-central-1", account: str = HOME) -> RepositoryPattern:
    return RepositoryPattern(account, region, name, excluded, MustNotExist())


def test_repositories_that_fit_a_pattern_are_listed_each_once(world: World) -> None:
    for name in ("shop/a", "shop/b/c", "shop/secret", "web/a"):
        world.make(RepositoryTarget(HOME, "eu-central-1", name))
    world.make(RepositoryTarget(HOME, "us-east-1", "shop/a"))
    listing = world.documents.list_repositories([pattern("shop/*", "shop/secret"), pattern("*/a")])
    assert [target.name for target in listing.repositories] == ["shop/a", "shop/b/c", "web/a"]
    assert {target.region for target in listing.repositories} == {"eu-central-1"}
    assert listing.unread == ()


def test_a_pattern_of_an_unreachable_account_is_reported_and_stops_no_other(world: World) -> None:
    world.make(RepositoryTarget(CI, "eu-central-1", "shop/a"))
    world.make(RepositoryTarget(HOME, "eu-central-1", "shop/a"))
    world.close(HOME)
    closed, open_ = pattern("shop/*"), pattern("shop/*", account=CI)
    listing = world.documents.list_repositories([closed, open_])
    assert listing.repositories == (RepositoryTarget(CI, "eu-central-1", "shop/a"),)
    assert [entry for entry, _ in listing.unread] == [closed]
