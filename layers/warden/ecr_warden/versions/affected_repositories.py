"""Which repositories a new version of the spec affects, in groups that nothing in its documents tells apart.

One repository of a group answers for all: the policies of the group are the same in both versions, and every Resource
element of every identity policy names all of the group or none.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from copy import replace
from functools import cache
from hashlib import sha256
from heapq import heapify, heappop, heappush

from msgspec import Struct, field

from ecr_warden.core.actions import REQUIRED
from ecr_warden.core.address import DOCUMENT_KINDS, AddressKind, repository_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec, ForeignStatement, TargetSpec
from ecr_warden.core.estate import Repository
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from iam_access.arn import ARN_COLONS
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.pattern import pattern_covers
from iam_access.document.pattern_index import PatternIndex
from iam_access.document.principal import ANYONE, Principal, Principals
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal, principal_named
from iam_access.evaluate.statement_match import action_matches
from iam_access.gather import gather
from iam_access.once import once

ELSEWHERE = "*"
"""Stands for a region, and for a name, that the spec does not name."""
_MOST_PATTERNS = 2000
"""Patterns of a registry with the parts that two of them share: a grant adds one for each pattern of repositories."""
_LONGEST_SHARED = 300
_WILD = frozenset("*?")


class RepositoryGroup(Struct, frozen=True):
    """Repositories with the same access for everybody, as people see them; `sample` has a name instead of a pattern."""

    sample: RepositoryTarget
    shown: tuple[RepositoryTarget, ...]
    changed: frozenset[str] | None
    """The keys of the identities of which their policies say something else, None if that is anybody."""


class AffectedRepositories(Struct, frozen=True):
    """What a new version of the spec affects."""

    groups: tuple[RepositoryGroup, ...]
    """The repositories that could differ."""
    moved: frozenset[str]
    """The keys of identities whose documents differ, and of roles that one of them may assume."""
    shared: frozenset[str]
    """The patterns that only stand for what two patterns share."""
    left_out: tuple[RepositoryTarget, ...]
    """Patterns of repositories of which there are too many to compare."""


class Named(Struct):
    """Whom the Allow statements of a resource's policy name: identities by their targets' keys, accounts, anybody."""

    keys: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    anybody: bool = False

    def may_name(self, key: str) -> bool:
        """Does it name an identity, its account, or anybody?"""
        return self.anybody or key in self.keys or _account_of(key) in self.accounts


def affected_repositories(before: CompiledSpec, after: CompiledSpec) -> AffectedRepositories:
    """Everything that could differ between two versions."""
    return _Search(before, after).result()


class _Element(Struct, frozen=True):
    """A Resource element: the identity that has it, and the ARNs in it, as patterns."""

    owner: str
    texts: tuple[str, ...]


class _Search:
    def __init__(self, before: CompiledSpec, after: CompiledSpec) -> None:
        self._versions = before, after
        self._related: dict[tuple[str, str], bool] = {}
        self._named: dict[str, Named] = {}
        self._shared: set[str] = set()
        self._elements = [element for version in self._versions for element in _elements(version)]
        self._moved = self._moved_identities()
        self._index()

    def result(self) -> AffectedRepositories:
        found: dict[Hashable, list[tuple[RepositoryTarget, RepositoryTarget]]] = defaultdict(list)
        names, left_out = self._names()
        for shown, sample in names.items():
            policies = tuple(_policy(version, sample) for version in self._versions)
            # The elements that name it, but for those that name everything.
            elements = frozenset(self._naming.matching(_arn(sample)))
            if self._differ(policies[0], policies[1]) or self._is_reached(sample, policies, elements):
                alone = sample.name if self._is_singled_out(sample) else ""
                found[sample.account, sample.region, alone, policies, elements].append((shown, sample))
        groups = []
        for some in found.values():
            sample = some[0][1]
            changed = self._changed(*(_policy(version, sample) for version in self._versions))
            groups.append(RepositoryGroup(sample, tuple(shown for shown, _ in some), changed))
        return AffectedRepositories(tuple(groups), frozenset(self._moved), frozenset(self._shared), tuple(left_out))

    # Whose documents differ

    def _moved_identities(self) -> set[str]:
        """The identities whose documents differ, and the roles that one of them may assume, directly or not."""
        before, after = (_identities(version) for version in self._versions)
        moved = {key for key in before.keys() | after.keys() if self._has_moved(before.get(key), after.get(key))}
        trusts = [(key, self._names_of(document)) for one in (before, after) for key, document in _trusts(one)]
        by_key = gather((key, role) for role, named in trusts for key in named.keys)
        by_account = gather((account, role) for role, named in trusts for account in named.accounts)
        by_all = [role for role, named in trusts if named.anybody]
        waiting = list(moved)
        while waiting:
            key = waiting.pop()
            reached = {*by_key.get(key, ()), *by_account.get(_account_of(key), ()), *by_all} - moved
            moved |= reached
            waiting += reached
        return moved

    def _names_of(self, document: Document) -> Named:
        return once(self._named, document.text, lambda: _named(document))

    def _has_moved(self, before: TargetSpec | None, after: TargetSpec | None) -> bool:
        held = [dict(_documents(target_spec)) for target_spec in (before, after)]
        return held[0].keys() != held[1].keys() or any(
            self._documents_differ(document, held[1][at], at.kind) for at, document in held[0].items()
        )

    def _documents_differ(self, one: Document, other: Document, kind: AddressKind) -> bool:
        def differ() -> bool:
            return isinstance(relate(one, other, kind=DOCUMENT_KINDS[kind]), Differs)

        return one.text != other.text and once(self._related, (one.text, other.text), differ)

    def _differ(self, one: "_RepositoryPolicy", other: "_RepositoryPolicy") -> bool:
        if one.document is None or other.document is None:
            return one != other
        differ = self._documents_differ(one.document, other.document, AddressKind.REPOSITORY_POLICY)
        return one.foreign != other.foreign or differ

    def _changed(self, one: "_RepositoryPolicy", other: "_RepositoryPolicy") -> frozenset[str] | None:
        """The identities of which two policies say something else, None if that is anybody."""
        if not self._differ(one, other):
            return frozenset()
        if one.foreign != other.foreign:
            return None
        said = [_by_principals(policy.document) for policy in (one, other)]
        differing = [named for named in said[0].keys() | said[1].keys() if said[0].get(named) != said[1].get(named)]
        keys = [None if named.negated else _key(named.values[0]) for named in differing]
        return None if None in keys else frozenset(key for key in keys if key is not None)

    # Which repositories these reach

    def _index(self) -> None:
        self._everywhere = {one.owner for one in self._elements if ELSEWHERE in one.texts}
        self._naming = PatternIndex[int]()
        for index, element in enumerate(self._elements):
            for text in element.texts:
                if text != ELSEWHERE:
                    self._naming.add(_any_value(text), index)
        texts = {text for element in self._elements for text in element.texts}
        self._varying = [text for text in texts if "${" in text]

    def _is_reached(
        self, sample: RepositoryTarget, policies: tuple["_RepositoryPolicy", ...], elements: frozenset[int]
    ) -> bool:
        owners = {self._elements[index].owner for index in elements} | self._everywhere
        named = [self._names_of(policy.document) for policy in policies if policy.document is not None]
        return any(
            any(one.may_name(key) for one in named) or (key in owners and _account_of(key) == sample.account)
            for key in self._moved
            if key in owners or _account_of(key) == sample.account
        )

    def _is_singled_out(self, sample: RepositoryTarget) -> bool:
        """May a policy variable name just this repository?"""
        return any(literal_glob(_any_value(text)).matches(_arn(sample)) for text in self._varying)

    # The names to ask about

    def _names(self) -> tuple[dict[RepositoryTarget, RepositoryTarget], list[RepositoryTarget]]:
        """Each repository that is named, and each pattern with a name that fits it; and the patterns left out."""
        exact: dict[RepositoryTarget, None] = {}
        patterns: dict[tuple[str, str], dict[str, None]] = {}
        for version in self._versions:
            for spec in version.targets.values():
                if isinstance(spec.target, RepositoryTarget):
                    exact[spec.target] = None
                    patterns.setdefault((spec.target.account, spec.target.region), {})
            for pattern in version.patterns:
                held = patterns.setdefault((pattern.account, pattern.region), {})
                held |= dict.fromkeys((pattern.name, *pattern.excluded))
        for target, owner in self._of_elements():
            is_named = (target.account, target.region) in patterns
            if not is_named and target.account != _account_of(owner):
                continue
            held = patterns.setdefault((target.account, target.region), {})
            if _WILD & set(target.name):
                held[target.name] = None
            else:
                exact[target] = None
        names = {target: target for target in exact}
        left_out = []
        for (account, region), held in patterns.items():
            whole = RepositoryTarget(account, region, ELSEWHERE)
            shared = _with_shared(held)
            if shared is None:
                left_out.append(whole)
                continue
            filling = sha256("\n".join(sorted(shared)).encode()).hexdigest()[:16]
            parts = (replace(whole, name=name) for name in shared if name not in held)
            self._shared |= {part.key for part in parts if part not in exact}
            for name in shared:
                sample = name.replace("*", filling).replace("?", filling[0])
                names.setdefault(replace(whole, name=name), replace(whole, name=sample))
        return names, left_out

    def _of_elements(self) -> Iterator[tuple[RepositoryTarget, str]]:
        """The repositories that identity policies name, as patterns of regions and names, and whose policy it is."""
        accounts = {account for version in self._versions for account in version.accounts}
        known: dict[str, set[str]] = defaultdict(set)
        for version in self._versions:
            for target in (*(spec.target for spec in version.targets.values()), *(p.target for p in version.patterns)):
                accounts.add(target.account)
                if isinstance(target, RepositoryTarget):
                    known[target.account].add(target.region)
        seen = {(text, element.owner) for element in self._elements for text in element.texts}
        for text, owner in sorted(seen):
            parts = _any_value(text).split(":", ARN_COLONS)
            if text == ELSEWHERE or len(parts) <= ARN_COLONS:
                parts = ["", "", "", "*", "*", "*"]
            region, account, resource = parts[3:]
            name = resource.partition("/")[2] or ELSEWHERE
            for one in sorted(accounts) if _WILD & set(account) else (account,):
                if _WILD & set(region):
                    regions = {each for each in known[one] if literal_glob(region).matches(each)} | {ELSEWHERE}
                else:
                    regions = {region}
                yield from ((RepositoryTarget(one, each, name), owner) for each in sorted(regions))


class _RepositoryPolicy(Struct, frozen=True):
    """What a version says of a repository's policy."""

    document: Document | None
    foreign: tuple[ForeignStatement, ...] = ()


