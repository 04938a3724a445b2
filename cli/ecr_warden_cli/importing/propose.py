"""An estate to the spec that describes it, as values: what grants say exactly as grants, the rest word for word."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.access_spec.compile import PULL_POLICY, identity_grants
from ecr_warden.access_spec.render import pull_permissions
from ecr_warden.access_spec.spec import Literal, PullGrant, PullScope, Spec, SpecRepository
from ecr_warden.audit.providers import GapKind, Trust, gaps
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import Mode
from ecr_warden.core.estate import Repository, target_of
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget
from ecr_warden_cli.importing.federation import names_repositories_together
from ecr_warden_cli.importing.notes import Note, NoteKind
from ecr_warden_cli.importing.outside import IN_PLACE, OutsidePart
from ecr_warden_cli.importing.policies import (
    KEEP,
    Exact,
    Grants,
    Narrower,
    Reading,
    beyond_note,
    policy_notes,
    read_beside,
    read_policy,
    unnamed_in,
    without_deleted,
)
from ecr_warden_cli.importing.roles import find_pushing
from ecr_warden_cli.importing.spec_text import principal_text, pull_value
from ecr_warden_cli.importing.tidy import with_lists
from ecr_warden_cli.importing.world import World, inline_size, repositories_by_name
from ecr_warden_cli.terminal.yaml_values import flow
from iam_access.document.document import ROLE_INLINE_QUOTA, USER_INLINE_QUOTA, Document, policy_size
from iam_access.gather import gather
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Unread
from iam_access.once import once
from iam_access.text.printable import listed

_OVER_QUOTA = Note(
    NoteKind.OVER_QUOTA,
    "the policies of its pullers have no room left for it",
    "let roles pull instead of users",
    KEEP,
)

type Notes = Mapping[str, tuple[Note, ...]]
type Waiting = Mapping[str, tuple[SpecRepository | Literal, ...]]


class Proposal(Struct, frozen=True):
    """A spec that was not checked yet. `notes` by the key of a target."""

    spec: Spec
    notes: Notes
    left_out: tuple[str, ...] = ()
    """Keys of what it does not say."""
    waiting: Waiting = {}
    """By the key of a target that lets in outsiders, the entries that would say so."""


class _Candidate(Struct, frozen=True):
    """One repository: its policy, what is said of it, and with which pull scopes that changes no access."""

    target: RepositoryTarget
    document: Document | None
    outside: OutsidePart | None
    """What else the live policy says, for outsiders."""
    reading: Reading
    """The policy as grants alone."""
    grants: Grants
    """What the entry says."""
    scopes: tuple[PullScope, ...]


type Regions = Sequence[_Candidate]
"""A repository in some of its regions."""


def propose(world: World) -> Proposal:
    """The spec of an estate."""
    notes: list[tuple[str, Note]] = []
    left_out: list[str] = []
    entries: list[SpecRepository] = []
    examined = _Examined(world)
    for repositories in repositories_by_name(world.estate).values():
        found = [(live.target.key, _candidate(live, examined)) for live in repositories]
        candidates = [one for _, one in found if isinstance(one, _Candidate)]
        refused = [(key, one) for key, one in found if isinstance(one, Note)]
        left_out += [key for key, _ in refused]
        alike = _alike(candidates)
        notes += refused
        notes += [(one.target.key, note) for one in candidates for note in _notes_of(one, alike, world)]
        entries += map(_entry, alike)
    entries, demoted = _within_quotas(entries, world)
    for entry in demoted:
        entries += literal_entries(entry, world)
        notes += [(target.key, _OVER_QUOTA) for target in entry.targets]
    pushing = find_pushing(world, entries)
    notes += [(key, note) for key, some in pushing.notes.items() for note in some]
    entries = [replace(repository, push=pushing.grants.get(repository.targets[0], ())) for repository in entries]
    spec = Spec(world.accounts, {}, tuple(entries), pushing.literals)
    notes += _of_issuers(world, spec)
    named = {address.target.key for literal in spec.literals for address in literal.addresses}
    left_out += sorted(key for key in pushing.notes if key not in named)
    said = {key: tuple(sorted(set(some))) for key, some in gather(notes).items()}
    waiting: Waiting = {**dict(_waiting(spec, world)), **pushing.waiting}
    # A push role serves one entry.
    return Proposal(with_lists(spec, said, waiting), said, tuple(left_out), waiting)


def _waiting(spec: Spec, world: World) -> Iterator[tuple[str, tuple[SpecRepository]]]:
    """The entries that would say what policies of repositories say for outsiders."""
    for entry in spec.repositories:
        key = entry.targets[0].key
        if key in world.outside:
            yield key, (replace(entry, mode=None, beside=world.outside[key].beside(entry.beside)),)


# Identity providers


def _of_issuers(world: World, spec: Spec) -> Iterator[tuple[str, Note]]:
    """What an account lacks of the identity providers that roles of the spec trust, by the target that says so.

    And which grants to jobs of GitHub are in doubt.
    """
    roles = {target_of(one).key: one for one in world.by_arn.values()}
    known = {account.id: account.providers for account in world.estate.accounts.values()}
    places = [(push.role, repository.targets[0].key) for repository in spec.repositories for push in repository.push]
    places += [
        (address.target, address.target.key)
        for literal in spec.literals
        for address in literal.addresses
        if address.kind is AddressKind.TRUST_POLICY and isinstance(address.target, RoleTarget)
    ]
    for role, key in dict.fromkeys(places):
        identity = roles.get(role.key)
        document = world.document(identity.trust) if identity else None
        if isinstance(document, Document):
            for gap in gaps([Trust(role.name, document)], known):
                if gap.kind is not GapKind.UNKNOWN:
                    yield key, Note(NoteKind.NO_PROVIDER, gap.because, gap.remedy, "create it later")
            if key != role.key and names_repositories_together(document):
                what = f"the trust policy of {role.name} does not say which of its GitHub repositories has which ID"
                better = "compare each with gh api repos/OWNER/REPO --jq '.owner.id, .id'"
                yield key, Note(NoteKind.DOUBTFUL, what, better, "keep them")


# One repository


class _Examined:
    """What was found of the policies of repositories: the same of equal ones in a registry."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._readings: dict[object, Reading] = {}
        self._wide: dict[object, bool] = {}

    def reading(self, document: Document | None, target: RepositoryTarget) -> Reading:
        """The policy as grants, which do not depend on the repository's name."""
        name = document, target.account, target.region
        return once(self._readings, name, lambda: read_policy(document, target, self.world))

    def scopes(self, grants: Grants, target: RepositoryTarget) -> Iterator[PullScope]:
        """The pull scopes with which nobody's identity policies would allow more than they do."""
        if not self._adds(grants, target, PullScope.REPOSITORY):
            yield PullScope.REPOSITORY
        name = grants.pull, target.account, target.region
        if once(self._wide, name, lambda: not self._adds(grants, target, PullScope.ACCOUNT)):
            yield PullScope.ACCOUNT

    def _adds(self, grants: Grants, target: RepositoryTarget, scope: PullScope) -> bool:
        return any(_without_policy(SpecRepository((target,), pull=grants.pull, pull_scope=scope), self.world))


