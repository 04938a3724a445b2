"""Administrators of an account: who can change what identities there may do, or administer a repository or registry."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from copy import replace

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.actions import REPLICATE
from ecr_warden.core.administering import is_of_registry
from ecr_warden.core.estate import EcrAccount, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.document import Document
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import AccessPath, Step
from iam_access.who_can.power import CHANGES, CREDENTIALS, TAKING_OVER, WRITING, administering, changes_of
from iam_access.who_can.subject import Subject

_JOINING = "iam:AddUserToGroup"
_CAN = (Answer.YES, Answer.CONDITIONAL)

type _Call = tuple[str, str]
"""An action and its resource."""


class _Limited(Struct, frozen=True):
    """What somebody can do who writes no policies, or only under a condition.

    `targets`: the users and roles that they can take over; `of_power`: whether they can let somebody into a group of
    which a policy makes administrators; `step`: one call.
    """

    step: Step
    targets: frozenset[str] = frozenset()
    of_power: bool = False

    def with_calls(self, action: str, on: Collection[str], subject: Subject, account: EcrAccount) -> "_Limited":
        """The same, who can also make a call on some resources."""
        if action in TAKING_OVER:
            return replace(self, targets=self.targets.union(on) - {subject.arn})
        groups = [account.groups[arn] for arn in on] if action == _JOINING else []
        documents = (policy.document for group in groups for policy in group.policies)
        indexes = (administering(one, account.id, subject.arn) for one in documents if isinstance(one, Document))
        return replace(self, of_power=self.of_power or any(True for some in indexes for _ in some))


class Administrators(Struct, frozen=True):
    """Who administers an account, by ARN or class, each with one way; the outsiders among them too.

    `iam`: those who can change what identities may do or who may act as them; `unlimited`: those of them who write or
    attach policies without a condition on it, or can become one who does. The others may not be able to give themselves
    any access.
    `of_registries`: those who can administer a repository or a registry (core.administering) and are not in `iam`.
    """

    iam: Mapping[str, AccessPath]
    of_registries: Mapping[str, AccessPath]
    unlimited: frozenset[str] = frozenset()


def calls(graph: RepositoryGraph) -> tuple[str, ...]:
    """What administers and can be called."""
    return tuple(action for action in graph.administering if action != REPLICATE)


def administrators(graph: RepositoryGraph, account: EcrAccount) -> Administrators:
    """The administrators of one account of the estate."""
    named, writers, limited = _with_power(graph, account)
    iam = _through_roles(graph, named)
    of_registries: dict[str, AccessPath] = {}
    for arn, path in _administering(graph, account):
        if arn not in iam and _can(path):
            of_registries.setdefault(arn, path)
    return Administrators(iam, of_registries, _unlimited(graph, writers, limited))


def _through_roles(graph: RepositoryGraph, steps: Mapping[str, Step]) -> dict[str, AccessPath]:
    return {arn: path for arn, path in graph.through_roles(steps).items() if _can(path)}


def _unlimited(graph: RepositoryGraph, writers: Mapping[str, Step], limited: Mapping[str, _Limited]) -> frozenset[str]:
    """Whoever writes policies, and whoever can become one of these."""
    steps = dict(writers)
    while True:
        found = _through_roles(graph, steps).keys()
        more = {
            arn: one.step
            for arn, one in limited.items()
            if arn not in steps and (one.of_power or not one.targets.isdisjoint(found))
        }
        if not more:
            return frozenset(found)
        steps |= more


def _can(path: AccessPath) -> bool:
    """Whoever is not in the estate counts as able where all was read: who writes it may make it hard to decide."""
    return path.answer in _CAN or (path.is_too_hard and path.subject.identity is None)


def _administering(graph: RepositoryGraph, account: EcrAccount) -> Iterator[tuple[str, AccessPath]]:
    """Everybody by each action that administers, the gravest first."""
    firsts: dict[Hashable, Repository] = {}
    for registry in account.registries.values():
        for one in registry.repositories.values():
            firsts.setdefault(graph.kind_of(one), one)
    registries = [Repository(RepositoryTarget(account.id, region, "any")) for region in account.registries]
    for action in calls(graph):
        for repository in registries if is_of_registry(action) else firsts.values():
            yield from graph.who_can(graph.permissions(action, repository)).items()


def _with_power(
    graph: RepositoryGraph, account: EcrAccount
) -> tuple[dict[str, Step], dict[str, Step], dict[str, _Limited]]:
    """The identities with power over identities, each with the gravest call; those who certainly write; the others."""
    calls: dict[_Call, set[str]] = defaultdict(set)
    for target in graph.identities_of(account.id):
        for call in changes_of(target, account):
            calls[call].add(target.arn)
    calls = dict(sorted(calls.items(), key=lambda item: item[0][0] not in WRITING))
    by_patterns: dict[frozenset[str], Mapping[object, list[_Call]]] = {}
    named: dict[str, Step] = {}
    writers: dict[str, Step] = {}
    limited: dict[str, _Limited] = {}
    for subject in graph.identities_of(account.id):
        if not any(graph.may_allow(subject, action) for action in CHANGES):
            continue
        patterns = frozenset(_patterns(subject))
        if patterns not in by_patterns:
            by_patterns[patterns] = _alike(calls, patterns)
        for alike in by_patterns[patterns].values():
            # A password or key of its own gives the subject nothing.
            gives = next((one for one in alike if one[0] not in CREDENTIALS or calls[one] != {subject.arn}), None)
            if gives is None or not graph.may_allow(subject, *gives):
                continue
            action, resource = gives
            permissions = (Permission(action, Resource(resource, account.id)),)
            decision = graph.decide(subject, permissions)
            if decision.answer not in _CAN:
                continue
            step = Step(subject, permissions, decision)
            named.setdefault(subject.arn, step)
            if action in WRITING and decision.answer is Answer.YES:
                writers[subject.arn] = step
                break
            before = limited.get(subject.arn, _Limited(step))
            limited[subject.arn] = before.with_calls(action, [on for _, on in alike], subject, account)
    return named, writers, {arn: one for arn, one in limited.items() if arn not in writers}


def _patterns(subject: Subject) -> Iterator[str]:
    """The resources that the subject's policies distinguish."""
    levels = (one for level in subject.service_control for one in level)
    for policy in (*subject.policies, *([subject.boundary] if subject.boundary else ()), *levels):
        for statement in policy.statements:
            yield from statement.resources.values if statement.resources else ()


def _alike(calls: Iterable[_Call], patterns: frozenset[str]) -> Mapping[object, list[_Call]]:
    """The calls, those together that the patterns do not distinguish: the answer for one is the answer for all."""
    signatures = {resource: _signature(resource, patterns) for resource in dict.fromkeys(one for _, one in calls)}
    found: dict[object, list[_Call]] = defaultdict(list)
    for action, resource in calls:
        found[action, signatures[resource]].append((action, resource))
    return found


def _signature(resource: str, patterns: frozenset[str]) -> object:
    """Equal for resources that match the same patterns; one that may match a policy variable is like no other."""
    matching = []
    for text in patterns - {"*"}:
        if literal_glob(replace_variables(completed_arn(text), lambda _: "*")).matches(resource):
            matching.append((text, resource if "${" in text else ""))
    return frozenset(matching)