def _policy(version: CompiledSpec, target: RepositoryTarget) -> _RepositoryPolicy:
    spec = version.spec_of(target)
    if spec is None:
        return _RepositoryPolicy(None)
    desired = spec.documents.get(repository_policy(target))
    return _RepositoryPolicy(desired if isinstance(desired, Document) else None, spec.foreign)


def _identities(version: CompiledSpec) -> Mapping[str, TargetSpec]:
    return {
        key: target_spec
        for key, target_spec in version.targets.items()
        if not isinstance(target_spec.target, RepositoryTarget)
    }


def _documents(spec: TargetSpec | None) -> Iterator[tuple["_Place", Document]]:
    return (
        (_Place(address.kind, address.name), value)
        for address, value in (spec.documents.items() if spec else ())
        if isinstance(value, Document)
    )


class _Place(Struct, frozen=True):
    kind: AddressKind
    name: str


def _trusts(identities: Mapping[str, TargetSpec]) -> Iterator[tuple[str, Document]]:
    for key, spec in identities.items():
        if isinstance(spec.target, RoleTarget):
            trust = spec.documents.get(trust_policy(spec.target))
            if isinstance(trust, Document):
                yield key, trust


def _elements(version: CompiledSpec) -> Iterator[_Element]:
    """The Resource elements of all identity policies that are about images or policies of repositories."""
    for key, spec in _identities(version).items():
        for address, value in spec.documents.items():
            if address.kind is AddressKind.IDENTITY_POLICY and isinstance(value, Document):
                yield from (
                    _Element(key, _texts(statement)) for statement in value.statements if _is_of_repositories(statement)
                )


