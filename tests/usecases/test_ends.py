"""The ends of grants are announced at the next tick, each moment once, whatever else fails."""

from datetime import UTC, datetime, timedelta

from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.repair.alerts import EndMoment, GrantsEnd
from local.testing.seed import CI, HOME
from tests.usecases.uploads import first
from tests.usecases.world import World, unreadable

END = datetime(2027, 3, 31, 18, tzinfo=UTC)
TEXT = f"""
version: 1
accounts: {{ci: {{id: "{CI}"}}, registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories:
  - name: shop/checkout
    account: registry
    pull: [{{by: [ci:user/anna], until: 2027-03-31T18:00:00Z}}, ci:user/bob]
    push: [{{role: pusher, by: [ci:user/carl], until: 2027-03-31T20:00:00+02:00}}]
settings: {{mode: enforce}}
"""
PLACE = f"repository/{HOME}/eu-central-1/shop/checkout"
GRANTS = (
    f"pull from {PLACE}: arn:aws:iam::{CI}:user/anna, until 2027-03-31T18:00:00Z",
    f"push to {PLACE} through role/{HOME}/pusher: arn:aws:iam::{CI}:user/carl, until 2027-03-31T18:00:00Z",
)


def tick(world: World, before: timedelta) -> list[EndMoment]:
    """What the tick at that time before the end announces."""
    world.clock.time = END - before
    known = len(world.alerts.published)
    world.tick()
    found = [alert for alert in world.alerts.published[known:] if isinstance(alert, GrantsEnd)]
    assert all(alert.grants == GRANTS for alert in found)
    return [alert.moment for alert in found]


def test_each_moment_is_announced_once() -> None:
    world = first(TEXT)
    days = [8, 7.01, 6.99, 6.98, 2, 1.01, 0.99, 0.98, 0.01, -0.01, -0.02, -30]
    heard = {day: found for day in days if (found := tick(world, timedelta(days=day)))}
    assert heard == {6.99: [EndMoment.WEEK], 0.99: [EndMoment.DAY], -0.01: [EndMoment.ENDED]}


def test_who_else_has_to_assume_the_role_again_is_announced() -> None:
    push = "push: [{role: pusher, by: [ci:user/dora]}, "
    world = first(TEXT.replace("push: [", push))
    world.clock.time = END - timedelta(days=1.5)
    world.tick()
    world.clock.time = END - timedelta(days=0.5)
    world.tick()
    [alert] = [alert for alert in world.alerts.published if isinstance(alert, GrantsEnd)]
    others = "; all sessions of the role end then, and whoever goes on has to assume it again"
    assert alert.grants == (GRANTS[0], f"{GRANTS[1]}{others}")


def test_the_first_tick_of_all_announces_nothing_of_before() -> None:
    assert tick(first(TEXT), timedelta(days=0.5)) == []


def test_an_account_that_cannot_be_read_keeps_nothing_from_being_announced_or_announced_twice() -> None:
    world = first(TEXT)
    unreadable(world, AccountUnreachable("denied"))
    assert [tick(world, timedelta(days=day)) for day in (7.01, 6.99, 6.98)] == [[], [EndMoment.WEEK], []]
