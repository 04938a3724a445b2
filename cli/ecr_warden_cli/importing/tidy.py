"""The same access in fewer words: teams, and on request patterns."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace

from ecr_warden.access_spec.accounts import is_name
from ecr_warden.access_spec.spec import Limits, PullGrant, Spec, SpecPrincipal, SpecRepository

_LEAST_MEMBERS, _LEAST_USES, _LEAST_REPOSITORIES = 2, 2, 3

type Members = frozenset[SpecPrincipal]


# Teams


def with_teams(spec: Spec) -> Spec:
    """The spec with a team for each list of principals that several entries have."""
    uses: defaultdict[Members, list[str]] = defaultdict(list)
    for entry in spec.repositories:
        for members in _lists(entry):
            uses[members].append(entry.targets[0].name)
    shared = {one: names for one, names in uses.items() if len(one) >= _LEAST_MEMBERS and len(names) >= _LEAST_USES}
    teams: dict[str, tuple[SpecPrincipal, ...]] = {}
    for members in sorted(shared, key=lambda one: (-len(shared[one]), sorted(principal.arn for principal in one))):
        name = _team_name(shared[members], teams.keys() | {account.alias for account in spec.accounts})
        teams[name] = tuple(sorted(members, key=lambda principal: principal.arn))
    return replace(spec, teams=dict(sorted(teams.items())))


def _lists(entry: SpecRepository) -> Iterator[Members]:
    yield from grouped(entry.pull).values()
    yield from (frozenset(one for one in grant.by if isinstance(one, SpecPrincipal)) for grant in entry.push)


def grouped(grants: Iterable[PullGrant]) -> Mapping[tuple[Limits, bool, tuple[str, ...]], Members]:
    """The users and roles that pull, by what else their grants say."""
    found: defaultdict[tuple[Limits, bool, tuple[str, ...]], set[SpecPrincipal]] = defaultdict(set)
    for grant in grants:
        if isinstance(grant.puller, SpecPrincipal):
            found[grant.limits, grant.importing, grant.reads].add(grant.puller)
    return {key: frozenset(members) for key, members in found.items()}


def _team_name(repositories: Sequence[str], taken: Collection[str]) -> str:
    """By the part of the names that all the team's repositories begin with, else by number."""
    parts = {name.partition("/")[0] for name in repositories}
    base = f"{parts.pop()}-team" if len(parts) == 1 else "team"
    base = base if is_name(base) else "team"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


# Patterns


def patterns_for(
    spec: Spec, named: Iterable[tuple[str, str]]
) -> Iterator[tuple[SpecRepository, tuple[SpecRepository, ...]]]:
    """Patterns `PREFIX/*`, each with the entries that it can replace, the widest first.

    Every repository that exists (`named`: account and name) and begins with the prefix has the same pullers, and nobody
    who pushes.
    """
    by_prefix: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for account, name in named:
        for prefix in _prefixes(name):
            by_prefix[account, prefix].append(name)
    entries: defaultdict[tuple[str, str], list[SpecRepository]] = defaultdict(list)
    for repository in spec.repositories:
        entries[repository.targets[0].account, repository.targets[0].name].append(repository)
    done: set[tuple[str, str]] = set()
    for (account, prefix), names in sorted(by_prefix.items(), key=lambda item: (len(item[0][1]), item[0])):
        found = [spec_repository for name in names for spec_repository in entries[account, name]]
        # A pattern without pullers would take the policy of every repository that is created under it.
        several = tuple(
            spec_repository
            for spec_repository in found
            if spec_repository.pull and not (spec_repository.push or spec_repository.beside or spec_repository.mode)
        )
        if (
            len(several) < max(_LEAST_REPOSITORIES, len(names))
            or len({_access(spec_repository) for spec_repository in several}) > 1
        ):
            continue
        if not any((account, name) in done for name in names):
            done.update((account, name) for name in names)
            targets = tuple(replace(target, name=f"{prefix}*") for target in several[0].targets)
            yield replace(several[0], targets=targets), several


def _access(entry: SpecRepository) -> object:
    regions = tuple(target.region for target in entry.targets)
    return regions, entry.pull, entry.foreign, entry.pull_scope


def _prefixes(name: str) -> Iterator[str]:
    at = name.find("/")
    while at >= 0:
        yield name[: at + 1]
        at = name.find("/", at + 1)


def with_patterns(spec: Spec, chosen: Mapping[SpecRepository, tuple[SpecRepository, ...]]) -> Spec:
    """The spec with patterns in place of the entries that they replace."""
    gone = {repository.targets for several in chosen.values() for repository in several}
    kept = [repository for repository in spec.repositories if repository.targets not in gone]
    return replace(spec, repositories=tuple(sorted((*kept, *chosen), key=lambda repository: repository.targets)))
