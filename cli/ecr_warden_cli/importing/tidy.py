"""The same access in fewer words: one entry for repositories that are alike, a team for a list that comes again."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace

from ecr_warden.access_spec.accounts import is_name
from ecr_warden.access_spec.spec import Limits, PullGrant, Spec, SpecPrincipal, SpecRepository
from iam_access.gather import gather

_LEAST_MEMBERS, _LEAST_USES = 2, 2

type Members = frozenset[SpecPrincipal]


def with_lists(spec: Spec, notes: Mapping[str, object], waiting: Collection[str]) -> Spec:
    """The spec with one entry for repositories of which everything is equal, also the notes.

    `notes`, `waiting`: by the key of a target; those that wait stay alone.
    """

    def alike(entry: SpecRepository) -> object:
        where = tuple((target.account, target.region, notes.get(target.key)) for target in entry.targets)
        return entry.targets if entry.targets[0].key in waiting else (replace(entry, targets=()), where)

    groups = gather((alike(entry), entry) for entry in spec.repositories)
    together = (
        replace(some[0], targets=tuple(target for entry in some for target in entry.targets))
        for some in groups.values()
    )
    return replace(spec, repositories=tuple(together))


def with_teams(spec: Spec) -> Spec:
    """The spec with a team for each list of principals that several entries have."""
    uses = gather((members, entry.targets[0].name) for entry in spec.repositories for members in _lists(entry))
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
    pulling = ((grant, grant.puller) for grant in grants if isinstance(grant.puller, SpecPrincipal))
    found = gather(((grant.limits, grant.importing, grant.reads), puller) for grant, puller in pulling)
    return {key: frozenset(members) for key, members in found.items()}


def _team_name(repositories: Sequence[str], taken: Collection[str]) -> str:
    """By the part of the names that all the team's repositories begin with, else by number."""
    parts = {name.partition("/")[0] for name in repositories}
    base = f"{parts.pop()}-team" if len(parts) == 1 else "team"
    base = base if is_name(base) else "team"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
