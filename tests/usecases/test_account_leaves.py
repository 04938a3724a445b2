"""An account that is removed from `accounts:` loses what the spec gave in it."""

from datetime import timedelta

from ecr_warden.core.address import identity_policy
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.pause import Pause
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.target import Target, UserTarget, parse_target
from ecr_warden.versions.alerts import SpecAccepted
from local.testing.seed import CHECKOUT, CI, D1, D4, D5, HOME, NOW, PULL_USER, PUSH_USER, PUSHER, allow, document
from tests.usecases.hub import ALICE, hub_status
from tests.usecases.uploads import TEXT, first, upload
from tests.usecases.world import World

WITHOUT_CI = (
    'version: 1\naccounts: {registry: {id: "222222222222", regions: [eu-central-1]}}\nsettings: {mode: enforce}\n'
)
WITHOUT_REGISTRY = 'version: 1\naccounts: {ci: {id: "111111111111"}}\nsettings: {mode: enforce}\n'
ONE_MORE = "repositories: [{name: shop/one-more, account: registry, pull: [registry:role/eks-node]}]\n"
OF_ITS_OWN = identity_policy(PULL_USER, "backups")
ANYTHING = document(allow("s3:*"))


def in_sync(text: str = TEXT) -> World:
    world = first(text)
    for user in (PUSH_USER, PULL_USER, UserTarget(CI, "pull-user-2")):
        world.documents.make(user)
    world.documents.make(CHECKOUT)
    world.sweep()
    world.drain()
    world.put(OF_ITS_OWN, ANYTHING)
    assert world.live(D1) and world.live(D4) and world.live(D5)
    world.forget()
    return world


def left(text: str, before: str = TEXT) -> World:
    """The account has just left; its jobs wait."""
    world = in_sync(before)
    assert isinstance(upload(world, text, "v2"), SpecAccepted)
    return world


def ours(world: World, account: str) -> list[str]:
    """The policies and roles of ours that stand in an account."""
    return sorted(str(address) for address in world.documents.live if address.target.account == account)


def test_its_users_lose_ecr_wardens_policies_and_keep_their_own() -> None:
    world = left(WITHOUT_CI)
    world.drain()
    assert ours(world, CI) == [str(OF_ITS_OWN)]
    assert world.sweep() == ()


def test_its_push_roles_and_the_policies_of_its_repositories_are_deleted() -> None:
    world = left(WITHOUT_REGISTRY)
    world.drain()
    assert PUSHER not in world.documents.owners
    assert ours(world, HOME) == []


def closed(world: World, account: str) -> None:
    def fault(target: Target, _: Change | None) -> None:
        if target.account == account:
            raise AccountUnreachable(f"no way into {account}", remedy="deploy stacks/member.yaml in the account")

    world.documents.faults = fault


def test_an_unreachable_account_is_reported_once_and_cleared_when_it_can_be_reached() -> None:
    world = left(WITHOUT_CI)
    closed(world, CI)
    world.drain()
    reported = [report for report in world.reports if report.plan.target == PULL_USER]
    assert [report.result for report in reported] == [Result.UNKNOWN]
    assert "deploy stacks/member.yaml in the account" in reported[0].plan.drifts[0].explain
    world.forget()
    assert PULL_USER in world.sweep()
    world.drain()
    assert world.reports == []
    world.recover()
    world.sweep()
    world.drain()
    assert ours(world, CI) == [str(OF_ITS_OWN)]


def statuses(world: World) -> dict[str, Result | None]:
    reply = hub_status(world)
    return {one.target: one.last.result if one.last else None for one in reply.targets}


def test_status_lists_removed_targets_until_they_are_cleared() -> None:
    world = left(WITHOUT_CI + ONE_MORE)
    closed(world, CI)
    world.drain()
    assert statuses(world)[str(PULL_USER)] is Result.UNKNOWN
    world.recover()
    world.sweep()
    world.drain()
    assert [target for target in statuses(world) if f"/{CI}/" in target] == []


def test_a_pause_of_all_targets_includes_removed_ones() -> None:
    world = left(WITHOUT_CI)
    pause = Pause("command-1", ALICE, "a migration", NOW, NOW + timedelta(hours=1))
    for target in statuses(world):
        world.state.pause(parse_target(target), pause)
    world.drain()
    assert [change for change in world.writes if change.address.target.account == CI] == []
    world.clock.advance(timedelta(hours=2))
    world.sweep()
    world.drain()
    assert ours(world, CI) == [str(OF_ITS_OWN)]


def test_an_account_that_returns_before_it_was_cleared_is_in_sync_again() -> None:
    world = left(WITHOUT_CI)
    world.jobs.sent.clear()
    upload(world, TEXT, "v3")
    world.drain()
    assert world.differing() == [str(OF_ITS_OWN)]
    assert world.specs.compiled is not None and world.specs.compiled.removed == {}


def test_literal_documents_of_a_removed_account_stay() -> None:
    literal = (
        "documents: [{kind: identity-policy, account: ci, user: old-ci, name: legacy, "
        'document: {Statement: {Effect: Allow, Action: "s3:Get*", Resource: "*"}}}]\n'
    )
    world = first(TEXT + literal)
    upload(world, WITHOUT_CI, "v2")
    assert f"user/{CI}/old-ci" not in (world.specs.compiled.removed if world.specs.compiled else {})