def _is_of_repositories(statement: Statement) -> bool:
    return any(action_matches(statement.actions, action) for action in _ACTIONS)


_ACTIONS = tuple(action for actions in REQUIRED.values() for action in actions)


def _texts(statement: Statement) -> tuple[str, ...]:
    """The patterns of an element; what NotResource leaves is everything, and what it names stands out."""
    element = statement.resources
    if element is None:
        return (ELSEWHERE,)
    texts = tuple(dict.fromkeys(map(completed_arn, element.values)))
    return (*texts, ELSEWHERE) if element.negated else texts


def _any_value(text: str) -> str:
    return replace_variables(text, lambda _: "*")


def _arn(target: RepositoryTarget) -> str:
    return Repository(target).arn


def _named(document: Document) -> Named:
    named = Named()
    for statement in document.statements:
        principals = statement.principals
        if statement.effect is Effect.DENY or principals is None:
            continue
        named.anybody = named.anybody or principals.negated
        for principal in principals.values:
            if principal == ANYONE:
                named.anybody = True
            elif (key := _key(principal)) is not None:
                named.keys.add(key)
            elif (account := _whole(principal)) is not None:
                named.accounts.add(account)
    return named


def _key(principal: Principal) -> str | None:
    """The key of the user or role (a session's role) that a policy names; None for everybody else."""
    named = principal_named(principal.value)
    return None if named is None else key_of(named)


