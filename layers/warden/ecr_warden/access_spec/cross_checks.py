"""Checks across entries: nothing twice, one entry for a repository in a region, one repository for a push role."""

from collections.abc import Iterator

from msgspec import Struct

from ecr_warden.access_spec.compile import by_role, common_limits
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, quote
from ecr_warden.access_spec.spec import (
    DEFAULT_SESSION_DURATION,
    Limits,
    Literal,
    Pusher,
    PushGrant,
    Spec,
    SpecPrincipal,
    SpecRepository,
)
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import Mode
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.gather import gather
from iam_access.text.printable import show_time


class _Role(Struct, frozen=True):
    """The first grant of a push role, and its repository."""

    grant: PushGrant
    repository: SpecRepository


def cross_check(spec: Spec, places: dict[IdentityTarget, Place], report: ProblemReport) -> None:
    """Report conflicts between entries; `places` is where each principal is first named."""
    repositories = _check_repositories(spec, report)
    _check_patterns(spec, report)
    roles = _check_roles(spec, report)
    _check_ends(spec, report)
    _check_modes(spec, report)
    _check_literals(spec, repositories, roles, report)
    for identity, place in places.items():
        if identity.key in roles and identity in _principals(spec):
            report.add(
                Code.PUSH_ROLE_AS_PRINCIPAL,
                place,
                f"{quote(identity.name)} is the push role on line {roles[identity.key].grant.place.line}",
            )


def _principals(spec: Spec) -> frozenset[IdentityTarget]:
    named = (principal for members in spec.teams.values() for principal in members)
    pulls = (principal for repository in spec.repositories for principal in repository.pulling)
    pushes = (pusher for _, grant in _grants(spec) for pusher in grant.by if isinstance(pusher, SpecPrincipal))
    return frozenset(principal.identity for group in (named, pulls, pushes) for principal in group)


def _grants(spec: Spec) -> Iterator[tuple[SpecRepository, PushGrant]]:
    return ((repository, grant) for repository in spec.repositories for grant in repository.push)


def _check_repositories(spec: Spec, report: ProblemReport) -> dict[str, SpecRepository]:
    """The repositories by the keys of their targets."""
    named: dict[str, SpecRepository] = {}
    for repository in spec.repositories:
        for target in repository.targets:
            first = named.setdefault(target.key, repository)
            if first is not repository:
                report.add(
                    Code.REPOSITORY_TWICE,
                    repository.place,
                    f"the repository {quote(target.name)} in {target.region} is already on line {first.place.line}",
                )
                break
    return named


def _check_roles(spec: Spec, report: ProblemReport) -> dict[str, _Role]:
    """The push roles by key."""
    roles: dict[str, _Role] = {}
    durations: dict[str, int] = {}
    pulling: dict[tuple[str, Place], PushGrant] = {}
    for repository, grant in _grants(spec):
        key = grant.role.key
        first = roles.setdefault(key, _Role(grant, repository))
        if first.grant.role != grant.role:
            other = f"{quote(first.grant.role.name)} on line {first.grant.place.line}"
            message = f"{quote(grant.role.name)} and {other} are the same role"
            report.add(Code.TWO_SPELLINGS, grant.place, message)
        elif first.repository is not repository:
            other = first.repository.targets[0].name
            report.add(
                Code.SHARED_ROLE, grant.place, f"the role {quote(grant.role.name)} also pushes to {quote(other)}"
            )
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


def _check_ends(spec: Spec, report: ProblemReport) -> None:
    """Report a principal with two limits, and warn of an end that interrupts other grants of the role."""
    ends: dict[tuple[str, Pusher], Limits] = {}
    unclear: set[RoleTarget] = set()
    for _, grant in _grants(spec):
        for pusher in grant.by:
            limits = ends.setdefault((grant.role.key, pusher), grant.limits)
            if limits.until != grant.limits.until:
                message = f"two end times for {pusher} on the role {quote(grant.role.name)}"
                report.add(Code.TWO_ENDS, grant.place, message)
                unclear.add(grant.role)
            elif limits != grant.limits:
                message = f"two lists of networks for {pusher} on the role {quote(grant.role.name)}"
                report.add(Code.TWO_LIMITS, grant.place, message)
    for role, grants in by_role(spec).items():
        some = [grant for _, grant in grants]
        common = common_limits(some).until
        for repository, grant in grants if role not in unclear else ():
            if (until := grant.limits.until) in (None, common):
                continue
            message = f"the role {quote(grant.role.name)} has grants that go on after {show_time(until)}"
            if (repository.mode or spec.mode) is Mode.ENFORCE:
                message += ", and all its sessions end then: whoever goes on has to assume it again"
            else:
                duration = next(
                    (push_grant.max_session_duration for push_grant in some if push_grant.max_session_duration), None
                )
                lasts = f"{duration or DEFAULT_SESSION_DURATION} s"
                message += f", and mode observe ends no session: one opened just before lives on for {lasts}"
            report.add(Code.OTHERS_SESSIONS_END, grant.place, message)


