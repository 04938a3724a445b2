"""Documents.tags: of a repository, a role and a user, each read by itself."""

from ecr_warden.core.failures import AccountUnreachable, TargetNotFound
from local.testing.seed import CHECKOUT, HOME, PUSH_USER, PUSHER, SETTINGS, trust_document
from tests.contracts.worlds import World

TARGETS = (CHECKOUT, PUSHER, PUSH_USER)


def test_the_tags_of_each_target_are_read(world: World) -> None:
    world.make(CHECKOUT)
    world.make(PUSH_USER)
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    assert world.documents.tags(TARGETS) == {CHECKOUT: {}, PUSHER: {"ecr-warden": "managed"}, PUSH_USER: {}}
    for target in TARGETS:
        world.tag(target, "ManagedBy", "Terraform")
    world.tag(CHECKOUT, "team", "shop")
    assert world.documents.tags(TARGETS) == {
        CHECKOUT: {"ManagedBy": "Terraform", "team": "shop"},
        PUSHER: {"ecr-warden": "managed", "ManagedBy": "Terraform"},
        PUSH_USER: {"ManagedBy": "Terraform"},
    }
    assert world.documents.tags(()) == {}


def test_what_does_not_exist_is_an_error_of_its_own(world: World) -> None:
    world.make(CHECKOUT)
    found = world.documents.tags(TARGETS)
    assert found[CHECKOUT] == {}
    assert {type(found[target]) for target in (PUSHER, PUSH_USER)} == {TargetNotFound}


def test_an_account_that_cannot_be_read_stops_no_other(world: World) -> None:
    world.make(PUSH_USER)
    world.close(HOME)
    found = world.documents.tags(TARGETS)
    assert found[PUSH_USER] == {}
    assert {type(found[target]) for target in (CHECKOUT, PUSHER)} == {AccountUnreachable}
