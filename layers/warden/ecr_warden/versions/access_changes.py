"""Who gains and who loses what between two versions of the spec, by the documents of each version alone.

A user or role for which one of the versions has documents has no others, in either version; anybody else may do what a
policy lets them, as far as their own account is concerned. Whoever belongs to a class that is let in (an account, an
organization, anybody) has its access. Nothing is known of a request or of an identity but what a policy asks for, so
the time, tags and organizations are open.

Both versions are decided in the same contexts, found as for one decision: each request that a principal has to make
(to assume a role, to use the repository) is either allowed or not in a context, and a principal gains where it reaches
the repository in the contexts of one choice after, and not before.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, product
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.spec_access import bare, desired_estate
from ecr_warden.core.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.core.actions import Access
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, RoleSettings, TargetSpec
from ecr_warden.core.estate import Estate
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, target_arn
from ecr_warden.versions.affected_repositories import RepositoryGroup, affected_repositories, key_of
from ecr_warden.versions.gains_beside_access import other_gains
from iam_access.arn import iam_arn, parse_arn
from iam_access.document.condition import CLOCKS, CanonicalClause, Clause, canonical_clauses
from iam_access.document.document import Document, Effect
from iam_access.document.pattern import pattern_covers
from iam_access.document.principal import ANYONE
from iam_access.document.steps import Allowance, Steps, TooManySteps
from iam_access.document.variables import variables_in
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.request_principal import CallerKind, RequestError
from iam_access.inventory.inventory import Policy
from iam_access.text.printable import printable
from iam_access.who_can.condition_text import condition_texts, keys_of_variables
from iam_access.who_can.contexts import Context, contexts_of
from iam_access.who_can.decide import Answer, Case, Permission
from iam_access.who_can.graph import Step, Unfinished, may_trust
from iam_access.who_can.subject import ALLOW_EVERYTHING, ANY_ACCOUNT, Subject, as_session

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = CLOCKS | {"aws:tokenissuetime"}
_MOST_CHOICES = 4096
_BY_REPOSITORY = attrgetter("repository", "principal", "access", "direction")
_UNCOMPARED = "there are too many conditions to compare"
_NOTHING = CompiledSpec(version="", mode=Mode.OBSERVE, accounts=(), targets={})


def access_changes(
    before: CompiledSpec | None, after: CompiledSpec, has_time: Callable[[], bool] = lambda: True
) -> AccessChanges:
    """Who gains and who loses; `before` is None for the first version.

    `has_time` is asked before each decision; what it leaves undecided is named. A change that only widens conditions is
    a gain, one that only narrows them a loss; where there are too many conditions to compare, it is both, and says so.
    """
    old = before or _NOTHING
    what = affected_repositories(old, after)
    samples = [group.sample for group in what.groups]
    shared: dict[str, Document] = {}
    estates = (_estate(compiled_spec, other, samples, shared) for compiled_spec, other in ((old, after), (after, old)))
    versions = [_Version(RepositoryGraph(estate, has_time, _opened)) for estate in estates]
    allowance = Allowance()
    changes: list[AccessChange] = []
    undecided = [target.key for target in what.left_out]
    for group in what.groups:
        try:
            questions = (_Question(versions, access, group, what.moved, allowance) for access in Access)
            found = [change for question in questions for change in question.changes()]
        except Unfinished:
            undecided += [target.key for target in group.shown]
            continue
        changes += [replace(change, repository=target.key) for target in group.shown for change in found]
    changes = list(_but_for_shared(changes, what.shared))
    return AccessChanges(
        tuple(sorted(changes, key=_BY_REPOSITORY)),
        tuple(sorted(undecided)),
        tuple(other_gains(before, after)),
    )


def _but_for_shared(changes: Sequence[AccessChange], shared: Set[str]) -> Iterator[AccessChange]:
    """Without the changes of what two patterns share that a change of one of them covers."""
    places = {change.repository for change in changes} if shared else set()
    known = {change for change in changes if change.repository not in shared}
    for change in changes:
        wider = (place for place in places - shared if pattern_covers(place, change.repository))
        if change.repository not in shared or not any(replace(change, repository=place) in known for place in wider):
            yield change


def _estate(
    version: CompiledSpec, other: CompiledSpec, samples: Sequence[RepositoryTarget], shared: dict[str, Document]
) -> Estate:
    """The documents of one version, in the hands of the identities of both."""
    targets = {key: _sharing(spec, shared) for key, spec in version.targets.items()}
    arns = {named.key: arn for spec in other.targets.values() for arn, named in spec.principals.items()}
    for key, spec in other.targets.items():
        if not isinstance(spec.target, RepositoryTarget) and key not in targets:
            arn = arns.get(key) or _arn(spec, spec.target)
            targets[key] = TargetSpec(spec.target, Extent.NAMED, {}, principals={arn: spec.target})
    return desired_estate(replace(version, targets=targets), Estate(_NEVER, {}), samples)


def _arn(spec: TargetSpec, target: IdentityTarget) -> str:
    settings = next((value for value in spec.documents.values() if isinstance(value, RoleSettings)), None)
    return target_arn(target, path=settings.path if settings else "/")


def _sharing(spec: TargetSpec, shared: dict[str, Document]) -> TargetSpec:
    """Equal documents become one value: subjects with the same documents are decided once."""
    if isinstance(spec.target, RepositoryTarget):
        return spec
    documents = {
        address: shared.setdefault(value.text, value) if isinstance(value, Document) else value
        for address, value in spec.documents.items()
    }
    return replace(spec, documents=documents)


def _opened(subject: Subject) -> Subject:
    """A subject of which only its name and its documents are known: neither the time nor its tags."""
    return replace(
        subject,
        lacks=(),
        open_keys=subject.open_keys | _OPEN,
        always=tuple(clause for clause in subject.always if clause.key not in _OPEN),
    )


class _Version:
    """One version's documents, prepared for questions."""

    def __init__(self, graph: RepositoryGraph) -> None:
        self.graph = graph
        self._subjects = {bare(arn): subject for arn, subject in graph.subjects.items()}

    def permissions(self, access: Access, target: RepositoryTarget) -> tuple[Permission, ...]:
        """What an access to a repository requires; of what administers the gravest, the rest is the others' gains."""
        return self.graph.permissions(access, self.graph.estate.registry_of(target).repositories[target.name])

    def subject(self, one: Subject) -> Subject:
        """The same user, role or session with this version's documents; anybody else as they are."""
        if one.identity is None:
            return one
        subject = self._subjects[bare(one.identity.arn)]
        return as_session(subject, one.principal) if one.principal.kind is CallerKind.SESSION else subject


