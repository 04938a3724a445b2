"""From an estate and a spec to the matrix: who can pull and push what, in which way, and on what grounds."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from itertools import islice
from typing import Any

from msgspec import Struct, field

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access.missing import Edit, Side
from ecr_warden.audit.administrators import unlimited_in
from ecr_warden.audit.answer_texts import named, reasons_of, unread_text
from ecr_warden.audit.finding import Certainty, Condition, RepositoryHealth
from ecr_warden.audit.grounds import Grounds
from ecr_warden.audit.judge import Judge
from ecr_warden.audit.spec_access import SpecAccess, bare
from ecr_warden.core.actions import Access
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.estate import Estate, Repository
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.report.report import REPOSITORY, WHOEVER, Allowing, Matrix, ReportGroup, ReportPrincipal, Row, Way
from iam_access.document.document import Document, raw_statements
from iam_access.inventory.inventory import Policy
from iam_access.text.printable import count, printable
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath, Step
from iam_access.who_can.subject import ANY_ACCOUNT, Subject
from iam_access.who_can.unread import who_can

_MOST_LISTED = 100
"""Principals with access in one way that are listed where there is no room for all."""
ROOM = 1_500_000
"""Characters of JSON for the matrix: the page has 2 MB, and the rest of it takes less than 0.5 MB."""
_ASKED = (Access.PULL, Access.PUSH)
_CERTAINTY = {
    Answer.YES: Certainty.YES,
    Answer.CONDITIONAL: Certainty.CONDITIONAL,
    Answer.UNKNOWN: Certainty.UNKNOWN,
}

type Health = Mapping[str, RepositoryHealth]
"""By a repository's target text."""
type Teams = Mapping[str, tuple[str, ...]]
"""The teams of the spec by their members, each as its bare ARN (audit.spec_access)."""


class Sources(Struct, frozen=True):
    """What a matrix is made from."""

    estate: Estate
    compiled: CompiledSpec
    health: Health = field(default_factory=dict)
    teams: Teams = field(default_factory=dict)
    hub: str = ""
    """The hub's account, if it is known."""


def matrix_of(sources: Sources, *, room: int = ROOM) -> Matrix:
    """The matrix of all repositories of the spec's accounts, as they are: documents do not count as repaired.

    Those with something wrong are entered first: what there is no room for is left out, and counted.
    """
    return _Maker(sources, room).matrix()


class _Table[T]:
    """Values, each once, with their positions; `size`: how many characters their JSON has, about."""

    def __init__(self, size_of: Callable[[T], int]) -> None:
        self._places: dict[T, int] = {}
        self._size_of = size_of
        self.size = 0

    def place(self, value: T) -> int:
        found = self._places.get(value)
        if found is None:
            found = self._places[value] = len(self._places)
            self.size += self._size_of(value)
        return found

    def keep(self, number: int) -> None:
        """Forget all but the first ones."""
        while len(self._places) > number:
            self.size -= self._size_of(self._places.popitem()[0])

    def __len__(self) -> int:
        return len(self._places)

    @property
    def values(self) -> tuple[T, ...]:
        return tuple(self._places)


