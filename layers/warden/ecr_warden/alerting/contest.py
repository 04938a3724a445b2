"""A document that somebody else writes faster than ecr-warden repairs it, in words."""

from collections.abc import Iterator
from typing import assert_never

from ecr_warden.alerting.layout import count
from ecr_warden.alerting.who import describe_actor
from ecr_warden.alerting.words import describe_address
from ecr_warden.model.address import Address, AddressKind
from ecr_warden.model.job import CauseKind
from ecr_warden.model.outcome import Conflict, Result, RunReport
from ecr_warden.model.target import RepositoryTarget, UserTarget

# The one region in which CloudTrail shows IAM's calls.
_IAM_EVENTS = "us-east-1"


def describe_contest(report: RunReport) -> Iterator[str]:
    """Which document, how often, who is known, and how to find and stop whoever it is; nothing of other runs."""
    if not report.contested:
        return
    addresses = contested_addresses(report)
    documents = ", ".join(map(describe_address, addresses))
    yield (
        f"Somebody wrote the {documents} {_when(report)}, at attempt {report.attempt} of its job: it stands as they "
        "wrote it."
    )
    if report.cause.kind is CauseKind.EVENT and report.cause.actor is not None:
        yield f"The call that set this run off came from {describe_actor(report.cause.actor)}."
    yield from (f"Who writes it: {who_wrote(address)}" for address in addresses[:1])
    yield "Take the right to write it from them; ecr-warden goes on at their next write and at each sweep."


def _when(report: RunReport) -> str:
    if report.result is Result.CONFLICT:
        return f"between ecr-warden's reading and its writing {report.contested} times in a row"
    return f"right after each of ecr-warden's repairs ({count(report.contested, 'time')} in a row)"


def contested_addresses(report: RunReport) -> list[Address]:
    """What somebody else wrote: between reading and writing, or right after."""
    met = [outcome.change.address for outcome in report.outcomes if isinstance(outcome, Conflict)]
    return met or [change.address for change in report.applied]


def who_wrote(address: Address) -> str:
    """The command that shows who wrote a document lately."""
    region = address.target.region if isinstance(address.target, RepositoryTarget) else _IAM_EVENTS
    return (
        f"aws cloudtrail lookup-events --profile ... --region {region} --lookup-attributes "
        f"AttributeKey=EventName,AttributeValue={_call(address)}"
    )


def _call(address: Address) -> str:
    """The call by which somebody writes such a thing."""
    match address.kind:
        case AddressKind.REPOSITORY_POLICY:
            return "SetRepositoryPolicy"
        case AddressKind.TRUST_POLICY:
            return "UpdateAssumeRolePolicy"
        case AddressKind.IDENTITY_POLICY:
            return "PutUserPolicy" if isinstance(address.target, UserTarget) else "PutRolePolicy"
        case AddressKind.ATTACHED_POLICY:
            return "AttachRolePolicy"
        case AddressKind.ROLE:
            return "UpdateRole"
        case _:
            assert_never(address.kind)