def _candidate(repository: Repository, examined: _Examined) -> _Candidate | Note:
    target, world = repository.target, examined.world
    account = next(spec_account for spec_account in world.accounts if spec_account.id == target.account)
    if target.region not in account.regions:
        return Note(NoteKind.REFUSED, f"{target.region} is in a partition or form that a spec cannot name")
    document = world.policy_of(repository)
    if isinstance(document, Unread):
        if not document.text:
            return Note(
                NoteKind.UNREAD,
                f"its policy could not be read: {document.why}",
                "import again with the right to read it",
            )
        return Note(
            NoteKind.UNPARSEABLE,
            f"its policy cannot be parsed: {document.why}. The policy: {document.text}",
            "write a policy that AWS can read, and import again",
        )
    reading = examined.reading(document, target)
    outside = world.outside.get(target.key)
    scopes = ((grants, tuple(examined.scopes(grants, target))) for grants in _sayable(reading, document, target, world))
    grants, allowed = next(one for one in scopes if one[1])
    return _Candidate(target, document, outside, reading, grants, allowed)


def _sayable(reading: Reading, document: Document | None, target: RepositoryTarget, world: World) -> Iterator[Grants]:
    """What an entry may say: grants, grants with the rest beside them, and the policy as it is."""
    if isinstance(reading, Exact):
        yield reading.grants
    if document is not None:
        if apart := read_beside(document, target, world):
            yield apart
        yield Grants(beside=without_deleted(document))


