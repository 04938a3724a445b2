"""A world whose spec names repositories by a pattern."""

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.job import SweepAll
from ecr_warden.core.target import RepositoryTarget, UserTarget
from local.testing.seed import CI, HOME
from tests.usecases.uploads import first
from tests.usecases.world import World

PATTERN = """
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
repositories:
  - {name: shop/*, except: [shop/secret, shop/internal/*], account: registry, pull: [ci:user/anna]}
  - {name: shop/secret, account: registry, pull: [ci:user/bob]}
settings: {mode: enforce}
"""


def shop(name: str) -> RepositoryTarget:
    return RepositoryTarget(HOME, "eu-central-1", f"shop/{name}")


def policy(name: str) -> Address:
    return repository_policy(shop(name))


def world_of(*names: str, text: str = PATTERN) -> World:
    """The pattern's spec is accepted and its jobs are done; the users and these repositories exist."""
    world = first(text)
    for user in ("anna", "bob"):
        world.documents.make(UserTarget(CI, user))
    for name in ("secret", *names):
        world.documents.make(shop(name))
    settle(world)
    world.forget()
    return world


def settle(world: World) -> None:
    world.jobs.sent[:] = [job for job in world.jobs.sent if not isinstance(job, SweepAll)]
    world.drain()
    world.sweep()
    world.drain()
