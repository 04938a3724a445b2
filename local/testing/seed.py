"""The example spec of two accounts, its targets and documents, and observations of them in every state.

Every test takes its accounts from here; the demo has its own, because it judges the product from outside.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.observed import (
    Absent,
    LiveValue,
    Observation,
    Observed,
    Present,
    TargetMissing,
    Unparseable,
    Unreadable,
)
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.plan_facts import complete_plan
from ecr_warden.repair.planner import Facts, make_plan
from iam_access.document.document import Document, parse_document
from iam_access.equivalent.canonical import digest

# Account A has the users, account B ("home") the repository and the push role.
CI, HOME, OUTSIDER = "111111111111", "222222222222", "999999999999"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SPEC_FILE = Path(__file__).parents[2] / "examples" / "seed" / "access.yaml"

CHECKOUT = RepositoryTarget(HOME, "eu-central-1", "shop/checkout")
PUSHER = RoleTarget(HOME, "ecr-pusher")
PUSH_USER = UserTarget(CI, "push-user")
PULL_USER = UserTarget(CI, "pull-user-1")
PULL_USERS = (PULL_USER, UserTarget(CI, "pull-user-2"))
USERS = (PUSH_USER, *PULL_USERS)

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


@lru_cache(maxsize=128)
def compiled(text: str | bytes, version: str = "v1", now: datetime = NOW, *, accepted: bool = False) -> CompiledSpec:
    """The spec in a text, which must be valid; parsed once for many tests."""
    data = text.encode() if isinstance(text, str) else text
    loaded = load_spec(data, version=version, now=now, accepted=accepted)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


ACCEPTED = compiled(SPEC_FILE.read_bytes())


def spec_of(target: Target) -> TargetSpec:
    return ACCEPTED.targets[target.key]


def desired(address: Address) -> Document:
    value = spec_of(address.target).documents[address]
    assert isinstance(value, Document)
    return value


BOUNDARY = f"arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary"
SETTINGS = RoleSettings("/ecr-warden/", 3600, BOUNDARY)


def document(*statements: Mapping[str, Any]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, who: str | None = None, **more: Any) -> dict[str, Any]:
    """An Allow statement: with `who` for a resource's policy, without it for an identity's."""
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


def plan_for(
    spec: TargetSpec,
    seen: Observation,
    facts: Facts | None = None,
    *,
    mode: Mode = Mode.ENFORCE,
    version: str = "v1",
    looked: datetime | None = None,
    in_sync: bool = True,
) -> Plan:
    """The plan of a run that reads this whenever a plan asks: the last look, and whether a role is in sync."""
    make = partial(make_plan, spec, seen, spec_version=version, mode=mode)
    plan, _ = complete_plan(make, facts or Facts(NOW), last_look=lambda: looked, is_in_sync=lambda _role: in_sync)
    return plan


def reading(spec: TargetSpec, live: Mapping[Address, Observed | LiveValue] | None = None) -> Observation:
    """A target in sync, except for what `live` says; None stands for an attached policy."""
    found: dict[Address, Observed] = {}
    for address, wanted in spec.documents.items():
        found[address] = Absent() if isinstance(wanted, MustNotExist) else present(address, wanted)
    for address, value in (live or {}).items():
        match value:
            case Present() | Absent() | TargetMissing() | Unparseable() | Unreadable():
                found[address] = value
            case _:
                found[address] = present(address, value)
    return Observation(spec.target, found, unique_id="AIDA1")


def nothing(spec: TargetSpec) -> Observation:
    """A target that does not exist; a role is then only absent."""
    missing = {address: Absent() if address == ROLE else TargetMissing() for address in spec.documents}
    return Observation(spec.target, missing)


ASSUMING = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
OPEN_TRUST = document(allow("sts:AssumeRole", who=MALLORY))
MORE_TRUST = document(allow(*ASSUMING, who=f"arn:aws:iam::{CI}:user/push-user"), allow("sts:AssumeRole", who=MALLORY))
EVERYTHING = document(allow("ecr:*"))


def repository_document(user: str = "pull-user-1", action: str = "ecr:BatchGetImage") -> Document:
    principal = {"AWS": f"arn:aws:iam::{CI}:user/{user}"}
    return parse_document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": [action]}]}
    )


def trust_document(user: str = "push-user") -> Document:
    return repository_document(user, "sts:AssumeRole")


def identity_document(action: str = "ecr:PutImage") -> Document:
    return parse_document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


def identity_spec(target: RoleTarget | UserTarget, extent: Extent, names: Iterable[str]) -> TargetSpec:
    """A spec that names inline policies of an identity."""
    return TargetSpec(target, extent, {identity_policy(target, name): identity_document() for name in names})
