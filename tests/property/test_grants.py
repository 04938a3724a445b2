"""The documents of a spec give exactly what it says: every caller, in and out of time, in and out of the networks."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.access_spec.compile import written_by_hand
from ecr_warden.core.address import Address, AddressKind
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Mode
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.document.document import Document
from tests import examples
from tests.property.grants import (
    ADDRESSES,
    AWAY,
    CI,
    HOME,
    ORGANIZATION,
    PARTNER,
    REGION,
    REPOSITORIES,
    ROLES,
    TIMES,
    Drawn,
    Grant,
    specs,
)
from tests.property.policy_oracle import Request, allowed
from tests.unit.importing.imports import NOW

type Moments = frozenset[tuple[str, str | None]]
"""Times of requests, and the addresses that they come from."""

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = ("ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
TOKEN = "ecr:GetAuthorizationToken"
ARNS = {name: f"arn:aws:ecr:{REGION}:{HOME}:repository/{real}" for name, real in REPOSITORIES.items()}
ELSEWHERE = f"arn:aws:ecr:{REGION}:{HOME}:repository/application"
ROLE_ARNS = {role: f"arn:aws:iam::{HOME}:role/ecr-warden/{role}" for role in ROLES}
IDENTITIES: dict[str, Target] = {"ann": UserTarget(CI, "ann"), "build": RoleTarget(CI, "build")}
IDENTITIES["carl"] = UserTarget(HOME, "carl")


class Caller(NamedTuple):
    """Somebody who asks; `is_let_in`: the entries of the spec that mean them."""

    principal: str
    context: Mapping[str, str]
    is_let_in: frozenset[str]


def _session(account: str, role: str, path: str = "") -> tuple[str, dict[str, str]]:
    context = {"aws:principalarn": f"arn:aws:iam::{account}:role/{path}{role}"}
    return f"arn:aws:sts::{account}:assumed-role/{role}/session", context


_MEMBER = {"aws:principalorgid": ORGANIZATION}
_SSO = "aws-reserved/sso.amazonaws.com/"


def _caller(asks: tuple[str, dict[str, str]] | str, *entries: str, **context: str) -> Caller:
    principal, own = (asks, {"aws:principalarn": asks}) if isinstance(asks, str) else asks
    return Caller(principal, own | (_MEMBER if "acme" in entries else {}) | context, frozenset(entries))


CALLERS = {
    "ann": _caller(f"arn:aws:iam::{CI}:user/ann", "ann", "ci", "acme"),
    "ann's namesake": _caller(f"arn:aws:iam::{HOME}:user/ann"),
    "build": _caller(_session(CI, "build"), "build", "ci", "acme"),
    "dev": _caller(_session(CI, "AWSReservedSSO_Dev_0123456789abcdef", f"{_SSO}eu-west-1/"), "dev", "ci", "acme"),
    "dev of us-east-1": _caller(_session(CI, "AWSReservedSSO_Dev_fedcba9876543210", _SSO), "dev", "ci", "acme"),
    "develop": _caller(_session(CI, "AWSReservedSSO_Dev_elop_0123456789abcdef", _SSO), "ci", "acme"),
    "dev of a partner": _caller(_session(PARTNER, "AWSReservedSSO_Dev_0123456789abcdef", _SSO), "acme"),
    "carl": _caller(f"arn:aws:iam::{HOME}:user/carl", "carl"),
    "mallory": _caller(f"arn:aws:iam::{AWAY}:user/ann"),
    "codebuild": Caller("codebuild.amazonaws.com", {"aws:sourceaccount": CI}, frozenset({"codebuild"})),
    "codebuild of others": Caller("codebuild.amazonaws.com", {"aws:sourceaccount": AWAY}, frozenset()),
}


def _job(issuer: str, audience: str, subject: str, *entries: str, **claims: str) -> Caller:
    keys = {"aud": audience, "sub": subject, **claims}
    provider = f"arn:aws:iam::{HOME}:oidc-provider/{issuer}"
    return Caller(provider, {f"{issuer}:{key}": value for key, value in keys.items()}, frozenset(entries))


def _github(subject: str, repository_id: str, *entries: str, audience: str = "sts.amazonaws.com") -> Caller:
    return _job("token.actions.githubusercontent.com", audience, subject, *entries, repository_id=repository_id)


JOBS = {
    "shop": _github("repo:acme/shop:ref:refs/heads/main", "345", "shop"),
    "shop, with IDs": _github("repo:acme@12/shop@345:ref:refs/heads/main", "345", "shop"),
    "shop, renamed": _github("repo:acme@12/store@345:ref:refs/heads/main", "345", "shop"),
    "shop, after its owner was renamed": _github("repo:corp@12/store@345:ref:refs/heads/main", "345"),
    "shop, after a transfer": _github(
        "repo:evil@9/shop@345:job_workflow_ref:evil/shop/x@refs/heads/y@12/a@345:ref:refs/heads/main", "345"
    ),
    "the old name of shop": _github("repo:acme/shop:ref:refs/heads/main", "678"),
    "a branch of shop": _github("repo:acme/shop:ref:refs/heads/main2", "345"),
    "a tag of shop": _github("repo:acme@12/shop@345:ref:refs/tags/main", "345"),
    "shop, for others": _github("repo:acme/shop:ref:refs/heads/main", "345", audience="https://github.com/acme"),
    "other": _github("repo:acme/other:environment:prod", "678", "other"),
    "other, with IDs": _github("repo:acme@12/other@678:environment:prod", "678", "other"),
    "an environment of other": _github("repo:acme/other:environment:production", "678"),
    "gitlab": _job("gitlab.com", "ecr", "project_path:acme/shop:ref_type:branch:ref:a/b", "gitlab"),
    "another project": _job("gitlab.com", "ecr", "project_path:acme/shopping:ref_type:branch:ref:main"),
    "another issuer": _job("gitlab.example", "ecr", "project_path:acme/shop:ref_type:branch:ref:main"),
}
MOMENTS = tuple(product(TIMES, ADDRESSES))


def _may(document: DesiredValue | None, caller: Caller | None, actions: Iterable[str], resource: str) -> Moments:
    """The moments at which a document allows all of the actions; `caller`: None for the document's own identity."""
    if not isinstance(document, Document):
        return frozenset()
    raw = json.loads(document.text)
    found: set[tuple[str, str | None]] = set()
    for time, address in MOMENTS:
        values = {"aws:currenttime": time} | ({} if address is None else {"aws:sourceip": address})
        values |= caller.context if caller else {}
        context = {key: (value,) for key, value in values.items()}
        principal = "" if caller is None else caller.principal
        if all(allowed(raw, Request(principal, action, resource, context)) for action in actions):
            found.add((time, address))
    return frozenset(found)


