"""A document that somebody else writes faster than ecr-warden puts it right, in words."""

from collections.abc import Iterator
from typing import assert_never

from ecr_warden.alerting.who import describe_actor
from ecr_warden.alerting.words import describe_address
from ecr_warden.model.address import Address, AddressKind
from ecr_warden.model.outcome import Conflict, RunReport
from ecr_warden.model.target import RepositoryTarget, UserTarget

# The one region in which CloudTrail shows IAM's calls.
_IAM_EVENTS = "us-east-1"


def describe_contest(report: RunReport) -> Iterator[str]:
    """Which document, how often, who is known, and how to find and stop whoever it is; nothing of other runs."""
    if not report.contested:
        return
    addresses = [outcome.change.address for outcome in report.outcomes if isinstance(outcome, Conflict)]
    documents = ", ".join(map(describe_address, addresses))
    yield (
        f"Somebody wrote the {documents} between ecr-warden's reading and its writing {report.contested} times "
        f"in a row, at attempt {report.attempt} of its job: it stands as they wrote it."
    )
    if report.cause.action:
        yield f"The call that set this run off came from {describe_actor(report.cause.actor)}."
    for address in addresses[:1]:
        region = address.target.region if isinstance(address.target, RepositoryTarget) else _IAM_EVENTS
        yield (
            f"Who writes it: aws cloudtrail lookup-events --region {region} --lookup-attributes "
            f"AttributeKey=EventName,AttributeValue={_call(address)}"
        )
    yield "Take the right to write it from them; ecr-warden goes on at their next write and at each sweep."


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
