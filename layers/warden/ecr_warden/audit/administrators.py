"""Administrators of an account: who can change what identities there may do, or administer a repository or registry."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.administering import is_of_registry
from ecr_warden.core.estate import EcrAccount, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.escalation.moves import CHANGES_IAM, changes_of
from iam_access.escalation.power import CREDENTIALS
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import AccessPath, Step
from iam_access.who_can.subject import Subject

_CAN = (Answer.YES, Answer.CONDITIONAL)

type _Call = tuple[str, str]
"""An action and its resource."""


class Administrators(Struct, frozen=True):
    """Who administers an account, by ARN or class, each with one way; the outsiders among them too.

    `iam`: those who can change what identities may do, and so give themselves any access; `of_registries`: those who
    can administer a repository or a registry (core.administering) and are not in `iam`.
    """

    iam: Mapping[str, AccessPath]
    of_registries: Mapping[str, AccessPath]


def administrators(graph: RepositoryGraph, account: EcrAccount) -> Administrators:
    """The administrators of one account of the estate."""
    iam = {arn: path for arn, path in graph.through_roles(_writers_of_iam(graph, account)).items() if _can(path)}
    of_registries: dict[str, AccessPath] = {}
    for arn, path in _administering(graph, account):
        if arn not in iam and _can(path):
            of_registries.setdefault(arn, path)
    return Administrators(iam, of_registries)


def _can(path: AccessPath) -> bool:
    return path.answer in _CAN


def _administering(graph: RepositoryGraph, account: EcrAccount) -> Iterator[tuple[str, AccessPath]]:
    """Everybody by each action that administers, the gravest first."""
    firsts: dict[Hashable, Repository] = {}
    for registry in account.registries.values():
        for one in registry.repositories.values():
            firsts.setdefault(graph.kind_of(one), one)
    registries = [Repository(RepositoryTarget(account.id, region, "any")) for region in account.registries]
    for action in graph.administering:
        for repository in registries if is_of_registry(action) else firsts.values():
            yield from graph.who_can(graph.permissions(action, repository)).items()


def _writers_of_iam(graph: RepositoryGraph, account: EcrAccount) -> dict[str, Step]:
    """The identities whose own policies let them change what others or they themselves may do."""
    calls: dict[_Call, set[str]] = defaultdict(set)
    for target in graph.identities_of(account.id):
        for named in changes_of(target, account):
            calls[named].add(target.arn)
    by_patterns: dict[frozenset[str], Mapping[object, list[_Call]]] = {}
    found: dict[str, Step] = {}
    for subject in graph.identities_of(account.id):
        if not any(graph.may_allow(subject, action) for action in CHANGES_IAM):
            continue
        patterns = frozenset(_patterns(subject))
        if patterns not in by_patterns:
            by_patterns[patterns] = _alike(calls, patterns)
        for group in by_patterns[patterns].values():
            # A password or key of its own gives the subject nothing.
            gives = next((one for one in group if one[0] not in CREDENTIALS or calls[one] != {subject.arn}), None)
            if gives is None or not graph.may_allow(subject, *gives):
                continue
            action, resource = gives
            permissions = (Permission(action, Resource(resource, account.id)),)
            decision = graph.decide(subject, permissions)
            if decision.answer in _CAN:
                found[subject.arn] = Step(subject, permissions, decision)
                break
    return found


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
