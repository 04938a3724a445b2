"""The table of calls against botocore's service models: no write unclassified, no name made up."""

import re
from typing import Any

import botocore.session
import pytest
from ecr_warden.triggers.calls import (
    BLINDING_CALLS,
    CALLS,
    READS,
    WATCHED,
    Irrelevant,
    Names,
    Watched,
    blinding_effect,
    reads,
)
from ecr_warden.triggers.trigger import Service

MODELS = {service: botocore.session.get_session().get_service_model(service) for service in Service}


def _members(shape: Any, *path: str) -> set[str]:
    """The members of a shape of botocore's, or of what stands below it."""
    for name in path:
        shape = shape.members[name]
    return set(shape.members) if shape else set()


@pytest.mark.parametrize("service", Service)
def test_every_write_is_classified(service: Service) -> None:
    writes = {name for name in MODELS[service].operation_names if not reads(name)}
    assert writes - CALLS[service].keys() == set(), "say in triggers/calls.py what becomes of these"


@pytest.mark.parametrize("service", Service)
def test_every_name_is_a_write_of_its_service(service: Service) -> None:
    names = CALLS[service].keys()
    assert names - set(MODELS[service].operation_names) == set()
    assert not [name for name in names if reads(name)]


@pytest.mark.parametrize("service", Service)
def test_a_call_that_reads_by_its_name_takes_nothing_in_that_a_policy_could_be_made_of(service: Service) -> None:
    """The rule goes by names; a name that lies would have a writing verb's parameters."""
    written = {"tags", "description", "assumerolepolicydocument", "policytext", "newusername", "force"}
    for name in filter(reads, MODELS[service].operation_names):
        members = {member.lower() for member in _members(MODELS[service].operation_model(name).input_shape)}
        assert not members & written, name


def test_every_beginning_of_a_read_is_used() -> None:
    names = [name for model in MODELS.values() for name in model.operation_names]
    assert [start for start in READS if not any(name.startswith(start) for name in names)] == []


@pytest.mark.parametrize("service", Service)
def test_a_watched_call_has_the_parameter_that_names_its_target(service: Service) -> None:
    parameter = {
        Names.REPOSITORY: {"repositoryName"},
        Names.ROLE: {"RoleName"},
        Names.USER: {"UserName"},
        Names.BOTH_USERS: {"UserName", "NewUserName"},
        Names.POLICY: {"PolicyArn"},
    }
    made_up_by_aws = {"AcquireRole": "Role"}  # the answer names it
    for name, row in WATCHED[service].items():
        if name in made_up_by_aws:
            assert "RoleName" in _members(MODELS[service].operation_model(name).output_shape, made_up_by_aws[name])
        else:
            assert parameter[row.names] <= _members(MODELS[service].operation_model(name).input_shape), name


@pytest.mark.parametrize("service", Service)
def test_a_write_that_names_a_kind_of_target_is_left_out_for_a_reason_of_its_own(service: Service) -> None:
    """A call with a policy document, a boundary or a trust policy of a role, user or repository is always watched."""
    for name, row in CALLS[service].items():
        members = _members(MODELS[service].operation_model(name).input_shape)
        owner = members & {"RoleName", "UserName", "repositoryName"}
        content = members & {"PolicyDocument", "PolicyName", "PolicyArn", "PermissionsBoundary", "policyText"}
        if owner and content:
            assert isinstance(row, Watched), name


def test_every_row_says_why_in_a_few_words() -> None:
    for rows in CALLS.values():
        for name, row in rows.items():
            assert isinstance(row, Watched | Irrelevant)
            assert re.fullmatch(r"[a-z].{9,119}[^.]", row.why), name


def test_a_call_that_could_blind_ecr_warden_is_known_whatever_version_its_name_carries() -> None:
    for name in ("UpdateFunctionCode", "UpdateFunctionCode20150331", "UpdateFunctionCode20150331v2"):
        assert "stop or replace a function" in blinding_effect("lambda", name)
    for name in ("UpdateFunctionCodeX", "UpdateFunctionCode2015", "UpdateFunctionCode20150331v", "GetFunction20150331"):
        assert blinding_effect("lambda", name) == ""


@pytest.mark.parametrize("service", BLINDING_CALLS)
def test_every_name_of_another_service_is_an_operation_or_its_name_in_cloudtrail(service: str) -> None:
    known = set(botocore.session.get_session().get_service_model(service).operation_names)
    in_cloudtrail_only = {"PutBucketNotification", "UpdateEventSourceMapping", "PutBucketPolicy"}
    assert BLINDING_CALLS[service].keys() - known - in_cloudtrail_only == set()
