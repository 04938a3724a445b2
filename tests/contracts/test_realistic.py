"""The boto3 adapter on a moto that rewrites, refuses, paginates and throttles as AWS does."""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.core.address import Address, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, TargetSpec
from ecr_warden.core.failures import (
    NotVisibleYet,
    PortError,
    PrincipalNotFound,
    QuotaExceeded,
    Refused,
    TargetNotFound,
    Throttled,
)
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Present
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.repair.aws_reading import list_names
from ecr_warden.repair.diff import diff
from iam_access.document.document import Document, parse_document
from local.aws.behaviour.switches import Rate, Switches, switches_from_json
from local.testing.seed import (
    CHECKOUT,
    CI,
    D4,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    identity_document,
    identity_spec,
    repository_document,
    trust_document,
)
from tests.contracts.aws import moto
from tests.contracts.worlds import RealisticWorld, read_of

POLICY, TRUST = repository_policy(CHECKOUT), trust_policy(PUSHER)
USERS = [f"arn:aws:iam::{CI}:user/{name}" for name in ("pull-user-1", "pull-user-2", "mallory", "push-user")]
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealisticWorld]:
    """Two accounts with a repository, a role and a user."""
    with moto(monkeypatch):
        found = RealisticWorld()
        found.make(CHECKOUT)
        found.make_role(PUSHER, SETTINGS, trust_document("mallory"), tagged=True)
        found.make(PUSH_USER)
        yield found


def switch(world: RealisticWorld, **switches: Any) -> None:
    world.moto.accounts.switches = switches_from_json(switches)


def naming(principals: Any, action: Any, **more: Any) -> Document:
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": action, **more}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def spec_of(address: Address, document: Document) -> TargetSpec:
    extent = Extent.OURS if isinstance(address.target, UserTarget) else Extent.NAMED
    return TargetSpec(address.target, extent, {address: document})


def live(world: RealisticWorld, address: Address) -> object:
    return world.documents.read(spec_of(address, repository_document())).documents[address]


def write(world: RealisticWorld, address: Address, after: Document) -> None:
    found = live(world, address)
    expected = found.digest if isinstance(found, Present) else None
    change = Change(Operation.UPDATE if expected else Operation.CREATE, address, None, expected, after)
    world.documents.writer(Plan(address.target, "v1", changes=(change,)), "r1").write(change)


CONDITION = {"StringEquals": {"sts:ExternalId": ["b", "a"]}, "Bool": {"aws:SecureTransport": "true"}}


@pytest.mark.parametrize(
    "principals", [[*USERS, HOME, f"arn:aws:iam::{CI}:root"], HOME, [USERS[0]], USERS[0], "*"], ids=str
)
@pytest.mark.parametrize(("address", "action"), [(POLICY, "ecr:BatchGetImage"), (TRUST, "sts:AssumeRole")], ids=str)
def test_what_aws_rewrote_on_writing_is_no_drift_and_no_conflict(
    world: RealisticWorld, address: Address, action: str, principals: Any
) -> None:
    desired = naming(principals, [action], Condition=CONDITION)
    world.put(address, desired)  # makes whoever it names
    write(world, address, desired)
    spec = spec_of(address, desired)
    assert diff(spec, world.documents.read(spec), now=NOW) == ()
    write(world, address, naming(principals, action))


def test_the_rules_are_in_force(world: RealisticWorld) -> None:
    world.put(POLICY, naming(HOME, "ecr:BatchGetImage"))
    found = live(world, POLICY)
    assert isinstance(found, Present) and isinstance(found.value, Document)
    assert f"arn:aws:iam::{HOME}:root" in found.value.text


@pytest.mark.parametrize("ghost", ["Principal not found", "Invalid repository policy provided"])
def test_a_principal_that_is_not_visible_yet_is_retried_with_either_error_text(
    world: RealisticWorld, ghost: str
) -> None:
    world.put(POLICY, naming(USERS[0], "ecr:BatchGetImage"))
    switch(world, ghost=ghost, propagation=60.0)
    for address, action in ((POLICY, "ecr:BatchGetImage"), (TRUST, "sts:AssumeRole")):
        with pytest.raises(PrincipalNotFound) as refusal:
            write(world, address, naming(USERS[0], action))
        assert refusal.value.retryable
    switch(world)
    write(world, POLICY, naming(USERS[0], "ecr:BatchGetImage"))


def test_a_deleted_principal_is_read_by_its_id_and_can_be_repaired(world: RealisticWorld) -> None:
    for address, action in ((POLICY, "ecr:BatchGetImage"), (TRUST, "sts:AssumeRole")):
        desired = naming([USERS[3]], action)
        world.put(address, desired)
        first = world.documents.read(identity_spec(PUSH_USER, Extent.OURS, [D4.name])).unique_id
        world.remove_owner(PUSH_USER)
        world.make(PUSH_USER)
        found = live(world, address)
        assert isinstance(found, Present) and isinstance(found.value, Document), "understood, not unparseable"
        assert first is not None and first.startswith("AIDA") and first in found.value.text
        spec = spec_of(address, desired)
        assert diff(spec, world.documents.read(spec), now=NOW)
        write(world, address, desired)
        assert diff(spec, world.documents.read(spec), now=NOW) == ()


