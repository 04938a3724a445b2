"""Going back to an older spec: what the newer one opened is closed, or listed as left."""

from collections.abc import Callable

import pytest

from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.address import Address
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository
from ecr_warden.core.observed import LiveValue
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.notify.formats import to_email
from ecr_warden.notify.kinds import message_of
from ecr_warden.state.history import HistoryKind
from ecr_warden.versions.alerts import SpecAccepted
from iam_access.document.document import Document
from iam_access.inventory.inventory import Policy
from local.testing.seed import CI, HOME, allow, document
from tests.usecases.hub import hub_status
from tests.usecases.pattern_world import settle
from tests.usecases.uploads import first, upload
from tests.usecases.world import World, expect, present

OLD = """
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - name: shop/one
    account: registry
    pull: [ci:user/ann]
  - name: web/*
    account: registry
    pull: [ci:user/ann]
settings: {mode: enforce}
"""
NEW = """
version: 1
accounts:
  ci: {id: "111111111111"}
  other: {id: "333333333333"}
  registry: {id: "222222222222", regions: [eu-central-1]}
organizations: {company: {id: o-a1b2c3d4e5}}
repositories:
  - name: shop/one
    account: registry
    pull: [ci:user/ann, ci:user/bob, {account: other}]
    push: [{role: pusher, by: [ci:user/bob]}]
  - name: shop/two
    account: registry
    pull: [{organization: company}]
  - name: web/*
    account: registry
    pull: [ci:user/ann]
  - name: app/*
    account: registry
    pull: [ci:user/bob, {account: other}]
settings: {mode: enforce}
"""
RELEASING = NEW.replace("    account: registry\n", "    account: registry\n    on_remove: release\n")
DOCUMENT = """
documents:
  - kind: identity-policy
    account: ci
    user: ann
    name: work
    document: {Statement: {Effect: Allow, Action: "ecr:BatchGetImage", Resource: "*"}}
"""
NAMES = ("shop/one", "shop/two", "web/a", "app/a", "app/b")


def repository(name: str) -> RepositoryTarget:
    return RepositoryTarget(HOME, "eu-central-1", name)


def left_open(world: World) -> list[str]:
    return [str(one) for one in hub_status(world).left]


def rolled(
    before: str, after: str, *, meanwhile: Callable[[World], None] = lambda _: None
) -> tuple[World, SpecAccepted]:
    """v1 is `before`, v2 `after` and v3 `before` again, each settled; the second value announces v3."""
    world = first(before)
    for user in ("ann", "bob"):
        world.documents.make(UserTarget(CI, user))
    for name in NAMES:
        world.documents.make(repository(name))
    settle(world)
    assert isinstance(upload(world, after, "v2"), SpecAccepted)
    settle(world)
    meanwhile(world)
    accepted = expect(SpecAccepted, upload(world, before, "v3"))
    settle(world)
    settle(world)
    return world, accepted


def as_accepted(text: str) -> dict[Address, LiveValue]:
    """The documents of a world that never saw another version."""
    world, _ = rolled(text, text + "# again\n")
    return world.values


def test_everything_that_the_newer_version_opened_is_closed() -> None:
    opened: list[dict[Address, LiveValue]] = []
    world, accepted = rolled(OLD, NEW, meanwhile=lambda world: opened.append(world.values))
    assert {"shop/two", "app/a", "app/b", "pusher", "bob"} <= {address.target.name for address in opened[0]}
    assert world.values == as_accepted(OLD)
    assert accepted.released == ()
    assert left_open(world) == []
    assert world.sweep() == ()


def test_what_is_released_is_listed_by_name_in_message_status_and_audit_log() -> None:
    world, accepted = rolled(OLD, RELEASING)
    kept = {address.target.name for address in world.values.keys() - as_accepted(OLD).keys()}
    assert kept == {"shop/two", "app/a", "app/b"}
    assert accepted.released == (repository("shop/two").key, repository("app/*").key)
    text = str(to_email(message_of([accepted])))
    assert all(repository(name).key in text for name in ("shop/two", "app/*"))
    organization = "anyone (*) can pull from shop/two (ecr:BatchGetImage and 1 more)"
    assert [one.partition(" under ")[0] for one in left_open(world)] == [
        f"left open: repository-policy {repository('shop/two')} since version v3, gives: {organization}",
        f"left open: repository-policy {repository('app/*')} since version v3, gives: "
        f"arn:aws:iam::{CI}:user/bob can pull from app/* (ecr:BatchGetImage and 1 more); "
        f"account 333333333333 can pull from app/* (ecr:BatchGetImage and 1 more)",
    ]
    recorded = [entry.text for entry in world.log.kept.values() if entry.kind is HistoryKind.SPEC_ACCEPTED]
    assert "2 released" in recorded[-1]