class _Side:
    """One version's answers about one repository."""

    def __init__(self, version: _Version, permissions: tuple[Permission, ...], asked: Iterable[Subject]) -> None:
        self.version, self.graph, self.permissions = version, version.graph, permissions
        decided = ((subject, self.graph.decide(_presumed(subject, permissions), permissions)) for subject in asked)
        direct = {
            subject.arn: Step(subject, permissions, access_decision)
            for subject, access_decision in decided
            if access_decision.answer is not Answer.NO
        }
        self.paths = {bare(arn): path for arn, path in self.graph.through_roles(direct).items()}
        subjects = [path.subject for path in self.paths.values()]
        self.roles = [self.graph.subjects[subject.arn] for subject in subjects if subject.is_role]
        self._classes = {account for account in map(_class_of, subjects) if account is not None}

    def lets_in_class_of(self, subject: Subject) -> bool:
        """Is a class let in to which the subject may belong?"""
        return not self._classes.isdisjoint((ANY_ACCOUNT, subject.principal.account))

    def policies(self) -> Iterator[Policy]:
        """The repository's policies, and the trust policies of the roles that can."""
        yield from self.permissions[0].resource.policies
        yield from (role.identity.trust for role in self.roles if role.identity and role.identity.trust)

    def edges(self, subject: Subject) -> Iterator["_Edge"]:
        """The requests by which a subject may reach the repository."""
        yield from self._edges_of(_START, self.version.subject(subject))
        yield from self._edges_of_roles

    @cached_property
    def _edges_of_roles(self) -> tuple["_Edge", ...]:
        """The same for whoever comes through the roles, so that each request is decided once."""
        return tuple(edge for role in self.roles for edge in self._edges_of(bare(role.arn), role))

    def _edges_of(self, start: str, one: Subject) -> Iterator["_Edge"]:
        if one.principal.kind is not CallerKind.FEDERATED:  # whose tokens open roles alone
            yield self._edge(start, _REPOSITORY, "", one, self.permissions)
        for role in self.roles if one.principal.kind is not CallerKind.SERVICE else ():
            if role.identity is not one.identity and may_trust(role, one):
                yield self._edge(start, bare(role.arn), role.arn, one, self.graph.assuming(one, role))

    def _edge(self, start: str, end: str, role: str, one: Subject, needed: tuple[Permission, ...]) -> "_Edge":
        as_member = None
        if one.identity is not None and self.lets_in_class_of(one):
            account = str(one.principal.account)
            member = replace(one, policies=(_PRESUMED,), presumed_allowed=True)
            of_classes = tuple(_for_classes(each, account) for each in needed)
            as_member = Case(_presumed(member, of_classes), of_classes)
        return _Edge(start, end, role, Case(_presumed(one, needed), needed), as_member)