def test_a_document_over_a_quota_is_reported_as_such_and_not_retried(world: RealisticWorld) -> None:
    with pytest.raises(QuotaExceeded) as refusal:
        write(world, D4, identity_document("ecr:" + "x" * 2048))
    assert "2048 bytes exceeded for user push-user" in str(refusal.value)
    assert not refusal.value.retryable
    write(world, D4, identity_document("ecr:" + "x" * 1024))


def test_a_policy_that_would_lock_the_registry_out_is_refused_for_force_is_never_sent(world: RealisticWorld) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}
    with pytest.raises(Refused) as refusal:
        write(world, POLICY, parse_document({"Version": "2012-10-17", "Statement": [deny]}))
    assert not refusal.value.retryable


def test_resource_is_read_if_aws_stored_it(world: RealisticWorld) -> None:
    switch(world, takes_resource=True)
    world.put(POLICY, naming(HOME, "ecr:BatchGetImage", Resource="*"))
    spec = spec_of(POLICY, naming(HOME, "ecr:BatchGetImage"))
    assert diff(spec, world.documents.read(spec), now=NOW) == ()


@pytest.mark.parametrize("action", ["ecr:SetRepositoryPolicy", "ecr:GetRepositoryPolicy"])
def test_throttling_is_retried(world: RealisticWorld, action: str) -> None:
    world.moto.accounts.switches = Switches(rates={action: Rate(0.001, 1)})
    with pytest.raises(PortError) as refusal:
        for _ in range(3):
            write(world, POLICY, naming(HOME, "ecr:BatchGetImage"))
    assert isinstance(refusal.value, Throttled)
    assert refusal.value.retryable


def created(name: str) -> Plan:
    """The plan of a role that does not exist."""
    target = RoleTarget(HOME, name)
    new = NewRole(replace(SETTINGS, boundary=None), trust_document("mallory"))
    inline = identity_policy(target, "push")
    changes = (
        Change(Operation.CREATE, role(target), None, None, new),
        Change(Operation.CREATE, inline, None, None, identity_document()),
    )
    return Plan(target, "v1", changes=changes)


def test_a_role_that_its_own_plan_created_and_that_is_not_visible_yet_is_retried(world: RealisticWorld) -> None:
    plan = created("new")
    switch(world, role_lag=60.0)
    writer = world.documents.writer(plan, "r1")
    writer.write(plan.changes[0])
    with pytest.raises(NotVisibleYet, match="created a moment ago") as late:
        writer.write(plan.changes[1])
    assert late.value.retryable
    switch(world)
    writer.write(plan.changes[1])
    assert isinstance(live(world, plan.changes[1].address), Present)


def test_a_role_that_somebody_else_deleted_is_gone_for_good(world: RealisticWorld) -> None:
    plan = created("new")
    with pytest.raises(TargetNotFound) as gone:
        world.documents.writer(plan, "r1").write(plan.changes[1])
    assert not gone.value.retryable


@pytest.mark.parametrize("refused", [True, False])
def test_the_action_that_ecr_refuses_is_named_where_the_document_has_it(world: RealisticWorld, refused: bool) -> None:
    switch(world, takes_authorization_token=not refused)
    document = naming(HOME, ["ecr:BatchGetImage", "ecr:GetAuthorizationToken"])
    if not refused:
        write(world, POLICY, document)
        return
    with pytest.raises(PrincipalNotFound, match="such as ecr:GetAuthorizationToken"):
        write(world, POLICY, document)


@pytest.mark.parametrize("short_pages", [0, 1, 2])
def test_a_reading_goes_through_every_page(world: RealisticWorld, short_pages: int) -> None:
    owners = [PUSHER, *(RoleTarget(HOME, f"r{number}") for number in range(3))]
    for owner in owners[1:]:
        world.make_role(owner, SETTINGS, trust_document("mallory"), tagged=True)
    names = [f"ecr-warden-{letter}" for letter in "abc"]
    for owner in owners:
        for name in names:
            world.put(identity_policy(owner, name), identity_document())
    specs = [identity_spec(owner, Extent.WHOLE, names) for owner in owners]
    switch(world, short_pages=short_pages)
    accounts = read_of(world, specs)
    found = {spec.target: accounts.observe(spec) for spec in specs}
    assert found == {spec.target: world.documents.read(spec) for spec in specs}
    assert all(len(one.documents) == len(names) + 2 for one in found.values())


@pytest.mark.parametrize("short_pages", [0, 1])
def test_a_list_of_repositories_goes_through_every_page(world: RealisticWorld, short_pages: int) -> None:
    more = [RepositoryTarget(HOME, "eu-central-1", f"shop/{number}") for number in range(3)]
    for target in more:
        world.make(target)
    switch(world, short_pages=short_pages)
    ecr = world.accounts.reader(HOME).ecr("eu-central-1")
    found = {*list_names(ecr, HOME, "eu-central-1")}
    assert found == {CHECKOUT.name, *(target.name for target in more)}