def _without_policy(entry: SpecRepository, world: World) -> Iterator[Identity]:
    """The pullers whose own policies do not allow what the entry's would."""
    made: dict[object, Document] = {}
    arns = {principal.identity: principal.arn for principal in entry.pulling}
    for identity, grants in identity_grants(Spec((), repositories=(entry,))).items():
        # Most are given the same.
        given = frozenset(grants.named.items()), frozenset(grants.imported.items())
        if given not in made:
            made[given] = pull_permissions(grants.named, grants.imported)
        live = world.by_arn[arns[identity]]
        if not world.adds_nothing(live, made[given]):
            yield live


def _notes_of(candidate: _Candidate, alike: Sequence[Regions], world: World) -> list[Note]:
    """What looks wrong in a policy; `alike`: the repository's regions by entry."""
    notes = []
    if candidate not in alike[0]:
        other = "its policy is another one than in the repository's other regions"
        what = other if candidate.document else "it has no policy, and in other regions it has one"
        notes.append(Note(NoteKind.PER_REGION, what, "give it the same policy everywhere"))
    if candidate.outside is not None:
        notes.append(candidate.outside.note(IN_PLACE))
    if candidate.document is None:
        return notes
    seen = policy_notes(candidate.document, candidate.target, world)
    notes += seen
    if candidate.grants.beside is None:
        return notes
    found = candidate.reading.grants.pull if isinstance(candidate.reading, Exact | Narrower) else ()
    lacking = [*_without_policy(SpecRepository((candidate.target,), pull=found), world)]
    pull = flow({"pull": pull_value(found, world.alias)})
    accept = KEEP if candidate.grants.pull else f"put {pull} in place of beside:"
    match candidate.reading:
        case Exact() | Narrower() if lacking:
            names = listed(sorted(principal_text(identity.arn, world.alias) for identity in lacking), 4)
            what = f"no identity policy lets {names} log in and pull, and a grant would write one"
            notes.append(Note(NoteKind.NO_IDENTITY_POLICY, what, "remove whoever does not pull", accept))
        case Narrower(_, beyond):
            notes.append(beyond_note(beyond, accept))
        case _ if not seen:
            what = "conditions, patterns or actions that no grant says"
            sets = tuple(map(PullGrant, unnamed_in(candidate.document, world)))
            better = flow({"pull": pull_value(sets, world.alias)}) if sets else "name who pulls"
            notes.append(Note(NoteKind.OTHER_FORM, what, better, KEEP))
        case _:
            pass  # what was seen says why
    return notes


def _alike(candidates: Iterable[_Candidate]) -> list[Regions]:
    """The regions that one entry can describe together, those with pullers and the most regions first."""
    groups = gather(((one.grants, one.scopes, one.outside), one) for one in candidates)
    return sorted(groups.values(), key=lambda some: (bool(some[0].grants.pull), len(some)), reverse=True)