_START, _REPOSITORY = "", "repository"
_PRESUMED = Policy("whatever its account gives it", ALLOW_EVERYTHING)


class _Edge(NamedTuple):
    """One request: whoever stands at `start`, a role or the subject, reaches `end`, a role or the repository."""

    start: str
    end: str
    role: str
    """The ARN of the role at `end`."""
    case: Case
    as_member: Case | None
    """The request as it is allowed to whoever is in the same account."""

    def cases(self) -> tuple[Case, ...]:
        return (self.case,) if self.as_member is None else (self.case, self.as_member)


def _presumed(subject: Subject, permissions: tuple[Permission, ...]) -> Subject:
    """What is presumed of whom nothing is known: in the repository's own account, that it is allowed nothing.

    There either side is enough, so that what its account may give it by itself is no work of the repository's policy.
    """
    resource = permissions[0].resource
    is_own = subject.principal.account == resource.account and not resource.trust
    return replace(subject, policies=()) if subject.presumed_allowed and is_own else subject


def _for_classes(permission: Permission, account: str) -> Permission:
    """The permission without what the resource's policies allow single principals."""
    resource = permission.resource
    return replace(
        permission,
        resource=replace(resource, policies=tuple(_of_classes(policy, account) for policy in resource.policies)),
    )


def _of_classes(policy: Policy, account: str) -> Policy:
    assert isinstance(policy.document, Document)
    kept, whole = [], (account, iam_arn(account, "root"))
    for statement in policy.document.statements:
        principals = statement.principals
        if statement.effect is Effect.ALLOW and principals is not None and not principals.negated:
            values = tuple(each for each in principals.values if each == ANYONE or each.value in whole)
            kept.append(replace(statement, principals=replace(principals, values=values)))
        else:
            kept.append(statement)
    return replace(policy, document=replace(policy.document, statements=tuple(kept)))


