"""An estate to the text of its spec, checked by the spec's own loader and proved against the estate."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct

from ecr_warden.access_spec import Invalid, Problem, Valid
from ecr_warden.access_spec.render import PULL_ACTIONS
from ecr_warden.access_spec.spec import Literal, Spec, SpecRepository
from ecr_warden.core.estate import Estate
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.core.target import RoleTarget, Target
from ecr_warden_cli.importing.effects import Outcome, prove
from ecr_warden_cli.importing.notes import Note, NoteKind
from ecr_warden_cli.importing.policies import KEPT, has_own_side
from ecr_warden_cli.importing.propose import Proposal, literal_entries, propose
from ecr_warden_cli.importing.spec_text import SpecValue, load_value, spec_text, spec_value
from ecr_warden_cli.importing.tidy import with_lists, with_teams
from ecr_warden_cli.importing.world import World
from ecr_warden_cli.terminal.context import Failure
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.pattern import pattern_covers
from iam_access.document.principal import is_unique_id
from iam_access.text.printable import count, show_time
from iam_access.who_can.ours import Ours

_NOBODY = Ours()
_ALLOW = "leave it so, and list them under also_allowed: with a reason"


class ImportFailed(Failure, code="import-failed"):
    """No valid spec describes the estate; `lines` are the problems."""

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
    """But for repositories that let in outsiders, of which the spec says only the rest."""
    pull_access: PullAccess

    @property
    def outsiders(self) -> tuple[str, ...]:
        """Whom the estate lets in and the spec does not name, in words."""
        notes = (note for some in self.notes.values() for note in some if note.kind is NoteKind.OUTSIDER)
        return tuple(sorted({who for note in notes for who in note.who}))


def import_estate(
    estate: Estate,
    aliases: Mapping[str, str],
    *,
    now: datetime,
    ours: Ours = _NOBODY,
) -> Imported:
    """The spec of an estate; raises ImportFailed. `ours`: who is, beside the accounts of the estate."""
    world = World(estate, aliases, ours)
    proposal = propose(world)
    while True:
        spec = with_teams(proposal.spec)
        value = spec_value(spec)
        match load_value(value, now):
            case Valid():
                break
            case Invalid(problems):
                proposal = _without_refused(proposal, value, problems, world)
    proposal = _acceptable(proposal, spec, now)
    value = spec_value(with_teams(with_lists(proposal.spec, proposal.notes, proposal.waiting)), proposal.waiting)
    whole = load_value(value, now)
    if isinstance(whole, Invalid):
        raise _not_valid(whole.problems)
    text = _text(value, proposal, estate)
    if len(text.encode()) > MAX_SPEC_BYTES:
        raise ImportFailed("the spec would be larger than 5 MiB", remedy="import fewer accounts at a time")
    outcomes = tuple(one for one in prove(whole.compiled, world) if one.address.target.key not in world.outside)
    return Imported(text, whole, proposal.notes, proposal.left_out, outcomes, _pull_access(whole, world))


def _not_valid(problems: Iterable[Problem]) -> ImportFailed:
    return ImportFailed(
        "the spec of these accounts is not valid",
        remedy="please report this",
        lines=tuple(problem.at("import") for problem in problems if problem.is_error),
    )


def _text(value: SpecValue, proposal: Proposal, estate: Estate) -> str:
    accounts = count(len(estate.accounts), "account")
    head = (
        f"What {accounts} allowed at {show_time(estate.taken_at)}, written by ecr-warden import.",
        "ecr-warden only reports while the mode is observe. Comments say what looks wrong, what is better, and how to "
        "accept it; docs/import.md is the way from here to enforce.",
        "Where Terraform or another tool writes these policies, docs/beside-other-tools.md says what to change there.",
    )
    return spec_text(
        value,
        proposal.notes,
        head=head,
        left_out=proposal.left_out,
        unread=[one for account in estate.accounts.values() for one in account.unread],
    )


def _without_refused(proposal: Proposal, value: SpecValue, problems: tuple[Problem, ...], world: World) -> Proposal:
    """The proposal without what a spec cannot hold: first push roles, then pull grants, then entries."""
    refused = _by_position(problems)
    if not refused:
        raise _not_valid(problems)
    notes: defaultdict[str, list[Note]] = defaultdict(list, {key: list(some) for key, some in proposal.notes.items()})
    instead: list[SpecRepository] = []
    left_out = set(proposal.left_out)
    gone: set[int] = set()
    roles: dict[RoleTarget, Problem] = {}
    for position, entry in enumerate(value.entries, start=1):
        problem = refused.get(position)
        if problem is None:
            continue
        if isinstance(entry, SpecRepository) and entry.push:
            roles |= {grant.role: problem for grant in entry.push}
            continue
        gone.add(position)
        own = [*literal_entries(entry, world)] if isinstance(entry, SpecRepository) and entry.pull else []
        instead += own
        for target in _targets(entry):
            left_out |= set() if own else {target.key}
            notes[target.key] = [*(notes[target.key] if own else _not_kept(notes[target.key])), _refused(problem)]
    for role, problem in roles.items():
        notes[role.key].append(_refused(problem))
        left_out.add(role.key)
    spec = _without(proposal.spec, gone, roles)
    return Proposal(
        replace(spec, repositories=(*spec.repositories, *instead)),
        {key: tuple(sorted(set(some))) for key, some in notes.items()},
        tuple(sorted(left_out)),
        proposal.waiting,
    )


def _acceptable(proposal: Proposal, spec: Spec, now: datetime) -> Proposal:
    """The proposal with those of the entries that wait which a spec can hold, if all of them are accepted."""
    entries = {entry.targets[0].key: entry for entry in spec.repositories}
    waiting = {key: some for key, some in proposal.waiting.items() if key in entries or isinstance(some[0], Literal)}
    given = [one for some in waiting.values() for one in some]
    taken = tuple(one for key, one in entries.items() if key not in waiting)
    more = tuple(one for one in given if isinstance(one, SpecRepository))
    literals = (*spec.literals, *(one for one in given if isinstance(one, Literal)))
    value = spec_value(replace(spec, repositories=(*taken, *more), literals=literals))
    loaded = load_value(value, now) if given else None
    refused = _by_position(loaded.problems) if isinstance(loaded, Invalid) else {}
    found = {_targets(value.entries[position - 1])[0].key: problem for position, problem in refused.items()}
    refusals = {key: replace(_refused(found[key]), accept=_ALLOW) for key in waiting.keys() & found.keys()}
    notes = {key: (*_not_kept(proposal.notes[key]), refusal) for key, refusal in refusals.items()}
    left = {key: some for key, some in waiting.items() if key not in found}
    return replace(proposal, notes={**proposal.notes, **notes}, waiting=left)


def _by_position(problems: Iterable[Problem]) -> Mapping[int, Problem]:
    """The first error of each entry, by its place in the spec: tidying changes what entries say."""
    return {problem.line: problem for problem in reversed([*problems]) if problem.is_error and problem.line}


def _not_kept(notes: Iterable[Note]) -> list[Note]:
    """The notes on something that the spec does not have after all."""
    return [replace(note, accept="") if note.accept in KEPT else note for note in notes]


def _without(spec: Spec, gone: Container[int], roles: Container[RoleTarget]) -> Spec:
    """The spec without the entries at these places, and without the grants of these push roles."""
    kept = (repository for at, repository in enumerate(spec.repositories, start=1) if at not in gone)
    stay = (literal for at, literal in enumerate(spec.literals, start=len(spec.repositories) + 1) if at not in gone)
    without = (
        replace(repository, push=tuple(grant for grant in repository.push if grant.role not in roles))
        for repository in kept
    )
    return replace(spec, repositories=tuple(without), literals=tuple(stay))


def _refused(problem: Problem) -> Note:
    return Note(NoteKind.REFUSED, f"a spec cannot hold it: {problem.code} {problem.message}", problem.remedy)


def _targets(entry: SpecRepository | Literal) -> tuple[Target, ...]:
    return entry.targets if isinstance(entry, SpecRepository) else tuple(address.target for address in entry.addresses)


def _pull_access(loaded: Valid, world: World) -> PullAccess:
    literal = {
        target: {who for statement in entry.beside.statements for who in _pulling(statement)}
        for entry in loaded.spec.repositories
        if entry.beside is not None
        for target in entry.targets
    }
    shares = []
    for repository in world.estate.repositories():
        document, target = world.policy_of(repository), repository.target
        if isinstance(document, Document):
            named = {who for statement in document.statements for who in _pulling(statement)}
            found = {who for who in named if has_own_side(who, target, world)}
            is_said = loaded.compiled.spec_of(target) is not None
            shares.append((len(found), len(found - literal.get(target, set())) if is_said else 0))
    return PullAccess(sum(every for every, _ in shares), sum(said for _, said in shares))


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
