"""Documents.read: what each state of a target is reported as."""

from copy import replace

import pytest

from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, TargetSpec
from ecr_warden.core.observed import Absent, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.core.target import IdentityTarget
from iam_access.document.document import parse_document
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
    identity_spec,
    repository_document,
    trust_document,
)
from tests.contracts.worlds import World

POLICY = repository_policy(CHECKOUT)
SPEC = TargetSpec(CHECKOUT, Extent.WHOLE, {POLICY: repository_document()})
ROLE_SPEC = TargetSpec(
    PUSHER, Extent.WHOLE, {role(PUSHER): SETTINGS, trust_policy(PUSHER): trust_document(), D3: identity_document()}
)
# AWS may hold documents that it would not take today.
NOT_UNDERSTOOD = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Foo": 1}]}'


def test_repository_policy_is_present(world: World) -> None:
    world.make(CHECKOUT)
    world.put(POLICY, repository_document())
    observation = world.documents.read(SPEC)
    assert observation.target == CHECKOUT
    found = observation.documents[POLICY]
    assert isinstance(found, Present)
    assert found.value == repository_document()
    assert observation.unique_id is None


def test_digest_is_the_same_for_documents_that_aws_takes_as_the_same(world: World) -> None:
    world.make(CHECKOUT)
    digests = []
    for principal in (HOME, f"arn:aws:iam::{HOME}:root"):
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "ecr:*"}
        world.put(POLICY, parse_document({"Version": "2012-10-17", "Statement": [statement]}))
        found = world.documents.read(SPEC).documents[POLICY]
        assert isinstance(found, Present)
        digests.append(found.digest)
    assert digests[0] == digests[1]


def test_repository_without_a_policy_is_absent(world: World) -> None:
    world.make(CHECKOUT)
    assert world.documents.read(SPEC).documents == {POLICY: Absent()}


def test_missing_repository_is_a_missing_target(world: World) -> None:
    assert world.documents.read(SPEC).documents == {POLICY: TargetMissing()}


@pytest.mark.parametrize("text", [NOT_UNDERSTOOD, "{", '{"Statement": [{}], "Statement": []}'])
def test_repository_policy_that_cannot_be_parsed_is_unparseable_and_keeps_its_text(world: World, text: str) -> None:
    world.make(CHECKOUT)
    world.corrupt(POLICY, text)
    found = world.documents.read(SPEC).documents[POLICY]
    assert isinstance(found, Unparseable)
    assert found.text == text
    assert found.error
    assert found.digest


@pytest.mark.parametrize("spec", [SPEC, ROLE_SPEC, identity_spec(PUSH_USER, Extent.OURS, [D4.name])], ids=str)
def test_account_whose_role_cannot_be_assumed_makes_everything_unreadable(world: World, spec: TargetSpec) -> None:
    world.close(spec.target.account)
    observation = world.documents.read(spec)
    assert spec.documents
    for address in spec.documents:
        found = observation.documents[address]
        assert isinstance(found, Unreadable)
        assert not found.retryable
        assert spec.target.account in str(found.error)


def test_unreadable_user_that_should_hold_nothing_is_not_reported_as_healthy(world: World) -> None:
    world.close(CI)
    documents = world.documents.read(TargetSpec(PUSH_USER, Extent.OURS, {})).documents
    assert [(address.name.startswith("ecr-warden-"), type(found)) for address, found in documents.items()] == [
        (True, Unreadable)
    ]


EXTENTS = {
    Extent.WHOLE: {"ecr-warden-a", "ecr-warden-b", "own", "missing"},
    Extent.OURS: {"ecr-warden-a", "ecr-warden-b", "missing"},
    Extent.NAMED: {"ecr-warden-a", "missing"},
}


@pytest.mark.parametrize("extent", Extent)
@pytest.mark.parametrize("owner", [PUSH_USER, PUSHER], ids=str)
def test_extent_says_which_inline_policies_are_read(world: World, owner: IdentityTarget, extent: Extent) -> None:
    world.make(PUSH_USER)
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    for name in ("ecr-warden-a", "ecr-warden-b", "own"):
        world.put(identity_policy(owner, name), identity_document())
    documents = world.documents.read(identity_spec(owner, extent, ["ecr-warden-a", "missing"])).documents
    assert {address.name for address in documents if address.name} == EXTENTS[extent]
    assert documents[identity_policy(owner, "missing")] == Absent()
    found = documents[identity_policy(owner, "ecr-warden-a")]
    assert isinstance(found, Present)
    assert found.value == identity_document()


