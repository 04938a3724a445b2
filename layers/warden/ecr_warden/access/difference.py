"""Who gains and who loses between two estates that hold the same users, roles and repositories.

Only what may differ is asked about: of a repository whose own policies are the same, those who have other policies or
tags, and those who can become one of them.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from copy import replace
from enum import StrEnum
from itertools import chain

from msgspec import Struct

from ecr_warden.access.alike import moved
from ecr_warden.access.graph import RepositoryGraph, who_can_any
from ecr_warden.core.actions import REQUIRED, Access
from ecr_warden.core.estate import EcrAccount, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.evaluate.request_principal import CallerKind
from iam_access.inventory.inventory import Levels
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import Subject


class AccessAnswer(Struct, frozen=True):
    """What an estate says of a principal's access: the answer, and the chain and the conditions of its best path."""

    answer: Answer = Answer.NO
    chain: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """For an unknown one, what was not read, by name."""


class DifferenceKind(StrEnum):
    """How access differs; UNCLEAR: what was not read decides it in one of the two estates."""

    GAINS = "gains"
    LOSES = "loses"
    CONDITIONS = "conditions"
    UNCLEAR = "unclear"


class AccessDifference(Struct, frozen=True):
    """One principal that has another access to one repository."""

    subject: Subject
    access: str
    """An Access; of whoever is not ours also one action of a pull by itself."""
    permissions: tuple[Permission, ...]
    repository: RepositoryTarget
    before: AccessAnswer
    after: AccessAnswer

    @property
    def kind(self) -> DifferenceKind:
        """How it differs."""
        match self.before.answer, self.after.answer:
            case (Answer.UNKNOWN, _) | (_, Answer.UNKNOWN):
                return DifferenceKind.UNCLEAR
            case Answer.NO, _:
                return DifferenceKind.GAINS
            case _, Answer.NO:
                return DifferenceKind.LOSES
            case _:
                return DifferenceKind.CONDITIONS


class Concerned(Struct, frozen=True):
    """The principals, by ARN or class, that may have another access to what is itself the same; None: anybody."""

    principals: frozenset[str] | None
    along: frozenset[str] | None
    """These, and every role that one of them can become."""


def differences(before: RepositoryGraph, after: RepositoryGraph) -> Iterator[AccessDifference]:
    """Every difference, repository by repository; of those that nothing tells apart in a kind of access, one answers.

    A principal that has the same access through other roles is none.
    """
    among = concerned(before, after, with_unread=True)
    samples: dict[Hashable, list[AccessDifference]] = {}
    tells_halves = before.tells_halves_apart or after.tells_halves_apart
    for new in after.estate.repositories():
        old = before.estate.registry_of(new.target).repositories[new.target.name]
        pulling: set[str] = set()
        for access in (*Access, *(REQUIRED[Access.PULL] if tells_halves else ())):
            alike = access, before.kind_of(old, access), after.kind_of(new, access)
            if alike not in samples:
                samples[alike] = list(_of_one(before, after, access, (old, new), among))
            found = [_on(one, new.target) for one in samples[alike]]
            if access == Access.PULL:
                pulling = {one.subject.arn for one in found}
            if access in REQUIRED[Access.PULL]:
                found = [one for one in found if one.subject.has_all_time and one.subject.arn not in pulling]
            yield from found


def _of_one(
    before: RepositoryGraph,
    after: RepositoryGraph,
    access: str,
    repository: tuple[Repository, Repository],
    changed: Concerned,
) -> Iterator[AccessDifference]:
    old, new = repository
    is_same = changed.principals is not None and is_itself_the_same(before, after, old, new)
    if is_same and not changed.principals:
        return
    only = changed.principals if is_same else None
    among = changed.along if is_same else None
    was = who_can_any(before, before.ways(access, old), among=among)
    now = who_can_any(after, after.ways(access, new), among=among)
    asked = after.permissions(access, new)
    for arn in dict.fromkeys(chain(now, was)):
        earlier, later = (_standing(paths.get(arn)) for paths in (was, now))
        # Of what is unclear before and after, nothing says that it differs.
        are_unclear = earlier.answer is later.answer is Answer.UNKNOWN
        is_same_access = (earlier.answer, earlier.conditions) == (later.answer, later.conditions) or are_unclear
        if not is_same_access and (only is None or arn in only):
            yield AccessDifference((now.get(arn) or was[arn]).subject, access, asked, new.target, earlier, later)


def is_itself_the_same(before: RepositoryGraph, after: RepositoryGraph, old: Repository, new: Repository) -> bool:
    """Whether a repository differs in nothing but in what principals may do."""
    return (
        before.estate.endpoints == after.estate.endpoints
        and old.tags == new.tags
        and _resources(before, old) == _resources(after, new)
    )


def _resources(graph: RepositoryGraph, repository: Repository) -> list[Resource]:
    """The repository, and those whose deletions it follows."""
    return [graph.permissions(Access.PULL, one)[0].resource for one in (repository, *graph.sources(repository))]


def _standing(path: AccessPath | None) -> AccessAnswer:
    if path is None:
        return AccessAnswer()
    return AccessAnswer(path.answer, path.chain, path.conditions, tuple(policy.name for policy in path.unread))


def _on(found: AccessDifference, target: RepositoryTarget) -> AccessDifference:
    """The difference as it is on another repository like the one that was asked about."""
    before, after = (_moved(one, found.repository, target) for one in (found.before, found.after))
    return AccessDifference(found.subject, found.access, found.permissions, target, before, after)


def _moved(one: AccessAnswer, sample: RepositoryTarget, target: RepositoryTarget) -> AccessAnswer:
    conditions = tuple(moved(text, sample, target) for text in one.conditions)
    return one if conditions == one.conditions else replace(one, conditions=conditions)


def concerned(before: RepositoryGraph, after: RepositoryGraph, *, with_unread: bool = False) -> Concerned:
    """Whom a change of the same accounts concerns.

    `with_unread`: also whoever could have access through an account that was not read.
    """
    if any(
        _control(account) != _control(before.estate.accounts[name]) for name, account in after.estate.accounts.items()
    ):
        return _ANYBODY  # it restricts also whom no inventory lists, and who may assume roles
    either = before.subjects.keys() | after.subjects.keys()
    changed = {arn for arn in either if before.subjects.get(arn) != after.subjects.get(arn)}
    if not changed:
        return Concerned(frozenset(), frozenset())
    assumers: defaultdict[str, set[str]] = defaultdict(set)
    roles: defaultdict[str, set[str]] = defaultdict(set)
    outside: set[str] = set()
    for graph in (before.later, after.later):
        for role in graph.roles:
            for subject, _ in graph.assumers(role):
                assumers[role.arn].add(subject.arn)
                roles[subject.arn].add(role.arn)
                if subject.identity is None and subject.principal.kind in _ENTERED_BY_OTHERS:
                    outside.add(subject.arn)
    principals = _closure(changed, assumers)
    if with_unread and outside & principals:
        return _ANYBODY  # whoever may assume a role in an account that was not read may be one of them
    # Who could enter such an account may become whoever it may become.
    return Concerned(principals, _closure(principals | outside if with_unread else principals, roles))


def _control(account: EcrAccount) -> tuple[Levels | None, Levels | None]:
    return account.service_control, account.resource_control


_ANYBODY = Concerned(None, None)
_ENTERED_BY_OTHERS = (CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION)


def _closure(start: Iterable[str], edges: Mapping[str, set[str]]) -> frozenset[str]:
    """All that can be reached from the start, with it."""
    found = set(start)
    waiting = list(found)
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)
