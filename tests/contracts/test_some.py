"""EstateReader.some: what plans are made from is the same as reading each target, and what nobody asked for besides."""

from copy import replace

import pytest

from ecr_warden.collect.observed import NotRead
from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, RepositoryPattern, TargetSpec
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing, TargetNotFound
from ecr_warden.core.observed import Observation, Present, Unparseable, Unreadable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from iam_access.inventory.inventory import Unread
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
from tests.contracts.worlds import MemoryWorld, MotoWorld, World, read_of

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


def test_what_is_read_of_many_is_what_is_read_of_each(furnished: World) -> None:
    accounts = read_of(furnished, ALL)
    for spec in ALL:
        assert _without_words(accounts.observe(spec)) == _without_words(furnished.documents.read(spec))


def _without_words(found: Observation) -> Observation:
    """What is wrong with a text may be said in other words."""
    documents = {
        at: replace(seen, error="") if isinstance(seen, Unparseable) else seen for at, seen in found.documents.items()
    }
    return replace(found, documents=documents)


def test_identities_with_policies_of_ours_are_found(furnished: World) -> None:
    retired, old = RoleTarget(HOME, "retired-pusher"), UserTarget(CI, "old-ci")
    furnished.make_role(retired, SETTINGS, trust_document(), tagged=True)
    elsewhere = replace(SETTINGS, path="/", boundary=None)
    furnished.make_role(RoleTarget(HOME, "unrelated"), elsewhere, trust_document(), tagged=False)
    furnished.make(UserTarget(CI, "unrelated"))
    furnished.put(identity_policy(UserTarget(CI, "unrelated"), "my-ecr-warden-like"), identity_document())
    furnished.make(old)
    furnished.put(identity_policy(old, "ecr-warden-pull"), identity_document())
    accounts, named = read_of(furnished, ALL), {spec.target.key for spec in ALL}
    assert [found.target for account in (HOME, CI) for found in accounts.orphans(account, named)] == [retired, old]
    kept = {one.name for account in (HOME, CI) for one in accounts.listed(account).identities.values()}
    assert "unrelated" not in kept, "a small function reads large accounts"


def test_account_whose_role_cannot_be_assumed_is_unreadable_and_stops_no_other(furnished: World) -> None:
    furnished.close(HOME)
    accounts = read_of(furnished, ALL)
    for spec in ALL:
        found = accounts.observe(spec)
        states = {type(found.documents[address]) for address in spec.documents}
        assert (states == {Unreadable}) == (spec.target.account == HOME)
    with pytest.raises(AccountUnreachable):
        accounts.listed(HOME)


def test_repositories_are_read_where_users_and_roles_cannot_be_listed(furnished: World) -> None:
    furnished.hide_owners()
    accounts = read_of(furnished, ALL)
    for spec in (*OWNERS, *ROLES):
        found = accounts.observe(spec)
        assert {type(found.documents[address]) for address in spec.documents} == {Unreadable}
        with pytest.raises(PermissionMissing):
            accounts.listed(spec.target.account)
    for spec in REPOSITORIES:
        assert accounts.observe(spec) == furnished.documents.read(spec)


def test_identity_is_found_however_the_spec_spells_its_name(furnished: World) -> None:
    spelled = UserTarget(CI, "Push-User")
    spec = identity_spec(spelled, Extent.OURS, ["ecr-warden-pull"])
    observation = read_of(furnished).observe(spec)
    assert isinstance(observation.documents[identity_policy(spelled, "ecr-warden-pull")], Present)
    assert {address.target for address in observation.documents} == {spelled}


def test_what_nobody_asked_for_is_unknown(furnished: World) -> None:
    """Not missing: nobody looked."""
    accounts = read_of(furnished, (), accounts=(CI,))
    for spec in (*REPOSITORIES, *ROLES):
        assert {type(found) for found in accounts.observe(spec).documents.values()} == {Unreadable}
    with pytest.raises(NotRead):
        accounts.listed(HOME)


def pattern(name: str, *excluded: str, region: str = "eu-central-1", account: str = HOME) -> RepositoryPattern:
    return RepositoryPattern(account, region, name, excluded, MustNotExist())


def test_repositories_that_fit_a_pattern_are_listed_each_once(world: World) -> None:
    for name in ("shop/a", "shop/b/c", "shop/secret", "web/a"):
        world.make(RepositoryTarget(HOME, "eu-central-1", name))
    world.make(RepositoryTarget(HOME, "us-east-1", "shop/a"))
    patterns = [pattern("shop/*", "shop/secret"), pattern("*/a")]
    listing = world.documents.list_repositories(patterns)
    assert read_of(world, patterns=patterns).listing(patterns) == listing
    assert [target.name for target in listing.repositories] == ["shop/a", "shop/b/c", "web/a"]
    assert {target.region for target in listing.repositories} == {"eu-central-1"}
    assert listing.unread == ()


def test_a_pattern_of_an_unreachable_account_is_reported_and_stops_no_other(world: World) -> None:
    world.make(RepositoryTarget(CI, "eu-central-1", "shop/a"))
    world.make(RepositoryTarget(HOME, "eu-central-1", "shop/a"))
    world.close(HOME)
    closed, open_ = pattern("shop/*"), pattern("shop/*", account=CI)
    for listing in (
        world.documents.list_repositories([closed, open_]),
        read_of(world, patterns=[closed, open_]).listing([closed, open_]),
    ):
        assert listing.repositories == (RepositoryTarget(CI, "eu-central-1", "shop/a"),)
        assert [(entry, error.code) for entry, error in listing.unread] == [(closed, "account-unreachable")]


GITLAB = f"arn:aws:iam::{HOME}:oidc-provider/gitlab.example.com"


def test_identity_providers_are_read_with_their_audiences_or_are_unknown(world: World) -> None:
    match world:
        case MemoryWorld():
            world.documents.oidc[GITLAB] = ("a", "b")
        case MotoWorld():
            url = f"https://{GITLAB.partition(':oidc-provider/')[2]}"
            world.iam(HOME).create_open_id_connect_provider(Url=url, ClientIDList=["a", "b"], ThumbprintList=["0" * 40])
    assert read_of(world).providers() == {HOME: {GITLAB: ("a", "b")}, CI: {}}
    world.close(HOME)
    if isinstance(world, MotoWorld):
        vars(world).pop("accounts"), vars(world).pop("reader")
    assert read_of(world).providers() == {HOME: Unread("identity providers", "account-unreachable"), CI: {}}


def test_the_tags_of_each_repository_are_read_by_themselves(world: World) -> None:
    world.make(CHECKOUT)
    world.tag(CHECKOUT, "team", "shop")
    gone = replace(CHECKOUT, name="gone")
    found = world.reader.tags((CHECKOUT, gone))
    assert found[CHECKOUT] == {"team": "shop"}
    assert isinstance(found[gone], TargetNotFound)
    assert world.reader.tags(()) == {}
