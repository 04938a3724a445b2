"""The table of calls against botocore's service models: every write is classified, and every name exists."""

import re
from typing import Any

import botocore.session
import pytest

from ecr_warden.events.calls import (
    BLINDING_CALLS,
    CALLS,
    READS,
    WATCHED,
    Irrelevant,
    NamesOfCall,
    Watched,
    blinding,
    reads,
)
from ecr_warden.events.trigger import Blindable, WatchedService

MODELS = {service: botocore.session.get_session().get_service_model(service) for service in WatchedService}


def _members(shape: Any, *path: str) -> set[str]:
    """The members of a botocore shape, or of the shape at a path below it."""
    for name in path:
        shape = shape.members[name]
    return set(shape.members) if shape else set()


@pytest.mark.parametrize("service", WatchedService)
def test_every_write_is_classified(service: WatchedService) -> None:
    writes = {name for name in MODELS[service].operation_names if not reads(name)}
    assert writes - CALLS[service].keys() == set(), "classify these in events/calls.py"


@pytest.mark.parametrize("service", WatchedService)
def test_every_name_is_a_write_of_its_service(service: WatchedService) -> None:
    names = CALLS[service].keys()
    assert names - set(MODELS[service].operation_names) == set()
    assert not [name for name in names if reads(name)]


@pytest.mark.parametrize("service", WatchedService)
def test_a_call_with_the_name_of_a_read_has_no_parameter_of_a_write(service: WatchedService) -> None:
    """A misleading name would show in the parameters of a write."""
    written = {"tags", "description", "assumerolepolicydocument", "policytext", "newusername", "force"}
    for name in filter(reads, MODELS[service].operation_names):
        members = {member.lower() for member in _members(MODELS[service].operation_model(name).input_shape)}
        assert not members & written, name


def test_every_prefix_of_a_read_is_used() -> None:
    names = [name for model in MODELS.values() for name in model.operation_names]
    assert [start for start in READS if not any(name.startswith(start) for name in names)] == []


@pytest.mark.parametrize("service", WatchedService)
def test_a_watched_call_has_the_parameter_that_names_its_target(service: WatchedService) -> None:
    parameter = {
        NamesOfCall.REPOSITORY: {"repositoryName"},
        NamesOfCall.ROLE: {"RoleName"},
        NamesOfCall.SESSIONS: {"RoleName", "MaxSessionDuration"},
        NamesOfCall.USER: {"UserName"},
        NamesOfCall.BOTH_USERS: {"UserName", "NewUserName"},
        NamesOfCall.POLICY: {"PolicyArn"},
        NamesOfCall.CREDENTIAL: {"UserName"},
        NamesOfCall.IMAGES: {"repositoryName"},
        NamesOfCall.GROUP: {"GroupName"},
        NamesOfCall.REGISTRY: set(),  # the caller's own
        NamesOfCall.SETTING: set(),
        NamesOfCall.PROVIDER: set(),  # its account is surveyed, whichever it is
        NamesOfCall.CERTIFICATE: set(),
    }
    made_up_by_aws = {"AcquireRole": "Role"}  # the response names it
    for name, row in WATCHED[service].items():
        if name in made_up_by_aws:
            assert "RoleName" in _members(MODELS[service].operation_model(name).output_shape, made_up_by_aws[name])
        else:
            assert parameter[row.names] <= _members(MODELS[service].operation_model(name).input_shape), name


@pytest.mark.parametrize("service", WatchedService)
def test_a_write_of_a_policy_or_boundary_of_a_target_is_watched(service: WatchedService) -> None:
    for name, row in CALLS[service].items():
        members = _members(MODELS[service].operation_model(name).input_shape)
        target = members & {"RoleName", "UserName", "repositoryName"}
        content = members & {"PolicyDocument", "PolicyName", "PolicyArn", "PermissionsBoundary", "policyText"}
        if target and content:
            assert isinstance(row, Watched), name


@pytest.mark.parametrize("service", WatchedService)
def test_a_write_of_any_document_or_of_who_holds_it_has_it_surveyed(service: WatchedService) -> None:
    """A managed policy must be detached before it is deleted; AWS gives a new one to nobody by itself."""
    applies_to_nobody = {"CreatePolicy", "DeletePolicy", "DeletePolicyVersion", "CreateGroup", "DeleteGroup"}
    for name, row in CALLS[service].items():
        members = _members(MODELS[service].operation_model(name).input_shape)
        documents = {"PolicyDocument", "PolicyArn", "AssumeRolePolicyDocument", "PermissionsBoundary", "policyText"}
        over_all = {"replicationConfiguration", "ecrRepositoryPrefix", "repositoryPolicy", "NewGroupName"}
        named_to_someone = {"GroupName", "UserName"} <= members
        tagged = name.startswith(("Tag", "Untag")) and members & {"PolicyArn"}
        if members & (documents | over_all) or named_to_someone:
            surveyed = isinstance(row, Watched) and row.surveys
            assert surveyed is (name not in applies_to_nobody and not tagged), name


def test_every_row_says_why_in_a_few_words() -> None:
    for rows in CALLS.values():
        for name, row in rows.items():
            assert isinstance(row, Watched | Irrelevant)
            assert re.fullmatch(r"[a-z].{9,119}[^.]", row.why), name


def test_a_blinding_call_is_recognized_whatever_version_its_name_carries() -> None:
    for name in ("UpdateFunctionCode", "UpdateFunctionCode20150331", "UpdateFunctionCode20150331v2"):
        row = blinding("lambda", name)
        assert row is not None and "stop or replace a function" in row.effect
    for name in ("UpdateFunctionCodeX", "UpdateFunctionCode2015", "UpdateFunctionCode20150331v", "GetFunction20150331"):
        assert blinding("lambda", name) is None


@pytest.mark.parametrize("service", BLINDING_CALLS)
def test_every_name_of_another_service_is_an_operation_or_its_name_in_cloudtrail(service: str) -> None:
    known = set(botocore.session.get_session().get_service_model(service).operation_names)
    in_cloudtrail_only = {"PutBucketNotification", "UpdateEventSourceMapping", "PutBucketPolicy"}
    in_cloudtrail_only |= {"PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"}
    assert BLINDING_CALLS[service].keys() - known - in_cloudtrail_only == set()


def test_members_forward_the_calls_on_what_lies_in_each_of_them() -> None:
    """The hub alone has the bus, the bucket, the queues and the functions."""
    rows = {blinding(service, name) for service, calls in BLINDING_CALLS.items() for name in calls}
    in_members = {row.changes for row in rows if row is not None and row.in_members}
    assert in_members == {Blindable.TRAIL, Blindable.RULE, Blindable.STACK}
    assert in_members.isdisjoint(row.changes for row in rows if row is not None and not row.in_members)
