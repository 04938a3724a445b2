"""A repository that is removed from the spec with `on_remove: revoke`."""

import pytest
from ecr_warden.model.alert import SpecAccepted
from ecr_warden.model.run import Result

from local.testing.seed import CHECKOUT, D1, allow, document
from tests.usecases.uploads import TEXT, enqueued, first, upload
from tests.usecases.world import World

REVOKING = TEXT.replace("    account: registry\n", "    account: registry\n    on_remove: revoke\n")
LEFT = TEXT.replace("shop/checkout", "shop/basket")
THEIRS = document(allow("ecr:BatchGetImage", who="222222222222"))


def left(mode: str = "enforce") -> World:
    """The repository has just left the spec; its jobs wait."""
    world = first(REVOKING)
    world.documents.make(CHECKOUT)
    world.drain()
    world.put(D1, document(allow("ecr:BatchGetImage", who="222222222222")))
    world.run(CHECKOUT)
    world.forget()
    accepted = upload(world, LEFT.replace("mode: enforce", f"mode: {mode}"), "v2")
    assert isinstance(accepted, SpecAccepted)
    assert accepted.released == ()
    return world


def test_its_policy_is_deleted_first_and_once() -> None:
    world = left()
    kinds = [key.partition("/")[0] for key in enqueued(world)]
    assert CHECKOUT.key in enqueued(world)
    assert kinds == sorted(kinds, key=["repository", "role", "user"].index)
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert world.live(D1) is None
    assert world.run(CHECKOUT) is None


def test_afterwards_the_repository_is_left_alone() -> None:
    world = left()
    world.drain()
    world.put(D1, THEIRS)
    assert world.run(CHECKOUT) is None
    upload(world, LEFT + "# again\n", "v3")
    world.drain()
    assert CHECKOUT not in world.sweep()
    assert world.live(D1) == THEIRS


@pytest.mark.parametrize("versions", [1, 3])
def test_the_sweep_makes_up_for_a_lost_job_any_number_of_versions_later(versions: int) -> None:
    world = left()
    for number in range(versions):
        world.jobs.sent.clear()
        upload(world, f"{LEFT}# {number}\n", f"w{number}")
    world.jobs.sent.clear()
    assert CHECKOUT in world.sweep()
    world.drain()
    assert world.live(D1) is None
    assert CHECKOUT not in world.sweep()


def test_in_observe_mode_it_waits_until_the_spec_says_enforce() -> None:
    world = left("observe")
    assert world.run(CHECKOUT) is Result.REPORTED
    upload(world, LEFT, "v3")
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert world.live(D1) is None


def test_a_repository_that_returns_and_is_removed_again_is_cleared_again() -> None:
    world = left()
    world.drain()
    upload(world, REVOKING, "v3")
    world.drain()
    assert world.live(D1) is not None
    upload(world, LEFT, "v4")
    world.drain()
    assert world.live(D1) is None


def test_a_deleted_repository_has_nothing_to_revoke() -> None:
    world = left()
    world.documents.unmake(CHECKOUT)
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert world.run(CHECKOUT) is None


def test_removing_its_account_too_changes_nothing() -> None:
    world = first(REVOKING)
    accepted = upload(world, 'version: 1\naccounts: {ci: {id: "111111111111"}}\n', "v2")
    assert isinstance(accepted, SpecAccepted)
    assert accepted.released == ()
    assert world.specs.compiled is not None and CHECKOUT.key in world.specs.compiled.removed
