"""Documents.providers: the OIDC providers of accounts, each with its audiences."""

from iam_access.inventory.inventory import Unread
from local.testing.seed import CI, HOME, PUSH_USER
from tests.contracts.worlds import MemoryWorld, MotoWorld, World

GITLAB = f"arn:aws:iam::{HOME}:oidc-provider/gitlab.example.com"


def make_provider(world: World, arn: str, *audiences: str) -> None:
    match world:
        case MemoryWorld():
            world.documents.oidc[arn] = audiences
        case MotoWorld():
            url = f"https://{arn.partition(':oidc-provider/')[2]}"
            iam = world.iam(arn.split(":")[4])
            iam.create_open_id_connect_provider(Url=url, ClientIDList=audiences, ThumbprintList=["0" * 40])
        case _:
            raise AssertionError


def test_the_providers_of_each_account_are_read_with_their_audiences(world: World) -> None:
    make_provider(world, GITLAB, "a", "b")
    assert world.documents.providers((HOME, CI)) == {HOME: {GITLAB: ("a", "b")}, CI: {}}
    assert world.documents.providers(()) == {}


def test_an_account_that_cannot_be_read_is_unknown_and_stops_no_other(world: World) -> None:
    make_provider(world, GITLAB, "a")
    world.make(PUSH_USER)
    world.close(HOME)
    found = world.documents.providers((HOME, CI))
    assert found == {HOME: Unread("identity providers", "account-unreachable"), CI: {}}
