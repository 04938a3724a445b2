"""An estate to the text of its spec, checked by the spec's own loader and proved against the estate."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct

from ecr_warden.access_spec import Invalid, Problem, Valid
from ecr_warden.access_spec.render import PULL_ACTIONS
from ecr_warden.access_spec.spec import Literal, Spec, SpecRepository
from ecr_warden.core.address import AddressKind
from ecr_warden.core.estate import Estate
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden_cli.context import Failure
from ecr_warden_cli.importing.effects import Outcome, prove
from ecr_warden_cli.importing.notes import Note, NoteKind
from ecr_warden_cli.importing.policies import KEEP, KEPT, has_own_side
from ecr_warden_cli.importing.propose import Proposal, literals_of, propose
from ecr_warden_cli.importing.spec_text import SpecValue, load_value, spec_text, spec_value
from ecr_warden_cli.importing.tidy import with_merged_statements, with_teams
from ecr_warden_cli.importing.world import World
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.pattern import pattern_covers
from iam_access.document.principal import is_unique_id
from iam_access.inventory.inventory import Unread
from iam_access.text.printable import count, show_time

_DOUBTFUL = "W505"


class ImportFailed(Failure):
    """No valid spec describes the estate; `lines` are the problems."""

    code = "import-failed"

    def __init__(self, message: str, *, remedy: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.lines = lines


class PullAccess(Struct, frozen=True):
    """How many pairs of a repository and a principal that can pull from it there are, and are said by grants."""

    all: int
    granted: int


class Imported(Struct, frozen=True):
    """A spec that loads, and what enforcing it would change."""

    text: str
    loaded: Valid
    notes: Mapping[str, tuple[Note, ...]]
    left_out: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    pull_access: PullAccess


def import_estate(
    estate: Estate, aliases: Mapping[str, str], *, now: datetime, narrow: bool = False, tidy: bool = False
) -> Imported:
    """The spec of an estate; raises ImportFailed."""
    world = World(estate, aliases)
    proposal = propose(world, narrow=narrow, tidy=tidy)
    while True:
        value = spec_value(with_teams(with_merged_statements(proposal.spec) if tidy else proposal.spec))
        match load_value(value, now):
            case Valid() as loaded:
                break
            case Invalid(problems):
                proposal = _without_refused(proposal, value, problems, world)
    proposal = _with_doubts(proposal, value, loaded.warnings)
    text = _text(value, proposal, estate)
    if len(text.encode()) > MAX_SPEC_BYTES:
        raise ImportFailed("the spec would be larger than 5 MiB", remedy="import fewer accounts at a time, or --tidy")
    outcomes = prove(loaded.compiled, world)
    shares = _pull_access(loaded.spec, world)
    return Imported(text, loaded, proposal.notes, proposal.left_out, outcomes, shares)


def _not_valid(problems: Iterable[Problem]) -> ImportFailed:
    lines = tuple(problem.at("import") for problem in problems if problem.is_error)
    return ImportFailed("the spec of these accounts is not valid", remedy="please report this", lines=lines)


def _text(value: SpecValue, proposal: Proposal, estate: Estate) -> str:
    accounts = count(len(estate.accounts), "account")
    head = (
        f"What {accounts} allowed at {show_time(estate.taken_at)}, written by ecr-warden import.",
        "ecr-warden only reports while the mode is observe. Comments say what looks wrong, what is better, and how to "
        "accept it; docs/import.md is the way from here to enforce.",
    )
    unread = (*(one for account in estate.accounts.values() for one in account.unread), *_untagged(estate))
    return spec_text(value, proposal.notes, head=head, left_out=proposal.left_out, unread=unread)


def _untagged(estate: Estate) -> Iterator[Unread]:
    number = sum(repository.tags is None for repository in estate.repositories())
    if number:
        yield Unread(f"the tags of {count(number, 'repository')}, which may name another tool", "not in the snapshot")


def _without_refused(proposal: Proposal, value: SpecValue, problems: tuple[Problem, ...], world: World) -> Proposal:
    """The proposal without what a spec cannot hold: first push roles, then entries, whose policies become literal."""
    refused = {problem.line: problem for problem in reversed(problems) if problem.is_error and problem.line}
    if not refused:
        raise _not_valid(problems)
    notes: defaultdict[str, list[Note]] = defaultdict(list, {key: list(some) for key, some in proposal.notes.items()})
    literals: list[Literal] = []
    left_out = set(proposal.left_out)
    gone: set[int] = set()
    roles: dict[RoleTarget, Problem] = {}
    # Entries are known by their place in the spec: tidying changes what they say.
    for position, entry in enumerate(value.entries, start=1):
        problem = refused.get(position)
        if problem is None:
            continue
        if isinstance(entry, SpecRepository) and entry.push:
            roles |= {grant.role: problem for grant in entry.push}
            continue
        gone.add(position)
        own = list(literals_of(entry, world)) if isinstance(entry, SpecRepository) else []
        literals += own
        for target in _targets(entry):
            if not own:
                left_out.add(target.key)
                notes[target.key] = [
                    replace(note, accept="") if note.accept in KEPT else note for note in notes[target.key]
                ]
            notes[target.key].append(_refused(problem))
    for role, problem in roles.items():
        notes[role.key].append(_refused(problem))
        left_out.add(role.key)
    spec = _without(proposal.spec, gone, roles)
    return Proposal(
        replace(spec, literals=(*spec.literals, *literals)),
        {key: tuple(sorted(set(some))) for key, some in notes.items()},
        tuple(sorted(left_out)),
    )


def _without(spec: Spec, gone: Container[int], roles: Container[RoleTarget]) -> Spec:
    """The spec without the entries at these places, and without the grants of these push roles."""
    kept = (repository for at, repository in enumerate(spec.repositories, start=1) if at not in gone)
    stay = (literal for at, literal in enumerate(spec.literals, start=len(spec.repositories) + 1) if at not in gone)
    without = (
        replace(repository, push=tuple(grant for grant in repository.push if grant.role not in roles))
        for repository in kept
    )
    return replace(spec, repositories=tuple(without), literals=tuple(stay))


def _with_doubts(proposal: Proposal, value: SpecValue, warnings: Iterable[Problem]) -> Proposal:
    """The proposal with what policy lint says of its trust policies: who else may assume a role that pushes."""
    notes = {key: set(some) for key, some in proposal.notes.items()}
    for problem in warnings:
        entry = value.entries[problem.line - 1] if problem.code == _DOUBTFUL and problem.line else None
        if isinstance(entry, Literal) and entry.addresses[0].kind is AddressKind.TRUST_POLICY:
            key = entry.addresses[0].target.key
            notes.setdefault(key, set()).add(Note(NoteKind.DOUBTFUL, problem.message, problem.remedy, KEEP))
    return replace(proposal, notes={key: tuple(sorted(some)) for key, some in notes.items()})


def _refused(problem: Problem) -> Note:
    return Note(NoteKind.REFUSED, f"a spec cannot hold it: {problem.code} {problem.message}", problem.remedy)


def _targets(entry: SpecRepository | Literal) -> tuple[Target, ...]:
    return entry.targets if isinstance(entry, SpecRepository) else tuple(address.target for address in entry.addresses)


def _pull_access(spec: Spec, world: World) -> PullAccess:
    granted = {target for entry in spec.repositories for target in entry.targets if not entry.is_pattern}
    patterns = [entry for entry in spec.repositories if entry.is_pattern]
    found: dict[RepositoryTarget, set[str]] = {}
    for repository in world.estate.repositories():
        document = world.document(repository.policy)
        if isinstance(document, Document):
            named = {who for statement in document.statements for who in _pulling(statement)}
            found[repository.target] = {who for who in named if has_own_side(who, repository.target, world)}
    literal = {
        target: {who for statement in entry.beside.statements for who in _pulling(statement)}
        for entry in spec.repositories
        if entry.beside is not None
        for target in entry.targets
    }
    said = sum(
        len(who - literal.get(target, set()))
        for target, who in found.items()
        if target in granted or _is_under(target, patterns)
    )
    return PullAccess(sum(map(len, found.values())), said)


def _is_under(target: RepositoryTarget, patterns: list[SpecRepository]) -> bool:
    return any(
        (repository_target.account, repository_target.region) == (target.account, target.region)
        and pattern_covers(repository_target.name, target.name)
        for entry in patterns
        for repository_target in entry.targets
    )


def _pulling(statement: Statement) -> Iterator[str]:
    """Whom a statement lets pull, without those that were deleted."""
    actions = tuple(map(str.lower, statement.actions.values))
    named = any(pattern_covers(value, action.lower()) for value in actions for action in PULL_ACTIONS)
    if statement.effect is Effect.DENY or statement.principals is None or named is statement.actions.negated:
        return
    if statement.principals.negated:
        yield "NotPrincipal"
    for kind, value in () if statement.principals.negated else statement.principals.values:
        if not is_unique_id(value):
            yield value if kind == "AWS" else f"{kind} {value}"