class _Maker:
    def __init__(self, sources: Sources, room: int) -> None:
        compiled = sources.compiled
        self._sources = sources
        self._room = room
        self._estate = sources.estate
        self._graph = RepositoryGraph(self._estate)
        accounts = [self._estate.accounts[name] for name in compiled.accounts if name in self._estate.accounts]
        self._repositories = sorted(
            (
                repository
                for account in accounts
                for registry in account.registries.values()
                for repository in registry.repositories.values()
            ),
            key=lambda repository: repository.target,
        )
        targets = [repository.target for repository in self._repositories]
        self._named = frozenset(target for target in targets if compiled.spec_of(target) is not None)
        judge = Judge(self._graph, compiled, sources.hub)
        self._grounds = Grounds(
            judge,
            SpecAccess(compiled, self._estate, self._named),
            unlimited_in(self._graph),
        )
        self._principals = _Table[ReportPrincipal](
            lambda principal: 45 + _size(principal.name) + sum(map(_size, principal.teams))
        )
        self._texts = _Table[str](_size)
        self._conditions = _Table[Condition](lambda condition: 110 + _size(condition.message) + len(condition.reason))
        self._ways = _Table[Way](lambda way: 50 + 8 * len(way.through + way.conditions) + 60 * len(way.because))
        self._groups = _Table[ReportGroup](lambda group: 40 + 5 * len(group.runs))
        self._known: dict[Hashable, tuple[tuple[ReportGroup, ...], dict[tuple[str, str, int], Document]]] = {}
        self._failed: Counter[Hashable] = Counter()
        """By kind of repositories, the ways of listing that had no room: less is left of it for the next one."""
        self._wanted: dict[tuple[str, str, int], Document] = {}
        """The statements that let somebody in: by holder, policy and number, and the document that has them."""

    def matrix(self) -> Matrix:
        rows: dict[RepositoryTarget, Row] = {}
        size = 0
        for repository in sorted(self._repositories, key=lambda one: (self._is_fine(one), one.target)):
            row = self._row(repository)
            size += 60 + _size(row.target) + _size(row.unread) + 5 * len(row.health)
            groups = self._placed(repository, self._room - size)
            size += 5 * len(groups or ())
            rows[repository.target] = replace(row, groups=groups)
        statements = tuple(self._statements(self._room - size - self._size_of_tables))
        return Matrix(
            self._principals.values,
            tuple(rows[target] for target in sorted(rows)),
            self._groups.values,
            self._ways.values,
            self._texts.values,
            self._conditions.values,
            statements,
            left_out=sum(row.groups is None for row in rows.values()),
            statements_left_out=len(self._wanted) - len(statements),
        )

    @property
    def _tables(self) -> tuple[_Table[Any], ...]:
        return self._principals, self._texts, self._conditions, self._ways, self._groups

    @property
    def _size_of_tables(self) -> int:
        return sum(table.size for table in self._tables)

    def _placed(self, repository: Repository, room: int) -> tuple[int, ...] | None:
        """The places of the repository's groups in the table; None without room, which mostly is seen at once."""
        kind = self._grounds.kind_of(repository, is_named=repository.target in self._named)
        before = [len(table) for table in self._tables], len(self._wanted), len(self._known)
        for fold in (False, True)[self._failed[kind] :]:
            if self._size_of_tables > room:
                return None
            found = self._groups_like(kind, repository, fold=fold)
            groups = tuple(runs_of({self._groups.place(report_group) for report_group in found}))
            if 5 * len(groups) + self._size_of_tables <= room:
                return groups
            self._forget(*before)
            self._failed[kind] += 1
        return None

    def _forget(self, numbers: Sequence[int], wanted: int, known: int) -> None:
        """The entries since the tables had these lengths."""
        while len(self._known) > known:
            self._known.popitem()
        for table, number in zip(self._tables, numbers, strict=True):
            table.keep(number)
        while len(self._wanted) > wanted:
            self._wanted.popitem()

    def _is_fine(self, repository: Repository) -> bool:
        repository_health = self._sources.health.get(str(repository.target))
        return repository_health is None or all(
            condition.status == "true"
            for condition in (repository_health.in_sync, repository_health.audited, repository_health.fresh)
        )

    def _row(self, repository: Repository) -> Row:
        target = repository.target
        repository_health = self._sources.health.get(str(target))
        health = (
            ()
            if repository_health is None
            else (repository_health.in_sync, repository_health.audited, repository_health.fresh)
        )
        policy = self._sources.estate.registry_of(target).repositories[target.name].policy
        unread = "" if policy is None or isinstance(policy.document, Document) else unread_text(policy)
        spec = self._sources.compiled.spec_of(target)
        mode = None if spec is None else spec.mode or self._sources.compiled.mode
        places = tuple(map(self._conditions.place, health))
        return Row(str(target), health=places, unread=unread, observed=mode is Mode.OBSERVE)

    def _groups_like(self, kind: Hashable, repository: Repository, *, fold: bool) -> Sequence[ReportGroup]:
        """The repository's groups, or those of one like it, with the statements of its own policy."""
        name = str(repository.target)
        known = self._known.get(kind)
        if known is None:
            before = len(self._wanted)
            groups = tuple(self._groups_of(repository, fold=fold))
            new = [*islice(reversed(self._wanted.items()), len(self._wanted) - before)]
            own = {place: document for place, document in reversed(new) if place[0] == name}
            self._known[kind] = groups, own
            return groups
        groups, own = known
        self._wanted |= {(name, policy, number): document for (_, policy, number), document in own.items()}
        return groups

    def _groups_of(self, repository: Repository, *, fold: bool) -> Iterator[ReportGroup]:
        """Whoever has access in the same way; `fold`: of very many only how many there are."""
        for access in _ASKED:
            together: dict[int, list[Subject]] = defaultdict(list)
            for path in self._paths(access, repository).values():
                together[self._ways.place(self._way(path, access, repository))].append(path.subject)
            for way, subjects in together.items():
                if fold and len(subjects) > _MOST_LISTED:
                    everybody = f"{count(len(subjects), 'principal')}: ecr-warden who-can {access} lists them"
                    principals = [ReportPrincipal(everybody, "", ())]
                else:
                    principals = [*map(self._principal, subjects)]
                yield ReportGroup(access, way, tuple(runs_of({*map(self._principals.place, principals)})))

    def _paths(self, access: Access, repository: Repository) -> dict[str, AccessPath]:
        """Everybody's best way, or the best that has no ground."""
        paths, target = who_can(self._graph, self._graph.permissions(access, repository)), repository.target
        extra = [*self._grounds.without(paths, access, target)] if target in self._named else []
        return paths | {way.subject.arn: way for way in reversed(extra)}

    def _way(self, path: AccessPath, access: Access, repository: Repository) -> Way:
        because = dict.fromkeys(
            allowing for step in path.steps for allowing in self._because(step, path.subject, repository)
        )
        conditions = (*path.conditions, *(unread_text(policy) for policy in path.unread))
        return Way(
            _CERTAINTY[path.answer],
            self._grounds.as_shown(path, access, repository.target),
            tuple(self._texts.place(named(step.subject)) for step in path.steps[1:]),
            tuple(map(self._texts.place, conditions)),
            tuple(because),
        )

    def _principal(self, subject: Subject) -> ReportPrincipal:
        account = subject.principal.account or ""
        return ReportPrincipal(
            named(subject), "" if account == ANY_ACCOUNT else account, self._sources.teams.get(bare(subject.arn), ())
        )

    def _because(self, step: Step, first: Subject, repository: Repository) -> Iterator[Allowing]:
        actions = step.permissions[0].action if len(step.permissions) == 1 else "it"
        allows = self._texts.place(actions)
        for reason, edit in reasons_of(step):
            if edit is None or edit.index is None:
                yield Allowing(self._texts.place(printable(reason.text, 200)), allows)
                continue
            holder, owner, name = self._holder(edit, step, first, repository)
            document = _document_of(step, edit)
            if document is not None:
                self._wanted[owner, name, edit.index + 1] = document
            yield Allowing(self._texts.place(name), allows, holder, edit.index + 1)

    def _holder(self, edit: Edit, step: Step, first: Subject, repository: Repository) -> tuple[int, str, str]:
        """The holder of a policy, as a Holder and as a text, and its name."""
        name = printable(edit.policy, 200)
        if edit.holder == repository.arn:
            return REPOSITORY, str(repository.target), name.removesuffix(f" of {repository.target.name}")
        if edit.side in (Side.IDENTITY, Side.BOUNDARY) and step.subject.arn == first.arn:
            return WHOEVER, named(first), name
        holder = printable(edit.holder, 300)
        return self._texts.place(holder), holder, name

    def _statements(self, room: int) -> Iterator[tuple[int, int, int, int]]:
        """Those that fit, in the order in which they were needed."""
        parsed: dict[str, list[str]] = {}
        for (holder, policy, number), document in self._wanted.items():
            if document.text not in parsed:
                parsed[document.text] = [
                    json.dumps(statement, separators=(",", ":")) for statement in raw_statements(document)
                ]
            before = self._texts.size
            texts = parsed[document.text]
            if room < _size(texts[number - 1]) + _size(holder) + 30:
                continue
            places = (self._texts.place(holder), self._texts.place(policy))
            yield *places, number, self._texts.place(texts[number - 1])
            room -= 30 + self._texts.size - before