def _check_modes(spec: Spec, report: ProblemReport) -> None:
    """Warn of an enforced grant whose other side is in an account where nothing is written."""
    observed = {account.id: account.alias for account in spec.accounts if account.mode is Mode.OBSERVE}
    for repository in spec.repositories:
        if not observed or (repository.mode or spec.mode) is Mode.OBSERVE:
            continue
        by = (pusher for grant in repository.push for pusher in grant.by if isinstance(pusher, SpecPrincipal))
        accounts = {principal.identity.account for principal in (*repository.pulling, *by)}
        for account in sorted(accounts & observed.keys()):
            report.add(
                Code.OBSERVED_SIDE,
                repository.place,
                f"the account {quote(observed[account])} has mode: observe, so its users and roles get no policy",
            )


def _check_literals(
    spec: Spec, repositories: dict[str, SpecRepository], roles: dict[str, _Role], report: ProblemReport
) -> None:
    seen: dict[tuple[AddressKind, str, str], Place] = {}
    exclusive: dict[str, Literal] = {}
    for literal in spec.literals:
        # A repository policy has an address for each region: one report is enough.
        for address in literal.addresses:
            key = address.target.key
            first = seen.setdefault((address.kind, key, address.name), literal.place)
            if first != literal.place:
                message = f"{address} is already described on line {first.line}"
                report.add(Code.ADDRESS_TWICE, literal.place, message)
                break
            if key in repositories:
                message = f"{address} is already described by the grants on line {repositories[key].place.line}"
                report.add(Code.ADDRESS_TWICE, literal.place, message)
                break
            if key in roles:
                message = f"{address} belongs to the push role on line {roles[key].grant.place.line}"
                report.add(Code.LITERAL_ON_PUSH_ROLE, literal.place, message)
            before = exclusive.setdefault(key, literal)
            if before.exclusive != literal.exclusive:
                said = "true" if before.exclusive else "not true"
                message = f"exclusive is {said} at another document of {address.target}, on line {before.place.line}"
                report.add(Code.EXCLUSIVE_IN_PART, literal.place, message)


_MOST_COMPARED = 1_000_000
"""Two patterns that may meet take up to 25 microseconds: half a minute of what accept has."""


class _Entry(Struct, frozen=True):
    """A repository or pattern in one region; of what a pattern excludes, names and patterns."""

    target: RepositoryTarget
    place: Place
    names: frozenset[str]
    patterns: tuple[str, ...]

    def starting(self, end: int | None = None) -> tuple[str, str, str]:
        """Its registry, and what its names begin with, up to `end`."""
        return self.target.account, self.target.region, self.target.name.partition("*")[0][:end]

    def excludes(self, name: str) -> bool:
        """Whether it excludes all that a name or pattern stands for."""
        return name in self.names or any(pattern_covers(one, name) for one in self.patterns)


def _check_patterns(spec: Spec, report: ProblemReport) -> None:
    """Report a repository that a pattern matches although another entry names it.

    No entry can take precedence: the pattern's push role is in the repository's own account, where its identity policy
    alone lets it push. Two that meet begin alike: each is compared with the patterns that begin as it does, or shorter.
    """
    entries = list(_entries(spec))
    alike = gather((entry.starting(), index) for index, entry in enumerate(entries) if "*" in entry.target.name)
    found: dict[Place, tuple[int, int]] = {}
    compared = 0
    for index, entry in enumerate(entries):
        near = [other for end in range(len(entry.starting()[2]) + 1) for other in alike.get(entry.starting(end), ())]
        compared += sum(1 + len(entries[other].patterns) + len(entry.patterns) for other in near)
        if compared > _MOST_COMPARED:
            report.add(Code.TOO_MANY_PATTERNS, entry.place)
            break
        for other in near:
            pair = (min(index, other), max(index, other)) if "*" in entry.target.name else (other, index)
            one, later = entries[pair[0]], entries[pair[1]]
            if one.place != later.place and _may_overlap(one, later):
                found[later.place] = min(pair, found.get(later.place, pair))
    for at, pair in found.items():
        pattern, name = entries[pair[0]], entries[pair[1]].target.name
        report.add(
            Code.UNDER_PATTERN, at, f"{quote(name)} matches {quote(pattern.target.name)} on line {pattern.place.line}"
        )


def _entries(spec: Spec) -> Iterator[_Entry]:
    for repository in spec.repositories:
        names = frozenset(repository.excluded)
        patterns = tuple(one for one in repository.excluded if "*" in one)
        yield from (_Entry(target, repository.place, names, patterns) for target in repository.targets)
    for literal in spec.literals:
        for address in literal.addresses:
            if isinstance(address.target, RepositoryTarget):
                yield _Entry(address.target, literal.place, frozenset(), ())


def _may_overlap(one: _Entry, other: _Entry) -> bool:
    """Whether some name may match both; False is certain."""
    a, b = one.target.name, other.target.name
    return patterns_meet(a, b) and not one.excludes(b) and not other.excludes(a)