class _Question:
    """Who gains and who loses one kind of access to one repository."""

    def __init__(
        self,
        versions: Sequence[_Version],
        access: Access,
        group: RepositoryGroup,
        moved: frozenset[str],
        allowance: Allowance,
    ) -> None:
        self._allowance = allowance
        self._access = access
        self._changed = None if group.changed is None else group.changed | moved
        permissions = [version.permissions(access, group.sample) for version in versions]
        named = [
            list(version.graph.named(needed).values()) for version, needed in zip(versions, permissions, strict=True)
        ]
        if not any(self._matters(subject) for some in named for subject in some):
            named = [[], []]
        self._before, self._after = (
            _Side(
                version,
                needed,
                [subject for subject in some if subject.is_role or subject.is_class or self._matters(subject)],
            )
            for version, needed, some in zip(versions, permissions, named, strict=True)
        )

    def _matters(self, subject: Subject) -> bool:
        """May the versions say something else of it?"""
        return self._changed is None or key_of(subject.principal) in self._changed

    def changes(self) -> Iterator[AccessChange]:
        """The changes; their repository is still to be filled in."""
        for subject in self._subjects():
            yield from self._of(subject)

    def _subjects(self) -> Iterator[Subject]:
        """Whoever can in one of the versions, unless it is certain that they can in both."""
        names = dict.fromkeys((*self._before.paths, *self._after.paths))
        organizations = self._organizations()
        for name in names:
            paths = [side.paths[name] for side in (self._after, self._before) if name in side.paths]
            if len(paths) > 1 and all(path.answer is Answer.YES for path in paths):
                continue
            subject = paths[0].subject
            if _class_of(subject) == ANY_ACCOUNT and organizations:
                for organization in organizations:
                    yield replace(subject, keys={**subject.keys, _ORGANIZATION: (organization,)})
                others = CanonicalClause("StringNotEquals", _ORGANIZATION, frozenset(organizations))
                subject = replace(subject, always=(*subject.always, others))
            yield subject
        yield from self._sessions()
        yield from self._denied_alone(names)

    def _organizations(self) -> list[str]:
        """The organizations whose members a policy lets in."""
        found = {
            value
            for side in (self._before, self._after)
            for policy in side.policies()
            for statement in policy.statements
            for clause in canonical_clauses(statement.conditions)
            if clause.key == _ORGANIZATION and statement.effect is Effect.ALLOW
            for value in clause.values
        }
        return sorted(value for value in found if re.fullmatch(r"o-[a-z0-9]+", value))

    def _sessions(self) -> Iterator[Subject]:
        """The sessions of the versions' roles that a policy names."""
        named = {one for side in (self._before, self._after) for one in side.permissions[0].resource.named}
        sessions = self._principals(text for text in named if ":assumed-role/" in text)
        yield from (subject for subject in sessions if subject.identity is not None)

    def _denied_alone(self, names: Container[str]) -> Iterator[Subject]:
        """Outsiders whom a Deny names and no version lets in by name: without it they are let in with their class."""
        denied = {
            value.value
            for side in (self._before, self._after)
            for policy in side.policies()
            for statement in policy.statements
            if statement.effect is Effect.DENY and statement.principals is not None
            for value in statement.principals.values
        }
        others = self._principals(
            text
            for text in denied
            if bare(text) not in names and (arn := parse_arn(text)) is not None and arn.resource != "root"
        )
        yield from (subject for subject in others if subject.identity is None and not subject.is_class)

    def _principals(self, named: Iterable[str]) -> Iterator[Subject]:
        """Those that the texts name, sorted; some name none."""
        for text in sorted(named):
            with suppress(RequestError):
                yield self._after.graph.subject(text)

    def _of(self, subject: Subject) -> Iterator[AccessChange]:
        name = bare(subject.arn)
        for direction, side, other in (
            (Direction.GAINS, self._after, self._before),
            (Direction.LOSES, self._before, self._after),
        ):
            path = side.paths.get(name)
            is_plain = path is not None and path.answer is Answer.YES and path.subject is subject
            is_alone = not side.lets_in_class_of(subject) or subject.is_class
            # Whoever matters was asked about in both versions, others only as far as they come through a role.
            was_asked = path is not None and (len(path.steps) == 1 or self._matters(subject))
            if is_plain and is_alone and was_asked and name not in other.paths and not other.lets_in_class_of(subject):
                assert path is not None
                yield self._change(subject, direction, path.chain[1:], ())
                return
        yield from self._compared(subject)

    def _compared(self, subject: Subject) -> Iterator[AccessChange]:
        edges = list(self._before.edges(subject)), list(self._after.edges(subject))
        possible = {
            direction: bare(subject.arn) in side.paths or side.lets_in_class_of(subject)
            for direction, side in ((Direction.GAINS, self._after), (Direction.LOSES, self._before))
        }
        for direction, difference in _differences(edges, subject.always, possible, self._allowance).items():
            if difference is not None:
                yield self._change(subject, direction, difference.through, difference.conditions)

    def _change(
        self, subject: Subject, direction: Direction, through: tuple[str, ...], conditions: tuple[str, ...]
    ) -> AccessChange:
        return AccessChange(_text(subject), "", str(self._access), direction, through, conditions)


_ORGANIZATION = "aws:principalorgid"


def _class_of(subject: Subject) -> str | None:
    """The account of which a subject stands for everybody, or any; None for one by itself, a service or a provider."""
    return subject.principal.account if subject.is_class and subject.principal.kind is CallerKind.USER else None


def _text(subject: Subject) -> str:
    """The principal as people know it; a class by its account, its organization, or `*`."""
    account = _class_of(subject)
    if account is None:
        return subject.arn
    return account if account != ANY_ACCOUNT else next(iter(subject.keys.get(_ORGANIZATION, ())), ANY_ACCOUNT)


class _Difference(Struct, frozen=True):
    """How access is had in one version and not in the other: through which roles, and what has to hold."""

    through: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


