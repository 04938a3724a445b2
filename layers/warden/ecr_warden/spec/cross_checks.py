"""What the entries of a spec say together: nothing twice, and each push role for one repository unless it is shared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ecr_warden.model.address import AddressKind
from ecr_warden.model.target import OwnerTarget
from ecr_warden.spec.patterns import check_patterns
from ecr_warden.spec.problems import Code, Place, quote
from ecr_warden.spec.report import Report
from ecr_warden.spec.spec import Literal, Principal, PushGrant, Repository, Spec


@dataclass(frozen=True, slots=True)
class _Role:
    """The first grant of a push role, and its repository."""

    grant: PushGrant
    repository: Repository


def cross_check(spec: Spec, places: dict[OwnerTarget, Place], report: Report) -> None:
    """Report what no entry shows by itself; `places` is where each principal was first named."""
    repositories = _check_repositories(spec, report)
    check_patterns(spec, report)
    roles = _check_roles(spec, report)
    _check_ends(spec, report)
    _check_literals(spec, repositories, roles, report)
    for owner, place in places.items():
        if owner.key in roles and owner in _principals(spec):
            message = f"{quote(owner.name)} is the push role of line {roles[owner.key].grant.place.line}"
            report.add(Code.PUSH_ROLE_AS_PRINCIPAL, place, message)


def _principals(spec: Spec) -> frozenset[OwnerTarget]:
    named = (principal for members in spec.teams.values() for principal in members)
    pulls = (principal for repository in spec.repositories for principal in repository.pulling)
    pushes = (principal for _, grant in _grants(spec) for principal in grant.by)
    return frozenset(principal.owner for group in (named, pulls, pushes) for principal in group)


def _grants(spec: Spec) -> Iterator[tuple[Repository, PushGrant]]:
    return ((repository, grant) for repository in spec.repositories for grant in repository.push)


def _check_repositories(spec: Spec, report: Report) -> dict[str, Repository]:
    """Every repository by the key of each of its targets."""
    named: dict[tuple[str, str], Repository] = {}
    keys: dict[str, Repository] = {}
    for repository in spec.repositories:
        for target in repository.targets:
            keys.setdefault(target.key, repository)
            first = named.setdefault((target.account, target.name), repository)
            if first is not repository:
                message = f"the repository {quote(target.name)} is on line {first.place.line} already"
                report.add(Code.REPOSITORY_TWICE, repository.place, message)
                break
    return keys


def _check_roles(spec: Spec, report: Report) -> dict[str, _Role]:
    """Every push role by its key."""
    roles: dict[str, _Role] = {}
    durations: dict[str, int] = {}
    pulling: dict[tuple[str, Place], PushGrant] = {}
    for repository, grant in _grants(spec):
        key = grant.role.key
        first = roles.setdefault(key, _Role(grant, repository))
        if first.grant.role != grant.role:
            message = f"{quote(grant.role.name)} is {quote(first.grant.role.name)} on line {first.grant.place.line}"
            report.add(Code.TWO_SPELLINGS, grant.place, message)
        elif first.repository is not repository and not (first.grant.shared and grant.shared):
            message = (
                f"the role {quote(grant.role.name)} pushes to the repository of line {first.repository.place.line}"
            )
            report.add(Code.SHARED_ROLE, grant.place, message)
        elif first.repository is not repository and (first.repository.excluded or repository.excluded):
            message = f"the role {quote(grant.role.name)} is shared, and one of its repositories has except:"
            report.add(Code.SHARED_ROLE, grant.place, message, remedy="give the pattern a role of its own")
        beside = pulling.setdefault((key, repository.place), grant)
        if beside.pull is not grant.pull:
            said = "true" if beside.pull else "not true"
            message = f"pull is {said} at the grant of the role {quote(grant.role.name)} on line {beside.place.line}"
            report.add(Code.PULL_IN_PART, grant.place, message)
        if grant.max_session_duration is not None:
            known = durations.setdefault(key, grant.max_session_duration)
            if known != grant.max_session_duration:
                message = f"{known} and {grant.max_session_duration} seconds for the role {quote(grant.role.name)}"
                report.add(Code.DURATION_TWICE, grant.place, message)
    return roles


def _check_ends(spec: Spec, report: Report) -> None:
    ends: dict[tuple[str, Principal], datetime | None] = {}
    for _, grant in _grants(spec):
        for principal in grant.by:
            key = (grant.role.key, principal)
            if key not in ends:
                ends[key] = grant.until
            elif ends[key] != grant.until:
                message = f"two ends for {principal.arn} on the role {quote(grant.role.name)}"
                report.add(Code.TWO_ENDS, grant.place, message)


def _check_literals(spec: Spec, repositories: dict[str, Repository], roles: dict[str, _Role], report: Report) -> None:
    seen: dict[tuple[AddressKind, str, str], Place] = {}
    exclusive: dict[str, Literal] = {}
    for literal in spec.literals:
        # A repository policy has an address for each region: the first that clashes is enough to say it.
        for address in literal.addresses:
            key = address.target.key
            first = seen.setdefault((address.kind, key, address.name), literal.place)
            if first != literal.place:
                message = f"{address} is described on line {first.line} already"
                report.add(Code.ADDRESS_TWICE, literal.place, message)
                break
            if key in repositories:
                message = f"{address} is described by the grants of line {repositories[key].place.line} already"
                report.add(Code.ADDRESS_TWICE, literal.place, message)
                break
            if key in roles:
                message = f"{address} is on the push role of line {roles[key].grant.place.line}"
                report.add(Code.LITERAL_ON_PUSH_ROLE, literal.place, message)
            before = exclusive.setdefault(key, literal)
            if before.exclusive != literal.exclusive:
                said = "true" if before.exclusive else "not true"
                message = f"exclusive is {said} at another document of {address.target}, on line {before.place.line}"
                report.add(Code.EXCLUSIVE_IN_PART, literal.place, message)