def when(grants: Iterable[Grant]) -> Moments:
    """The moments at which one of the grants holds."""
    some = tuple(grants)
    return frozenset(moment for moment in MOMENTS if any(one.limits.holds(*moment) for one in some))


def when_pushing(grants: Iterable[Grant]) -> Moments:
    """The moments at which a session of the grants' role may push, whoever opened it."""
    some = tuple(grants)
    ends = [one.limits.until for one in some]
    same = {one.limits.networks for one in some}
    every = frozenset(MOMENTS)
    if all(ends):
        every &= frozenset().union(*(when([one._replace(limits=one.limits._replace(networks=()))]) for one in some))
    if len(same) == 1:
        every &= when([some[0]._replace(limits=some[0].limits._replace(until=""))])
    return every


class Side(NamedTuple):
    """One document and one request: when it allows it, and when the grants say so."""

    what: str
    allows: Moments
    says: Moments


def _sides(documents: Mapping[Address, DesiredValue], target: Target, grants: tuple[Grant, ...]) -> Iterator[Side]:
    """Everything that the documents of a target may allow."""
    by_kind = {(address.kind, address.name): value for address, value in documents.items()}
    pulls = [one for one in grants if not one.role]
    match target:
        case RepositoryTarget(name=name):
            document = by_kind.get((AddressKind.REPOSITORY_POLICY, ""))
            yield from _pulling(document, f'"{name}"' if "*" in name else name, pulls)
        case RoleTarget(account=account, name=role) if account == HOME:
            yield from _of_role(by_kind, role, [one for one in grants if one.role == role])
        case _:
            who = next(who for who, identity in IDENTITIES.items() if identity == target)
            own = [one for one in grants if one.who == who]
            inline = AddressKind.IDENTITY_POLICY
            yield from _own(by_kind.get((inline, "ecr-warden-pull")), by_kind.get((inline, "ecr-warden-assume")), own)


def _pulling(document: DesiredValue | None, name: str, pulls: Iterable[Grant]) -> Iterator[Side]:
    here = [one for one in pulls if one.repository == name]
    for asks, caller in CALLERS.items():
        says = when(one for one in here if one.who in caller.is_let_in)
        yield Side(f"{asks} pulls from {name}", _may(document, caller, PULL, ARNS[name]), says)
        yield Side(f"{asks} pushes to {name}", _may(document, caller, ("ecr:PutImage",), ARNS[name]), frozenset())