def _differences(
    edges: tuple[Sequence[_Edge], Sequence[_Edge]],
    always: Sequence[CanonicalClause],
    possible: Mapping[Direction, bool],
    allowance: Allowance,
) -> dict[Direction, _Difference | None]:
    """By direction, what one version gives and the other does not; what takes too many steps counts as a difference.

    `possible`: the version may give something; what cannot be compared counts as a difference only then.
    """
    try:
        with allowance.steps() as steps:
            both = _Contrast(*edges, always, steps)
            return {direction: both.difference(direction, is_possible=one) for direction, one in possible.items()}
    except TooManySteps:
        return {direction: _Difference((), (_UNCOMPARED,)) if one else None for direction, one in possible.items()}


class _Contrast:
    """The requests of one principal in both versions, in all contexts that tell them apart; raises TooManySteps."""

    def __init__(
        self, before: Sequence[_Edge], after: Sequence[_Edge], always: Sequence[CanonicalClause], steps: Steps
    ) -> None:
        self._steps = steps
        self._edges = {Direction.LOSES: before, Direction.GAINS: after}
        every = (*before, *after)
        self._ends = {
            end: _End(
                [(one.start, case) for one in every if one.end == end for case in one.cases()], always, self._steps
            )
            for end in dict.fromkeys(one.end for one in every)
        }
        kinds = [end.kinds.items() for end in self._ends.values()]
        self._complete = (
            all(end.complete for end in self._ends.values()) and math.prod(map(len, kinds)) <= _MOST_CHOICES
        )
        self._choices = list(islice(product(*kinds), _MOST_CHOICES))

    def difference(self, direction: Direction, *, is_possible: bool) -> _Difference | None:
        """What one version gives and the other does not, in the plainest context."""
        best: tuple[tuple[int, int], dict[str, Context], tuple[str, ...]] | None = None
        for choice in self._choices:
            chain = self._only(direction, frozenset[Case]().union(*(kind for kind, _ in choice)))
            if chain is not None:
                contexts = dict(zip(self._ends, (context for _, context in choice), strict=True))
                size = sum(sum(map(bool, context.values())) for context in contexts.values())
                if best is None or (size, len(chain)) < best[0]:
                    best = (size, len(chain)), contexts, chain
        if best is not None:
            return _Difference(best[2], tuple(self._conditions(direction, best[1])))
        if (
            self._complete
            or not is_possible
            or _signatures(self._edges[Direction.LOSES]) == _signatures(self._edges[Direction.GAINS])
        ):
            return None
        return _Difference((), (_UNCOMPARED,))

    def _only(self, direction: Direction, allowed: Set[Case]) -> tuple[str, ...] | None:
        """The chain by which only one version gives it, if these requests are allowed and no others.

        What it gives whoever is in the same account is a change of that account's, or of everybody's.
        """
        self._steps.spend(sum(map(len, self._edges.values())))
        chain = _chain(self._edges[direction], lambda edge: edge.case in allowed and edge.as_member not in allowed)
        if chain is None:
            return None
        other = _chain(self._edges[_OPPOSITE[direction]], lambda edge: not allowed.isdisjoint(edge.cases()))
        return chain if other is None else None

    def _conditions(self, direction: Direction, contexts: Mapping[str, Context]) -> Iterator[str]:
        """What has to hold: the keys that cannot have another value; the time passes for all requests alike."""
        seen: dict[str, None] = {}
        for name, context in contexts.items():
            end = self._ends[name]
            for key, choices in sorted(end.choices.items()):
                together = [*contexts] if key in CLOCKS else [name]
                others = (self._with(contexts, together, key, values) for values in choices)
                if any(self._only(direction, one) is None for one in others):
                    seen |= dict.fromkeys(end.texts(key, context))
        yield from seen

    def _with(
        self, contexts: Mapping[str, Context], names: Sequence[str], key: str, values: tuple[str, ...]
    ) -> frozenset[Case]:
        """What is allowed if a key has other values for the requests of some ends."""
        changed = {name: {**context, key: values} if name in names else context for name, context in contexts.items()}
        return frozenset[Case]().union(*(self._ends[name].allowed(context) for name, context in changed.items()))


_OPPOSITE = {Direction.GAINS: Direction.LOSES, Direction.LOSES: Direction.GAINS}