def test_missing_user_is_a_missing_target(world: World) -> None:
    observation = world.documents.read(identity_spec(PUSH_USER, Extent.OURS, [D4.name]))
    assert observation.documents == {D4: TargetMissing()}
    assert observation.unique_id is None


def test_missing_role_is_absent_and_its_documents_have_no_target(world: World) -> None:
    documents = world.documents.read(ROLE_SPEC).documents
    assert documents == {role(PUSHER): Absent(), trust_policy(PUSHER): TargetMissing(), D3: TargetMissing()}


@pytest.mark.parametrize("boundary", [BOUNDARY, None])
def test_role_is_read_with_settings_trust_tags_and_attached_policies(world: World, boundary: str | None) -> None:
    settings = replace(SETTINGS, max_session_duration=7200, boundary=boundary)
    world.make_role(PUSHER, settings, trust_document(), tagged=True)
    attached = attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power")
    world.attach(attached)
    observation = world.documents.read(ROLE_SPEC)
    values = {a: found.value for a, found in observation.documents.items() if isinstance(found, Present)}
    assert values == {role(PUSHER): settings, trust_policy(PUSHER): trust_document(), attached: None}
    assert observation.documents[D3] == Absent()
    assert observation.tagged_ours
    assert observation.unique_id


def test_exclusive_user_is_read_with_what_is_attached_to_it_and_any_other_without(world: World) -> None:
    attached = attached_policy(PUSH_USER, f"arn:aws:iam::{CI}:policy/Power")
    world.make(PUSH_USER)
    world.attach(attached)
    world.put(identity_policy(PUSH_USER, "other"), identity_document())
    whole = world.documents.read(identity_spec(PUSH_USER, Extent.WHOLE, [D4.name])).documents
    assert whole.keys() == {D4, identity_policy(PUSH_USER, "other"), attached}
    for extent in (Extent.OURS, Extent.NAMED):
        assert world.documents.read(identity_spec(PUSH_USER, extent, [D4.name])).documents.keys() == {D4}


@pytest.mark.parametrize("extent", [Extent.OURS, Extent.NAMED])
def test_attached_policies_are_ignored_unless_the_role_is_exclusive(world: World, extent: Extent) -> None:
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=False)
    world.attach(attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power"))
    observation = world.documents.read(replace(ROLE_SPEC, extent=extent))
    assert set(observation.documents) == set(ROLE_SPEC.documents)
    assert not observation.tagged_ours


def test_role_s_documents_that_cannot_be_parsed_are_unparseable(world: World) -> None:
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    world.corrupt(trust_policy(PUSHER), NOT_UNDERSTOOD)
    world.corrupt(D3, NOT_UNDERSTOOD)
    documents = world.documents.read(ROLE_SPEC).documents
    assert isinstance(documents[trust_policy(PUSHER)], Unparseable)
    assert isinstance(documents[D3], Unparseable)
    assert isinstance(documents[role(PUSHER)], Present)


def test_a_recreated_user_has_another_unique_id(world: World) -> None:
    spec = identity_spec(PUSH_USER, Extent.OURS, [D4.name])
    world.make(PUSH_USER)
    first = world.documents.read(spec).unique_id
    assert first is not None
    assert world.documents.read(spec).unique_id == first
    world.remove_owner(PUSH_USER)
    world.make(PUSH_USER)
    assert world.documents.read(spec).unique_id not in (None, first)


def test_role_that_must_not_exist_is_read_whole(world: World) -> None:
    world.make_role(PUSHER, SETTINGS, trust_document(), tagged=True)
    world.put(identity_policy(PUSHER, "any"), identity_document())
    documents = world.documents.read(TargetSpec(PUSHER, Extent.WHOLE, {role(PUSHER): MustNotExist()})).documents
    assert set(documents) == {role(PUSHER), trust_policy(PUSHER), identity_policy(PUSHER, "any")}
