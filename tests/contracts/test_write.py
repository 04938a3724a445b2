"""Documents.writer: each kind of write, and what stops one."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ecr_warden.access_spec.render import assume_permissions, push_permissions, push_trust, repository_pull
from ecr_warden.access_spec.spec import UNLIMITED, Federated, Limits, PermissionSet, PullGrant
from ecr_warden.core.address import Address, AddressKind, attached_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.failures import AccountUnreachable, DocumentConflict, Refused, TargetNotFound
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Absent, Present, Unparseable
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import Target
from iam_access.document.document import Document, parse_document
from iam_access.equivalent.canonical import digest
from local.testing.seed import (
    BOUNDARY,
    CHECKOUT,
    CI,
    D3,
    D4,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    identity_document,
    repository_document,
    trust_document,
)
from tests.contracts.worlds import MotoWorld, World

POWER = attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power")
POWER_OF_USER = attached_policy(PUSH_USER, f"arn:aws:iam::{CI}:policy/Power")
LOOSE = RoleSettings("/ecr-warden/", 7200, None)


@dataclass(frozen=True)
class Case:
    """A document of each kind: `desired` is written, `other` is what somebody else has put there."""

    address: Address
    desired: Document
    other: Document


CASES = [
    Case(repository_policy(CHECKOUT), repository_document(), repository_document("mallory")),
    Case(trust_policy(PUSHER), trust_document(), trust_document("mallory")),
    Case(D3, identity_document(), identity_document("*")),
    Case(D4, identity_document("sts:AssumeRole"), identity_document("*")),
]
CREATED = [case for case in CASES if case.address.kind is not AddressKind.TRUST_POLICY]
kinds = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.address))
created_kinds = pytest.mark.parametrize("case", CREATED, ids=lambda case: str(case.address))


@pytest.fixture(autouse=True)
def _identities(world: World) -> None:
    world.make(CHECKOUT)
    world.make(PUSH_USER)
    world.make_role(PUSHER, SETTINGS, trust_document("mallory"), tagged=True)
    if isinstance(world, MotoWorld):
        world.make_policy(BOUNDARY)


def read(world: World, address: Address) -> Present | Unparseable | None:
    extent = Extent.WHOLE if isinstance(address.target, type(PUSHER)) else Extent.OURS
    documents = world.documents.read(TargetSpec(address.target, extent, {address: MustNotExist()})).documents
    found = documents.get(address, Absent())
    return found if isinstance(found, Present | Unparseable) else None


def change(world: World, address: Address, after: Document | RoleSettings | NewRole | None) -> Change:
    """The change that a plan made now would hold."""
    found = read(world, address)
    operation = Operation.DELETE if after is None else Operation.UPDATE if found else Operation.CREATE
    return Change(operation, address, None, found.digest if found else None, after)


def write(world: World, planned: Change) -> None:
    plan = Plan(planned.address.target, "v1", changes=(planned,))
    world.documents.writer(plan, "r1").write(planned)


def value(world: World, address: Address) -> object:
    found = read(world, address)
    return found.value if isinstance(found, Present) else found


@created_kinds
def test_document_is_created_updated_and_deleted(world: World, case: Case) -> None:
    write(world, change(world, case.address, case.other))
    assert value(world, case.address) == case.other
    write(world, change(world, case.address, case.desired))
    assert value(world, case.address) == case.desired
    write(world, change(world, case.address, None))
    assert read(world, case.address) is None


LIMITS = Limits(datetime(2099, 1, 1, tzinfo=UTC), ("203.0.113.0/24", "2001:db8::/32"))
JOB = Federated(
    "token.actions.githubusercontent.com", "sts.amazonaws.com", ("repo:acme/shop:ref:refs/heads/main",), "2"
)
SET = PermissionSet("Developer", CI)
ENDING = [
    (repository_policy(CHECKOUT), repository_pull([PullGrant(SET, LIMITS)], region="eu-central-1")),
    (trust_policy(PUSHER), push_trust({LIMITS: [JOB, SET], UNLIMITED: [JOB]}, account=HOME)),
    (D3, push_permissions(["arn:aws:ecr:eu-central-1:222222222222:repository/a"], (), (), LIMITS)),
    (D4, assume_permissions({LIMITS: ["arn:aws:iam::222222222222:role/ecr-warden/ecr-pusher"]})),
]


@pytest.mark.parametrize(("address", "document"), ENDING, ids=[str(address) for address, _ in ENDING])
def test_a_document_of_jobs_and_permission_sets_that_ends_is_read_as_it_was_written(
    world: World, address: Address, document: Document
) -> None:
    write(world, change(world, address, document))
    found = read(world, address)
    assert isinstance(found, Present)
    assert found.digest == digest(document, kind=address.document_kind)


def test_trust_policy_is_updated(world: World) -> None:
    write(world, change(world, trust_policy(PUSHER), trust_document()))
    assert value(world, trust_policy(PUSHER)) == trust_document()


@kinds
def test_document_that_changed_since_the_plan_is_left_alone(world: World, case: Case) -> None:
    world.put(case.address, case.desired)
    planned = change(world, case.address, case.desired)
    world.put(case.address, case.other)
    with pytest.raises(DocumentConflict, match=case.address.target.name):
        write(world, planned)
    assert value(world, case.address) == case.other


@created_kinds
def test_document_that_appeared_since_the_plan_is_left_alone(world: World, case: Case) -> None:
    planned = change(world, case.address, case.desired)
    world.put(case.address, case.other)
    with pytest.raises(DocumentConflict):
        write(world, planned)
    assert value(world, case.address) == case.other


@created_kinds
@pytest.mark.parametrize("deletes", [True, False])
def test_document_that_vanished_since_the_plan_is_a_conflict(world: World, case: Case, deletes: bool) -> None:
    world.put(case.address, case.other)
    planned = change(world, case.address, None if deletes else case.desired)
    world.remove(case.address)
    with pytest.raises(DocumentConflict):
        write(world, planned)
    assert read(world, case.address) is None


def test_document_rewritten_equivalently_since_the_plan_is_no_conflict(world: World) -> None:
    address = repository_policy(CHECKOUT)
    spellings = [{"AWS": HOME}, {"AWS": [f"arn:aws:iam::{HOME}:root"]}]
    first, again = (
        parse_document({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": p, "Action": "ecr:*"}]})
        for p in spellings
    )
    world.put(address, first)
    planned = change(world, address, repository_document())
    world.put(address, again)
    write(world, planned)
    assert value(world, address) == repository_document()


@kinds
def test_document_that_cannot_be_parsed_is_replaced(world: World, case: Case) -> None:
    world.put(case.address, case.other)
    world.corrupt(case.address, '{"Statement": [{"Foo": 1}]}')
    write(world, change(world, case.address, case.desired))
    assert value(world, case.address) == case.desired


GONE: list[tuple[Target, Callable[[World], Change]]] = [
    *((case.address.target, lambda world, c=case: change(world, c.address, c.desired)) for case in CASES),
    *((case.address.target, lambda world, c=case: replaced(world, c)) for case in CASES),
    *((case.address.target, lambda world, c=case: change(world, c.address, None)) for case in CREATED),
    (PUSHER, lambda world: change(world, role(PUSHER), LOOSE)),
    (PUSHER, lambda world: change(world, role(PUSHER), None)),
    (PUSHER, lambda world: change(world, POWER, None)),
]


def replaced(world: World, case: Case) -> Change:
    """A change of a document that stands there."""
    world.put(case.address, case.other)
    return change(world, case.address, case.desired)


@pytest.mark.parametrize(("target", "plan"), GONE)
def test_target_that_was_deleted_since_the_plan_is_not_found(
    world: World, target: Target, plan: Callable[[World], Change]
) -> None:
    world.attach(POWER)
    planned = plan(world)
    world.remove_owner(target)
    with pytest.raises(TargetNotFound):
        write(world, planned)


def test_role_is_made_with_boundary_duration_trust_and_tag(world: World) -> None:
    world.remove_owner(PUSHER)
    write(world, change(world, role(PUSHER), NewRole(SETTINGS, trust_document())))
    observation = world.documents.read(TargetSpec(PUSHER, Extent.WHOLE, {}))
    values = {a: found.value for a, found in observation.documents.items() if isinstance(found, Present)}
    assert values == {role(PUSHER): SETTINGS, trust_policy(PUSHER): trust_document()}
    assert observation.tagged_ours


def test_role_that_appeared_since_the_plan_is_not_taken_over(world: World) -> None:
    world.remove_owner(PUSHER)
    planned = change(world, role(PUSHER), NewRole(SETTINGS, trust_document()))
    world.make_role(PUSHER, LOOSE, trust_document("mallory"), tagged=False)
    with pytest.raises(DocumentConflict):
        write(world, planned)
    assert value(world, trust_policy(PUSHER)) == trust_document("mallory")
    assert not world.documents.read(TargetSpec(PUSHER, Extent.WHOLE, {})).tagged_ours


@pytest.mark.parametrize(
    "live", [LOOSE, replace(SETTINGS, boundary=None), replace(SETTINGS, max_session_duration=43200)]
)
def test_role_settings_are_repaired(world: World, live: RoleSettings) -> None:
    world.remove_owner(PUSHER)
    world.make_role(PUSHER, live, trust_document(), tagged=True)
    write(world, change(world, role(PUSHER), SETTINGS))
    assert value(world, role(PUSHER)) == SETTINGS


def test_role_whose_settings_changed_since_the_plan_is_left_alone(world: World) -> None:
    planned = change(world, role(PUSHER), SETTINGS)
    world.remove_owner(PUSHER)
    world.make_role(PUSHER, LOOSE, trust_document(), tagged=True)
    with pytest.raises(DocumentConflict):
        write(world, planned)
    assert value(world, role(PUSHER)) == LOOSE


def test_empty_role_is_deleted(world: World) -> None:
    write(world, change(world, role(PUSHER), None))
    assert read(world, role(PUSHER)) is None


def test_role_that_still_holds_a_policy_is_not_deleted(world: World) -> None:
    world.put(D3, identity_document())
    with pytest.raises(Refused):
        write(world, change(world, role(PUSHER), None))
    assert value(world, role(PUSHER)) == SETTINGS


@pytest.mark.parametrize("attached", [POWER, POWER_OF_USER], ids=str)
def test_attached_policy_is_detached(world: World, attached: Address) -> None:
    world.attach(attached)
    write(world, change(world, attached, None))
    assert read(world, attached) is None


@pytest.mark.parametrize("attached", [POWER, POWER_OF_USER], ids=str)
def test_attached_policy_that_vanished_since_the_plan_is_a_conflict(world: World, attached: Address) -> None:
    world.attach(attached)
    planned = change(world, attached, None)
    world.remove(attached)
    with pytest.raises(DocumentConflict):
        write(world, planned)


def test_writer_of_a_closed_account_is_not_opened(world: World) -> None:
    planned = change(world, D4, identity_document())
    world.close(CI)
    with pytest.raises(AccountUnreachable, match=CI):
        write(world, planned)