class _End:
    """Everything that is asked of a role or of the repository; `kinds`: which of it a context allows.

    `choices`: the values to try for each key; `complete`: they tell apart all that there is to tell apart.
    """

    def __init__(self, asked: Sequence[tuple[str, Case]], always: Sequence[CanonicalClause], steps: Steps) -> None:
        self._steps = steps
        self._cases = [case for _, case in asked]
        opened = [case.open() for case in self._cases]
        # By case: the name in contexts of each key that it leaves open.
        self._names = [
            {key: _name_of(key, start) for key in _keys(clauses, resources)}
            for (start, _), (clauses, resources) in zip(asked, opened, strict=True)
        ]
        self._spelling = {
            name: case.spelling.get(key, key) + name.removeprefix(key)
            for case, names in zip(self._cases, self._names, strict=True)
            for key, name in names.items()
        }
        each = zip(opened, self._names, strict=True)
        # Sorted, because sets of texts have another order in each process.
        self._clauses = sorted(
            {clause._replace(key=names[clause.key]) for (clauses, _), names in each for clause in clauses},
            key=lambda one: (one.key, one.operator, sorted(one.values)),
        )
        resources = sorted({resource for _, resources in opened for resource in resources})
        space = contexts_of(self._clauses, resources, always, self._certain, steps)
        self.choices, self.complete = space.choices, space.complete
        self.kinds: dict[frozenset[Case], Context] = {}
        for context in sorted(space, key=lambda context: sum(map(bool, context.values()))):
            self.kinds.setdefault(self.allowed(context), context)

    def allowed(self, context: Context) -> frozenset[Case]:
        """What a context allows; of each case only the keys count that it leaves open."""
        return frozenset(
            case
            for case, names in zip(self._cases, self._names, strict=True)
            if case.allows({key: context[name] for key, name in names.items() if name in context}, self._steps)
        )

    def texts(self, key: str, context: Context) -> Iterator[str]:
        """What a context needs of a key, in words."""
        clauses = [clause for clause in self._clauses if clause.key == key]
        known = {name: found for name in keys_of_variables(clauses) if (found := self._certain(name))}
        said = list(condition_texts(_apart(clauses, context), {**known, **context}, self._spelling))
        if not said:
            values = " and ".join(f'"{printable(value, 80)}"' for value in context[key])
            said = [f"{printable(self._spelling.get(key, key), 80)} is {values or 'absent'}"]
        yield from said

    def _certain(self, key: str) -> tuple[str, ...] | None:
        values = {case.value_of(key) for case in self._cases}
        return values.pop() if len(values) == 1 else None


_OF_CALLER = ("aws:principal", "aws:user", "aws:federatedprovider")


def _name_of(key: str, start: str) -> str:
    """A key's name in contexts: keys of a role on the way are not those of whoever comes through it."""
    return f"{key} of {start}" if start != _START and key.startswith(_OF_CALLER) else key


def _keys(clauses: Iterable[CanonicalClause], resources: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The keys on which clauses and Resources depend."""
    texts = [value for clause in clauses for value in clause.values] + [text for text, _ in resources]
    return frozenset({clause.key for clause in clauses} | {one.key for text in texts for one in variables_in(text)})


def _apart(clauses: Sequence[CanonicalClause], context: Context) -> list[CanonicalClause]:
    """The clauses on one key, those that hold without the values that another of the same operator has and that fails.

    `is "a" or "b"` and `is not "a"` is `is "b"`.
    """
    plain = [clause for clause in clauses if clause.operator == "StringEquals"]
    failed = [
        one
        for one in plain
        if not clause_holds(Clause(one.operator, one.key, tuple(one.values)), context, variables=True)
    ]
    gone = {value for one in failed for value in one.values}
    held = [one for one in plain if one not in failed]
    if not held:
        return list(clauses)
    narrowed = [one._replace(values=one.values - gone) for one in held]
    return [*narrowed, *(clause for clause in clauses if clause not in plain)]


def _chain(edges: Sequence[_Edge], is_open: Callable[[_Edge], bool]) -> tuple[str, ...] | None:
    """The shortest chain of roles to the repository; () without any, None if there is none."""
    chains: dict[str, tuple[str, ...]] = {_START: ()}
    waiting = deque(chains)
    while waiting:
        start = waiting.popleft()
        for edge in edges:
            if edge.start == start and edge.end not in chains and is_open(edge):
                if edge.end == _REPOSITORY:
                    return chains[start]
                chains[edge.end] = (*chains[start], edge.role)
                waiting.append(edge.end)
    return None


def _signatures(edges: Sequence[_Edge]) -> list[tuple[object, ...]]:
    """What the edges rest on."""
    return sorted(((edge.start, edge.end, *edge.case.statements()) for edge in edges), key=lambda one: one[:2])
