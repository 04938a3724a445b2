"""Going back to an older spec closes what the newer one opened; what is handed over, and what others wrote, stays."""

from collections.abc import Callable

import pytest

from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.address import Address
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository
from ecr_warden.core.judgement import WaitCode
from ecr_warden.core.observed import LiveValue
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.state.hold import Verdict
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted
from iam_access.document.document import Document
from iam_access.inventory.inventory import Policy
from local.testing.seed import CI, HOME, allow, document
from tests.usecases.hub import hub_status
from tests.usecases.pattern_world import settle
from tests.usecases.uploads import codes, decide, first, offer, upload
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


def rolled(before: str, after: str, *, meanwhile: Callable[[World], None] = lambda _: None) -> World:
    """v1 is `before`, v2 `after` and v3 `before` again, each settled."""
    world = first(before)
    for user in ("ann", "bob"):
        world.documents.make(UserTarget(CI, user))
    for name in NAMES:
        world.documents.make(repository(name))
    settle(world)
    assert isinstance(upload(world, after, "v2"), SpecAccepted)
    settle(world)
    meanwhile(world)
    assert isinstance(upload(world, before, "v3"), SpecAccepted)
    settle(world)
    settle(world)
    return world


def as_accepted(text: str) -> dict[Address, LiveValue]:
    """The documents of a world that never saw another version."""
    return rolled(text, text + "# again\n").values


def test_everything_that_the_newer_version_opened_is_closed() -> None:
    opened: list[dict[Address, LiveValue]] = []
    world = rolled(OLD, NEW, meanwhile=lambda world: opened.append(world.values))
    assert {"shop/two", "app/a", "app/b", "pusher", "bob"} <= {address.target.name for address in opened[0]}
    assert world.values == as_accepted(OLD)
    assert world.sweep() == ()


TWO = NEW[NEW.index("  - name: shop/two") : NEW.index("  - name: web")]
APPS = NEW[NEW.index("  - name: app/") : NEW.index("settings:")]


@pytest.mark.parametrize("entry", [TWO, APPS], ids=["a repository", "a pattern"])
def test_what_is_handed_over_by_mode_observe_waits_once_and_stays(entry: str) -> None:
    world = rolled(NEW, NEW + "# again\n")
    given = {at: value for at, value in world.values.items() if isinstance(at.target, RepositoryTarget)}
    observed = NEW.replace(entry, entry.replace("account: registry", "account: registry\n    mode: observe"))
    hold = expect(HoldOpened, offer(world, observed, "v4")).hold
    assert codes(hold) == [WaitCode.STAYS_OPEN]
    assert isinstance(decide(world, hold, Verdict.ACCEPT), SpecAccepted)
    settle(world)
    assert isinstance(offer(world, NEW.replace(entry, ""), "v5"), SpecAccepted), "nothing of it was enforced any more"
    settle(world)
    settle(world)
    assert {at: value for at, value in world.values.items() if at in given} == given


def _policy(world: World, name: str) -> Address:
    return next(address for address in world.documents.live if address.target == repository(name))


def test_a_literal_document_is_left() -> None:
    world = rolled(OLD, NEW + DOCUMENT)
    assert [at.name for at in world.values.keys() - as_accepted(OLD).keys()] == ["work"]


def test_a_grant_to_somebody_whose_other_policy_is_literal_is_revoked_on_both_sides() -> None:
    without = OLD.replace("pull: [ci:user/ann]", "pull: [ci:user/bob]") + DOCUMENT
    world = rolled(without, OLD + DOCUMENT)
    assert world.values == as_accepted(without)
    assert [at.name for at in world.values if at.target == UserTarget(CI, "ann")] == ["work"]


def test_what_somebody_else_wrote_under_a_removed_pattern_is_left() -> None:
    theirs = document(allow("ecr:BatchGetImage", who="222222222222"))
    world = rolled(OLD, NEW, meanwhile=lambda world: world.put(_policy(world, "app/a"), theirs))
    assert world.values[_policy(world, "app/a")] == theirs


def test_in_observe_mode_what_a_removed_pattern_gave_stays_until_something_is_enforced() -> None:
    world = rolled(OLD, NEW)
    for version, text in (("v4", NEW), ("v5", OLD.replace("enforce", "observe"))):
        upload(world, text, version)
        settle(world)
    assert {"app/a", "app/b"} <= {at.target.name for at in world.values}
    upload(world, OLD, "v6")
    settle(world)
    settle(world)
    assert world.values == as_accepted(OLD)


EMPTY = OLD[: OLD.index("repositories:")] + "settings: {mode: enforce}\n"


def test_a_spec_that_names_nothing_any_more_closes_everything() -> None:
    world = rolled(EMPTY, NEW)
    assert (world.values, hub_status(world).targets) == ({}, ())


def test_the_audit_takes_a_repository_for_closed_only_while_it_has_what_the_spec_gave() -> None:
    world = rolled(OLD, NEW)
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
