"""Literal documents with `exclusive: true`: their identity has no policies beyond the spec."""

import re

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.desired import MustNotExist
from ecr_warden.core.result import Result
from ecr_warden.core.target import IdentityTarget, RoleTarget, UserTarget
from local.testing.seed import CI, HOME, SPEC_FILE, allow, compiled, document
from tests.usecases.world import World, world_in_sync

ROLE, USER = RoleTarget(HOME, "ecr-pusher"), UserTarget(CI, "push-user")
LITERAL = (SPEC_FILE.parent / "literal.yaml").read_text()
EXCLUSIVE = re.sub(r"(    (?:role|user): .*\n)", r"\1    exclusive: true\n", LITERAL)
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"
ANYTHING = document(allow("s3:*"))


def others(identity: IdentityTarget) -> tuple[Address, Address]:
    """Policies of an identity that the spec does not name."""
    return identity_policy(identity, "backups"), attached_policy(identity, POWER)


def world_with_others(text: str) -> World:
    world = world_in_sync(compiled(text.encode()))
    for identity in (ROLE, USER):
        inline, attached = others(identity)
        world.put(inline, ANYTHING)
        world.put(attached, None)
    return world


def named(world: World, identity: IdentityTarget) -> set[Address]:
    spec = world.accepted.targets[identity.key]
    return {address for address, value in spec.documents.items() if not isinstance(value, MustNotExist)}


def standing(world: World, identity: IdentityTarget) -> set[Address]:
    kinds = {address.kind for address in (*others(identity), *named(world, identity))}
    return {a for a in world.documents.live if a.target == identity and a.kind in kinds}


@pytest.mark.parametrize("identity", [ROLE, USER], ids=str)
def test_other_policies_of_an_exclusive_identity_are_removed_by_event_and_by_sweep(identity: IdentityTarget) -> None:
    world = world_with_others(EXCLUSIVE)
    assert world.run(identity) is Result.CONVERGED
    assert standing(world, identity) == named(world, identity)
    for address in others(identity):
        world.put(address, None if address.name == POWER else ANYTHING)
    assert identity in world.sweep()
    world.drain()
    assert standing(world, identity) == named(world, identity)
    assert world.run(identity) is Result.IN_SYNC


@pytest.mark.parametrize("identity", [ROLE, USER], ids=str)
def test_other_policies_of_a_non_exclusive_identity_stay(identity: IdentityTarget) -> None:
    world = world_with_others(LITERAL)
    assert world.run(identity) is Result.IN_SYNC
    assert identity not in world.sweep()
    assert standing(world, identity) == {*named(world, identity), *others(identity)}


def test_the_policies_of_an_exclusive_users_grants_stay() -> None:
    grant = 'repositories: [{name: shop/new, account: registry, pull: ["ci:user/push-user"]}]\n'
    world = world_with_others(EXCLUSIVE + grant)
    assert world.run(USER) is Result.CONVERGED
    assert {address.name for address in standing(world, USER)} == {"assume-pusher", "ecr-warden-pull"}