def _of_role(by_kind: Mapping[tuple[AddressKind, str], DesiredValue], role: str, grants: list[Grant]) -> Iterator[Side]:
    trust, own = by_kind[AddressKind.TRUST_POLICY, ""], by_kind[AddressKind.IDENTITY_POLICY, "ecr-warden-push"]
    for action, asking in (("sts:AssumeRole", CALLERS), ("sts:AssumeRoleWithWebIdentity", JOBS)):
        for asks, caller in asking.items():
            says = when(one for one in grants if one.who in caller.is_let_in)
            yield Side(f"{asks} assumes {role}", _may(trust, caller, (action,), ROLE_ARNS[role]), says)
    for name, arn in ARNS.items():
        pushed = any(one.repository == name for one in grants)
        says = when_pushing(grants) if pushed else frozenset()
        yield Side(f"{role} pushes to {name}", _may(own, None, PUSH, arn), says)
    yield Side(f"{role} logs in", _may(own, None, (TOKEN,), "*"), frozenset(MOMENTS))
    yield Side(f"{role} pushes elsewhere", _may(own, None, ("ecr:PutImage",), ELSEWHERE), frozenset())


def _own(pulling: DesiredValue | None, assuming: DesiredValue | None, grants: list[Grant]) -> Iterator[Side]:
    for name, arn in ARNS.items():
        says = when(one for one in grants if one.repository == name and not one.role)
        yield Side(f"pulls from {name}", _may(pulling, None, PULL, arn), says)
    for role, arn in ROLE_ARNS.items():
        says = when(one for one in grants if one.role == role)
        yield Side(f"assumes {role}", _may(assuming, None, ("sts:AssumeRole",), arn), says)
    logs_in = frozenset(MOMENTS) if any(not one.role for one in grants) else frozenset()
    yield Side("logs in", _may(pulling, None, (TOKEN,), "*"), logs_in)
    yield Side("pulls elsewhere", _may(pulling, None, PULL[:1], ELSEWHERE), frozenset())


def loaded(drawn: Drawn) -> Valid:
    """The spec, which has no error."""
    found = load_spec(drawn.text.encode(), now=NOW, accepted=True)
    assert isinstance(found, Valid), (drawn.text, found)
    return found


def _every_side(drawn: Drawn, compiled: CompiledSpec) -> Iterator[Side]:
    for entry in compiled.targets.values():
        yield from _sides(entry.granted, entry.target, drawn.grants)
        if compiled.mode_of(entry.target) is Mode.ENFORCE:
            yield from _sides(entry.documents, entry.target, drawn.enforced)
    for pattern in compiled.patterns:
        spec = pattern.spec_of(pattern.target)
        yield from _sides(spec.documents, spec.target, drawn.grants)


@examples.of(15)
@given(specs())
def test_documents_give_what_the_grants_say_at_every_time_and_from_everywhere(drawn: Drawn) -> None:
    found = loaded(drawn)
    sides = [*_every_side(drawn, found.compiled)]
    own = [one for one in drawn.grants if one.who == "dev"]
    for document in written_by_hand(found.spec).values():
        sides += _own(document, document, own)
    assert [side for side in sides if side.allows != side.says] == []
    # No target is missing either.
    roles = {one.role for one in drawn.grants if one.role}
    people = {one.who for one in drawn.grants} & IDENTITIES.keys()
    keys = {RoleTarget(HOME, role).key for role in roles} | {IDENTITIES[who].key for who in people}
    keys |= {RepositoryTarget(HOME, REGION, name).key for name in REPOSITORIES if "*" not in name}
    assert found.compiled.targets.keys() == keys


@pytest.mark.thorough
def test_grants_of_every_kind_are_drawn() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=40, database=None, derandomize=True)
    @given(specs())
    def draw(drawn: Drawn) -> None:
        compiled = loaded(drawn).compiled
        shared = [entry for entry in compiled.targets.values() if entry.observed]
        seen["some grants of a document are observed"] += bool(shared)
        seen["all is enforced"] += drawn.enforced == drawn.grants
        seen["all is observed"] += not drawn.enforced
        seen["a role that ends"] += any(entry.ends for entry in compiled.targets.values())
        for one in drawn.grants:
            kind = "pushes" if one.role else "pulls"
            seen[f"{one.who} {kind}"] += 1
            seen[f"{kind} until an end"] += bool(one.limits.until)
            seen[f"{kind} from networks"] += bool(one.limits.networks)
            seen[f"{kind} from networks until an end"] += bool(one.limits.networks and one.limits.until)

    draw()
    assert len(seen) == 4 + 7 + 7 + 6
    assert min(seen.values()) >= 5, seen