def test_it_is_listed_until_nothing_is_left_there() -> None:
    world, _ = rolled(OLD, RELEASING)
    for name in ("shop/two", "app/a"):
        del world.documents.live[_policy(world, name)]
    settle(world)
    assert [one.split(" ")[3] for one in left_open(world)] == [str(repository("app/*"))]
    world.documents.unmake(repository("app/b"))
    settle(world)
    assert left_open(world) == []
    upload(world, OLD + "# later\n", "v4")
    settle(world)
    assert left_open(world) == []


def test_it_is_listed_until_the_spec_names_it_again() -> None:
    world, _ = rolled(OLD, RELEASING)
    upload(world, NEW, "v4")
    settle(world)
    assert left_open(world) == []
    upload(world, OLD, "v5")
    settle(world)
    settle(world)
    assert world.values == as_accepted(OLD)


def _policy(world: World, name: str) -> Address:
    return next(address for address in world.documents.live if address.target == repository(name))


def test_a_literal_document_is_left_and_listed() -> None:
    world, accepted = rolled(OLD, NEW + DOCUMENT)
    assert accepted.released == (f"user/{CI}/ann",)
    assert left_open(world) == [
        f"left open: identity-policy {UserTarget(CI, 'ann')} work since version v3, gives: "
        "ann can pull from anything (ecr:BatchGetImage)"
    ]


def test_a_grant_to_somebody_whose_other_policy_is_literal_is_revoked_on_both_sides() -> None:
    without = OLD.replace("pull: [ci:user/ann]", "pull: [ci:user/bob]") + DOCUMENT
    world, _ = rolled(without, OLD + DOCUMENT)
    assert world.values == as_accepted(without)
    assert [at.name for at in world.values if at.target == UserTarget(CI, "ann")] == ["work"]


def test_what_somebody_else_wrote_under_a_removed_pattern_is_left_and_listed() -> None:
    theirs = document(allow("ecr:BatchGetImage", who="222222222222"))
    world, accepted = rolled(OLD, NEW, meanwhile=lambda world: world.put(_policy(world, "app/a"), theirs))
    assert accepted.released == ()
    assert world.values[_policy(world, "app/a")] == theirs
    assert left_open(world) == [
        f"left open: repository-policy {repository('app/a')} since version v3, gives: not what the spec gave"
    ]


@pytest.mark.parametrize("text", [NEW, RELEASING, NEW + DOCUMENT], ids=["revoking", "releasing", "with a document"])
def test_nothing_is_listed_while_the_newer_version_is_accepted(text: str) -> None:
    world = first(OLD)
    upload(world, text, "v2")
    settle(world)
    assert left_open(world) == []


def test_in_observe_mode_what_a_removed_pattern_gave_is_listed_until_it_is_revoked() -> None:
    world, _ = rolled(OLD, NEW)
    upload(world, NEW, "v4")
    settle(world)
    upload(world, OLD.replace("enforce", "observe"), "v5")
    settle(world)
    assert [one.split(" ")[3] for one in left_open(world)] == [str(repository(name)) for name in ("app/a", "app/b")]
    upload(world, OLD, "v6")
    settle(world)
    settle(world)
    assert left_open(world) == []
    assert world.values == as_accepted(OLD)


EMPTY = OLD[: OLD.index("repositories:")] + "settings: {mode: enforce}\n"


def test_a_spec_that_names_nothing_any_more_lists_what_is_left() -> None:
    world, _ = rolled(EMPTY, RELEASING)
    assert len(left_open(world)) == 4
    assert hub_status(world).targets == ()
    closed, _ = rolled(EMPTY, NEW)
    assert (closed.values, left_open(closed)) == ({}, [])


def test_the_audit_takes_a_repository_for_closed_only_while_it_has_what_the_spec_gave() -> None:
    world, _ = rolled(OLD, NEW)
    accepted = present(world.specs.compiled)
    given = expect(Document, accepted.removed[repository("shop/two").key].given)
    theirs = document(allow("ecr:BatchGetImage", who="*"))
    for name, live_policy, closed in (
        ("shop/two", given, True),
        ("shop/two", theirs, False),
        ("app/a", accepted.removed_patterns[0].pattern.policy, True),
        ("app/a", theirs, False),
        ("never/named", theirs, False),
    ):
        assert isinstance(live_policy, Document)
        target = repository(name)
        registry = Registry(target.region, {name: Repository(target, Policy("repository policy", live_policy))})
        estate = Estate(world.clock.now(), {HOME: EcrAccount(HOME, {}, registries={target.region: registry})})
        repaired = as_repaired(estate, accepted).accounts[HOME].registries[target.region].repositories[name]
        assert (repaired.policy is None) is closed, (name, live_policy.text)
