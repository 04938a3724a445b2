"""The seed's grants, compiled, and readings of its targets in every state that a test needs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecr_warden.model.address import (
    DENY_OLDER_SESSIONS,
    Address,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.model.desired import CompiledSpec, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.model.observed import (
    Absent,
    LiveValue,
    Observation,
    Observed,
    OwnerMissing,
    Present,
    Unparseable,
    Unreadable,
)
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.policy.canonical import digest
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.ports.errors import PermissionMissing
from ecr_warden.spec import Valid, load_spec

CI, HOME, OUTSIDER = "111111111111", "222222222222", "999999999999"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SEED = Path(__file__).parents[3] / "examples" / "seed" / "access.yaml"

CHECKOUT = RepositoryTarget(HOME, "eu-central-1", "shop/checkout")
PUSHER = RoleTarget(HOME, "ecr-pusher")
PUSH_USER = UserTarget(CI, "push-user")
PULL_USER = UserTarget(CI, "pull-user-1")

D1 = repository_policy(CHECKOUT)
ROLE = role(PUSHER)
D2 = trust_policy(PUSHER)
D3 = identity_policy(PUSHER, "ecr-warden-push")
D4 = identity_policy(PUSH_USER, "ecr-warden-assume")
D5 = identity_policy(PULL_USER, "ecr-warden-pull")
CUTOFF = identity_policy(PUSHER, DENY_OLDER_SESSIONS)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ANNA = f"arn:aws:iam::{CI}:user/pull-user-1"
MALLORY = f"arn:aws:iam::{OUTSIDER}:root"


def compiled(data: bytes, version: str = "v1") -> CompiledSpec:
    loaded = load_spec(data, version=version, now=NOW)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


ACCEPTED = compiled(SEED.read_bytes())


def spec_of(target: Target) -> TargetSpec:
    return ACCEPTED.targets[target.key]


def desired(address: Address) -> Document:
    value = spec_of(address.target).documents[address]
    assert isinstance(value, Document)
    return value


def settings() -> RoleSettings:
    value = spec_of(PUSHER).documents[ROLE]
    assert isinstance(value, RoleSettings)
    return value


def document(*statements: Mapping[str, Any]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    """A statement that allows: with `who` of a resource's policy, without of an identity's."""
    element = {"Resource": "*"} if who is None else {"Principal": {"AWS": who}}
    return {"Effect": "Allow", "Action": list(actions), **element, **more}


def deny(*actions: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    return allow(*actions, who=who, **more) | {"Effect": "Deny"}


def present(address: Address, value: LiveValue) -> Present:
    match value:
        case Document():
            return Present(value, digest(value, kind=address.document_kind))
        case _:
            return Present(value, repr(value))


def unparseable() -> Unparseable:
    return Unparseable("Statement: a number", '{"Statement": 7}', "digest")


def unreadable(*, retryable: bool = False, request: str = "1") -> Unreadable:
    return Unreadable(PermissionMissing(f"denied, request {request}"), retryable)


def reading(spec: TargetSpec, live: Mapping[Address, Observed | LiveValue] | None = None) -> Observation:
    """A target at spec, but for what `live` says; None is an attached policy's name."""
    found: dict[Address, Observed] = {}
    for address, wanted in spec.documents.items():
        found[address] = Absent() if isinstance(wanted, MustNotExist) else present(address, wanted)
    for address, value in (live or {}).items():
        match value:
            case Present() | Absent() | OwnerMissing() | Unparseable() | Unreadable():
                found[address] = value
            case _:
                found[address] = present(address, value)
    return Observation(spec.target, found, unique_id="AIDA1")


def nothing(spec: TargetSpec) -> Observation:
    """A target whose owner does not exist; a role that does not is only absent."""
    missing = {address: Absent() if address == ROLE else OwnerMissing() for address in spec.documents}
    return Observation(spec.target, missing)


OPEN_TRUST = document(allow("sts:AssumeRole", who=MALLORY))
MORE_TRUST = document(
    allow("sts:AssumeRole", who=f"arn:aws:iam::{CI}:user/push-user"), allow("sts:AssumeRole", who=MALLORY)
)
EVERYTHING = document(allow("ecr:*"))