def key_of(principal: RequestPrincipal) -> str | None:
    """The target's key of a user or role, a session's role; None for everybody else."""
    match principal.kind:
        case CallerKind.USER:
            return UserTarget(str(principal.account), principal.name).key
        case CallerKind.ROLE | CallerKind.SESSION:
            return RoleTarget(str(principal.account), principal.name).key
        case _:
            return None


def _whole(principal: Principal) -> str | None:
    """The account that a policy names as a whole."""
    named = principal_named(principal.value)
    return named.account if named is not None and named.kind is CallerKind.ROOT else None


def _by_principals(document: Document | None) -> dict[Principals, set[tuple[Statement, str]]]:
    """What a document says of each principal; a NotPrincipal element counts as a principal of its own."""
    found: defaultdict[Principals, set[tuple[Statement, str]]] = defaultdict(set)
    for statement in document.statements if document else ():
        principals = statement.principals
        if principals is None:
            continue
        says = replace(statement, principals=None, sid=None), document.version if document else ""
        for one in (principals,) if principals.negated else (Principals(False, (each,)) for each in principals.values):
            found[one].add(says)
    return dict(found)


def _account_of(key: str) -> str:
    return key.split("/", 2)[1]


# Patterns that share names


def _with_shared(patterns: Iterable[str]) -> list[str] | None:
    """The patterns with those that fit what two of them share; None if they are too many."""
    found = dict.fromkeys(sorted(patterns))
    # What two patterns share starts as the longer of them: nothing comes up that starts shorter than what is done.
    waiting = [(len(_start(one)), one) for one in found]
    heapify(waiting)
    by_start: defaultdict[str, list[str]] = defaultdict(list)
    while waiting:
        length, one = heappop(waiting)
        start = _start(one)
        for other in [other for end in range(length + 1) for other in by_start[start[:end]]]:
            if pattern_covers(one, other) or pattern_covers(other, one):
                continue
            if (shared := _shared(one, other)) is not None and shared not in found:
                found[shared] = None
                heappush(waiting, (len(_start(shared)), shared))
        if len(found) > _MOST_PATTERNS:
            return None
        by_start[start].append(one)
    return list(found)


def _start(pattern: str) -> str:
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def _shared(one: str, other: str) -> str | None:
    """A pattern that both cover; None if no text fits both."""
    if len(one) + len(other) > _LONGEST_SHARED:
        return None

    @cache
    def rest(i: int, j: int) -> str | None:
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return ""
        if a == "*" and b == "*":
            found = rest(i + 1, j + 1)
            found = found if found is not None else rest(i + 1, j)
            found = found if found is not None else rest(i, j + 1)
            return None if found is None else "*" + found.removeprefix("*")
        if a == "*":
            return _first(_joined(b, rest(i, j + 1)) if b else None, rest(i + 1, j))
        if b == "*":
            return _first(_joined(a, rest(i + 1, j)) if a else None, rest(i, j + 1))
        if a and b and (a == b or "?" in (a, b)):
            return _joined(b if a == "?" else a, rest(i + 1, j + 1))
        return None

    return rest(0, 0)


def _joined(start: str, rest: str | None) -> str | None:
    return None if rest is None else start + rest


def _first(one: str | None, other: str | None) -> str | None:
    return other if one is None else one