def _document_of(step: Step, edit: Edit) -> Document | None:
    """The document that an edit is about."""
    resource, subject = step.permissions[0].resource, step.subject
    boundary = (subject.boundary,) if subject.boundary is not None else ()
    levels = (policy for level in (*subject.service_control, *resource.control) for policy in level)
    policies: Iterable[Policy] = (*resource.policies, *subject.policies, *boundary, *levels)
    found = (policy.document for policy in policies if (policy.name, policy.place) == (edit.policy, edit.place))
    return next((one for one in found if isinstance(one, Document)), None)


def runs_of(places: Collection[int]) -> Iterator[int]:
    """The numbers of those to skip, to take, and so on."""
    at = taken = 0
    for place in sorted(places):
        if taken and place > at:
            yield taken
            taken = 0
        if not taken:
            yield place - at
        taken += 1
        at = place + 1
    if taken:
        yield taken


def taken(runs: Iterable[int]) -> Iterator[int]:
    """The places that runs take."""
    at = 0
    for index, number in enumerate(runs):
        if index % 2:
            yield from range(at, at + number)
        at += number


def _size(text: str) -> int:
    """The length of a text in the page: what could end a script there is written as six characters."""
    return len(json.dumps(text)) + 1 + 5 * sum(map(text.count, "<>&"))
