"""Checks across entries of the spec: nothing twice, no repository in two entries, one repository for a push role."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from ecr_warden.model.address import AddressKind
from ecr_warden.model.target import OwnerTarget, RepositoryTarget
from ecr_warden.policy.pattern import pattern_covers, patterns_meet
from ecr_warden.spec.problems import Code, Place, Report, quote
from ecr_warden.spec.spec import Literal, Principal, PushGrant, Repository, Spec


class _Role(Struct, frozen=True):
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


class _Entry(Struct, frozen=True):
    """A repository or pattern of the file, in one region."""

    target: RepositoryTarget
    excluded: tuple[str, ...]
    place: Place


def check_patterns(spec: Spec, report: Report) -> None:
    """Report what a pattern takes in though another entry names it.

    An exception is asked for because the two sides of a push have no order of precedence: the pattern's push role is
    in the repository's own account, where its policy alone lets it push.
    """
    entries = list(_entries(spec))
    told: set[Place] = set()
    for index, pattern in enumerate(entries):
        if "*" not in pattern.target.name:
            continue
        for other_index, other in enumerate(entries):
            after = other_index > index or "*" not in other.target.name
            if after and other.place not in told | {pattern.place} and _both_take_in(pattern, other):
                message = f"{quote(other.target.name)} fits {quote(pattern.target.name)} of line {pattern.place.line}"
                report.add(Code.UNDER_PATTERN, other.place, message)
                told.add(other.place)


def _entries(spec: Spec) -> Iterator[_Entry]:
    for repository in spec.repositories:
        yield from (_Entry(target, repository.excluded, repository.place) for target in repository.targets)
    for literal in spec.literals:
        for address in literal.addresses:
            if isinstance(address.target, RepositoryTarget):
                yield _Entry(address.target, (), literal.place)


def _both_take_in(one: _Entry, other: _Entry) -> bool:
    """Whether some name may fit both; a no is certain."""
    a, b = one.target, other.target
    return (
        (a.account, a.region) == (b.account, b.region)
        and patterns_meet(a.name, b.name)
        and not any(pattern_covers(excluded, b.name) for excluded in one.excluded)
        and not any(pattern_covers(excluded, a.name) for excluded in other.excluded)
    )


def excluded_targets(repository: Repository) -> Iterator[RepositoryTarget]:
    """What a pattern leaves out, in each of its regions."""
    for target in repository.targets:
        yield from (RepositoryTarget(target.account, target.region, name) for name in repository.excluded)