def _entry(regions: Regions) -> SpecRepository:
    grants = regions[0].grants
    return SpecRepository(
        tuple(region.target for region in regions),
        pull=grants.pull,
        pull_scope=regions[0].scopes[0],
        foreign=grants.foreign,
        beside=grants.beside,
        mode=Mode.OBSERVE if regions[0].outside else None,
    )


def literal_entries(entry: SpecRepository, world: World) -> Iterator[SpecRepository]:
    """The entry without grants for who pulls, for each region with a policy of its own."""
    for target in entry.targets:
        live = world.estate.registry_of(target).repositories.get(target.name)
        document = world.policy_of(live) if live else None
        if isinstance(document, Document) and (beside := without_deleted(document)):
            yield SpecRepository((target,), push=entry.push, beside=beside, mode=entry.mode)


# Quotas


def _within_quotas(
    entries: Sequence[SpecRepository], world: World
) -> tuple[list[SpecRepository], list[SpecRepository]]:
    """The entries whose identity policies fit beside those that exist, and those that must stay literal.

    An identity whose policies already name the whole registry gets `pull_scope: account` first.
    """
    kept = {entry.targets[0]: entry for entry in entries}
    demoted: list[SpecRepository] = []
    room = {target_of(identity): _room(identity) for identity in world.by_arn.values()}
    tried = set[RepositoryTarget]()
    while over := _over(kept.values(), room):
        mine = {key: entry for key, entry in kept.items() if any(puller.identity in over for puller in entry.pulling)}
        untried = [entry for key, entry in mine.items() if key not in tried]
        tried |= mine.keys()
        if wider := {entry.targets[0]: wide for entry in untried if (wide := _wider(entry, world)) is not None}:
            kept |= wider
        else:
            demoted += [kept.pop(key) for key in _without_room(mine, over, room)]
    return list(kept.values()), demoted


def _without_room(
    entries: Mapping[RepositoryTarget, SpecRepository],
    over: frozenset[IdentityTarget],
    room: Mapping[IdentityTarget, int],
) -> Sequence[RepositoryTarget]:
    """The entries that have to go: the last ones of each identity whose policy has no room for all of its own.

    `entries`: those of the identities in `over`.
    """
    gone = set[RepositoryTarget]()
    for identity in sorted(over, key=str):
        own = [entry for entry in entries.values() if any(puller.identity == identity for puller in entry.pulling)]
        left = [entry for entry in own if entry.targets[0] not in gone]
        gone |= {entry.targets[0] for entry in _too_many(identity, left, room[identity])}
    return sorted(gone)


def _too_many(identity: IdentityTarget, entries: Sequence[SpecRepository], room: int) -> Sequence[SpecRepository]:
    """The last of the entries, for which the policy of an identity has no room."""
    numbers = range(1, len(entries) + 1)
    fitting = bisect_left(numbers, True, key=lambda number: bool(_over(entries[:number], {identity: room})))
    return entries[fitting:]


def _wider(entry: SpecRepository, world: World) -> SpecRepository | None:
    """The entry with the pull scope `account`, if that changes no access."""
    if entry.pull_scope is PullScope.ACCOUNT:
        return None
    wide = replace(entry, pull_scope=PullScope.ACCOUNT)
    return None if any(_without_policy(wide, world)) else wide


def _room(identity: Identity) -> int:
    """How many characters of inline policies it may still get besides those that it has."""
    quota = USER_INLINE_QUOTA if identity.kind is IdentityKind.USER else ROLE_INLINE_QUOTA
    return quota - inline_size(identity, without=PULL_POLICY)


def _over(entries: Iterable[SpecRepository], room: Mapping[IdentityTarget, int]) -> frozenset[IdentityTarget]:
    """Whose pull policies would have no room."""
    sizes = {
        target: policy_size(pull_permissions(grants.named, grants.imported))
        for target, grants in identity_grants(Spec((), repositories=tuple(entries))).items()
        if target in room
    }
    return frozenset(target for target, size in sizes.items() if size > room[target])
