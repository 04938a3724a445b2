"""A spec that is brought into force one repository at a time."""

import pytest

from ecr_warden.access_spec.render import pull_permissions
from ecr_warden.access_spec.spec import UNLIMITED
from ecr_warden.core.address import identity_policy, repository_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.versions.alerts import SpecAccepted
from local.testing.seed import CHECKOUT, CI, D1, HOME
from tests.usecases.uploads import first, upload
from tests.usecases.world import OPEN, World, expect

BASKET = RepositoryTarget(HOME, "eu-central-1", "shop/basket")
BASKET_D1 = repository_policy(BASKET)
ANNA = UserTarget(CI, "anna")
PULL = identity_policy(ANNA, "ecr-warden-pull")
ARNS = [f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/{name}" for name in ("basket", "checkout")]


def text(*, basket: str, default: str = "enforce") -> str:
    return f"""
version: 1
accounts: {{ci: {{id: "{CI}"}}, registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories:
  - {{name: shop/checkout, account: registry, pull: [ci:user/anna]}}
  - {{name: shop/basket, account: registry, pull: [ci:user/anna], mode: {basket}}}
settings: {{mode: {default}}}
"""


def started(basket: str) -> World:
    world = first(text(basket=basket))
    for target in (CHECKOUT, BASKET, ANNA):
        world.documents.make(target)
    for _ in range(2):  # the second reports what the first was not to write
        world.sweep()
        world.drain()
    return world


def test_drift_of_an_observed_repository_is_reported_once_while_its_sibling_is_repaired() -> None:
    world = started("observe")
    world.forget()
    world.put(D1, OPEN)
    world.put(BASKET_D1, OPEN)
    world.sweep()
    world.drain()
    world.sweep()
    world.drain()
    assert [change.address for change in world.writes] == [D1]
    by_target = {report.plan.target: report for report in world.reports}
    assert len(world.reports) == 2
    assert (by_target[CHECKOUT].mode, by_target[CHECKOUT].result) == (Mode.ENFORCE, Result.CONVERGED)
    assert (by_target[BASKET].mode, by_target[BASKET].result) == (Mode.OBSERVE, Result.REPORTED)
    assert [hold.reason for hold in by_target[BASKET].plan.held] == [HoldReason.OBSERVE_MODE]


def test_a_shared_identity_policy_gets_the_enforced_grant_and_reports_the_other() -> None:
    world = started("observe")
    assert world.live(PULL) == pull_permissions({UNLIMITED: ARNS[1:]})
    reports = [report for report in world.reports if report.plan.target == ANNA]
    assert [report.result for report in reports][-1] is Result.REPORTED
    assert [hold.reason for hold in reports[-1].plan.held] == [HoldReason.OBSERVE_MODE]
    before = len(world.reports)
    world.sweep()
    world.drain()
    assert len(world.reports) == before


def test_a_repository_that_is_set_to_enforce_gets_its_documents() -> None:
    world = started("observe")
    accepted = expect(SpecAccepted, upload(world, text(basket="enforce"), "v2"))
    assert set(accepted.changed) == {BASKET.key, ANNA.key}
    world.drain()
    assert world.live(PULL) == pull_permissions({UNLIMITED: ARNS})
    assert world.live(BASKET_D1) is not None


def test_a_repository_that_is_set_back_to_observe_keeps_its_access() -> None:
    world = started("enforce")
    world.forget()
    upload(world, text(basket="observe"), "v2")
    world.drain()
    world.sweep()
    world.drain()
    assert world.writes == []
    assert world.live(PULL) == pull_permissions({UNLIMITED: ARNS})


@pytest.mark.parametrize(("default", "writes"), [("enforce", 1), ("observe", 0)])
def test_a_removed_grant_is_revoked_while_anything_is_enforced(default: str, writes: int) -> None:
    world = started("enforce")
    world.forget()
    only = text(basket="observe", default=default).replace("pull: [ci:user/anna]", "pull: []")
    upload(world, only, "v2")
    world.drain()
    assert [change.address for change in world.writes if change.address == PULL] == [PULL] * writes
