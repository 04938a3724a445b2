"""Administrators of an account: who can change what identities there may do, or administer a repository or registry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cache
from itertools import chain

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.actions import REPLICATE
from ecr_warden.core.administering import is_of_registry
from ecr_warden.core.estate import EcrAccount, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.document import Document
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.gather import gather
from iam_access.inventory.inventory import Policy
from iam_access.once import once
from iam_access.who_can.candidates import resources_allowed
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import AccessPath, Step
from iam_access.who_can.power import changes_of
from iam_access.who_can.powers import ATTACHING, CHANGES, CREDENTIALS, TAKING_OVER, WRITING
from iam_access.who_can.resources import TAG_PREFIXES, keys_asked_for, tag_keys
from iam_access.who_can.subject import Subject

_CAN = (Answer.YES, Answer.CONDITIONAL)
_JOINING = "iam:AddUserToGroup"
_BOUNDARY = "iam:permissionsboundary"
# What a call's own boundary is; of every other call on a user or role the key is the boundary that they have.
_BOUNDING = frozenset({"iam:PutUserPermissionsBoundary", "iam:PutRolePermissionsBoundary"})

type Unlimited = Callable[[str], frozenset[str]]
"""The administrators of an account whose access is no finding, by its ID."""
type _Call = tuple[str, str]
"""An action and its resource."""


class _Power(Struct, frozen=True):
    """A call that somebody can make on some resources of an account."""

    action: str
    on: tuple[str, ...]
    step: Step
    is_free: bool
    """Whatever holds, and on somebody whom no boundary limits, so that nothing limits what it gives."""

    @property
    def writes(self) -> bool:
        """Does it write or attach a policy without a limit on what that gives?"""
        return self.is_free and self.action in WRITING


class _Limited(Struct, frozen=True):
    """What somebody can do who writes no policies, or only under a condition."""

    step: Step
    """One call."""
    targets: frozenset[str] = frozenset()
    """The users and roles that they can take over."""
    joins: bool = False
    """Whether they can let somebody into a group by whose policies members write."""


class Administrators(Struct, frozen=True):
    """Who administers an account, by ARN or class, each with one way; the outsiders among them too."""

    iam: Mapping[str, AccessPath]
    """Those who can change what identities may do or who may act as them."""
    of_registries: Mapping[str, AccessPath]
    """Those who can administer a repository or a registry (core.administering) and are not in `iam`."""
    unlimited: frozenset[str] = frozenset()
    """Those of them who write or attach policies without a limit on it, or can become one who does. The others may
    not be able to give themselves any access."""


def calls(graph: RepositoryGraph) -> tuple[str, ...]:
    """What administers and can be called."""
    return tuple(action for action in graph.administering if action != REPLICATE)


def administrators(graph: RepositoryGraph, account: EcrAccount) -> Administrators:
    """The administrators of one account of the estate."""
    named, unlimited = _with_power(graph, account)
    iam = _through_roles(graph, named)
    others = gather((arn, path) for arn, path in _administering(graph, account) if arn not in iam and _can(path))
    return Administrators(iam, {arn: paths[0] for arn, paths in others.items()}, unlimited)


def unlimited_in(graph: RepositoryGraph) -> Unlimited:
    """The administrators whose access is no finding, found for each account of an estate when it is asked about."""
    accounts = graph.estate.accounts
    return cache(lambda name: _with_power(graph, accounts[name])[1] if name in accounts else frozenset())


def _with_power(graph: RepositoryGraph, account: EcrAccount) -> tuple[Mapping[str, Step], frozenset[str]]:
    """The identities with power over identities, each with a call that shows it; who of all is unlimited."""
    powers = _Powers(graph, account)
    named: dict[str, Step] = {}
    writers: dict[str, Step] = {}
    limited: dict[str, _Limited] = {}
    for subject in graph.identities_of(account.id):
        for power in powers.of(subject):
            named.setdefault(subject.arn, power.step)
            if power.writes:
                writers[subject.arn] = power.step
                limited.pop(subject.arn, None)
                break
            limited[subject.arn] = powers.with_power(limited.get(subject.arn, _Limited(power.step)), power)
    return named, _unlimited(graph, writers, limited)


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
            if arn not in steps and (one.joins or not one.targets.isdisjoint(found))
        }
        if not more:
            return frozenset(found)
        steps |= more


def _can(path: AccessPath) -> bool:
    """Whoever is not in the estate counts as able where all was read: who writes it may make it hard to decide."""
    return path.answer in _CAN or (path.is_too_hard and path.subject.identity is None)


def _administering(graph: RepositoryGraph, account: EcrAccount) -> Iterator[tuple[str, AccessPath]]:
    """Everybody by each action that administers, the gravest first."""
    repositories = (one for registry in account.registries.values() for one in registry.repositories.values())
    firsts = [alike[0] for alike in gather((graph.kind_of(one), one) for one in repositories).values()]
    registries = [Repository(RepositoryTarget(account.id, region, "any")) for region in account.registries]
    for action in calls(graph):
        for repository in registries if is_of_registry(action) else firsts:
            yield from graph.who_can(graph.permissions(action, repository)).items()


class _Powers:
    """The calls that change what identities of an account may do, or who may act as them.

    Those that somebody's policies do not tell apart are decided once.
    """

    def __init__(self, graph: RepositoryGraph, account: EcrAccount) -> None:
        self._graph = graph
        self._account = account
        self._bounded = {arn for arn, one in account.identities.items() if one.boundary is not None}
        targets = graph.identities_of(account.id)
        calls = gather((call, target.arn) for target in targets for call in changes_of(target, account))
        self._calls = {call: {*calls[call]} for call in sorted(calls, key=lambda call: call[0] not in WRITING)}
        self._alike: dict[frozenset[str], Sequence[tuple[str, tuple[str, ...]]]] = {}

    def of(self, subject: Subject) -> Iterator[_Power]:
        """What a subject can call, what writes policies first."""
        if not any(self._graph.may_allow(subject, action) for action in CHANGES):
            return
        for action, resources in self._told_apart(subject):
            # A password or key of its own gives the subject nothing.
            on = tuple(
                one for one in resources if action not in CREDENTIALS or self._calls[action, one] != {subject.arn}
            )
            if on and self._graph.may_allow(subject, action, on[0]):
                yield from self._decided(subject, action, on)

    def with_power(self, limited: _Limited, power: _Power) -> _Limited:
        """The same, who can also make this call."""
        if power.action in TAKING_OVER:
            return replace(limited, targets=limited.targets.union(power.on) - {power.step.subject.arn})
        return replace(limited, joins=limited.joins or self._joins(power))

    def _told_apart(self, subject: Subject) -> Sequence[tuple[str, tuple[str, ...]]]:
        """Each action, with resources that the subject's policies do not tell apart by their ARNs."""
        policies = tuple(_policies(subject))
        patterns = frozenset(
            text for policy in policies for one in policy.statements if one.resources for text in one.resources.values
        )
        return once(self._alike, patterns, lambda: _alike(self._calls, patterns))

    def _decided(self, subject: Subject, action: str, on: tuple[str, ...]) -> Iterator[_Power]:
        """The call on the resources; where conditions decide, on those whose tags and boundary fulfil them."""
        step = self._step(subject, action, Resource(on[0], self._account.id))
        if step.decision.answer is Answer.YES:
            yield _Power(action, on, step, self._gives(subject, action, on))
        if step.decision.answer is not Answer.CONDITIONAL:
            return
        asked = sorted(keys_asked_for(_policies(subject), (*TAG_PREFIXES, _BOUNDARY)))
        known = {arn: self._known(arn, action) for arn in on}
        by_keys = gather((tuple(map(resource.keys.get, asked)), arn) for arn, resource in known.items())
        for arns in by_keys.values():
            step = self._step(subject, action, known[arns[0]])
            if step.decision.answer in _CAN:
                yield _Power(action, tuple(arns), step, is_free=False)

    def _gives(self, subject: Subject, action: str, on: Iterable[str]) -> bool:
        """Does a call change somebody whom no boundary limits, or from whom the subject may take it?"""
        lifted = {
            one
            for call, others in self._told_apart(subject)
            if call.endswith("PermissionsBoundary")
            and self._step(subject, call, Resource(others[0], self._account.id)).decision.answer is Answer.YES
            for one in others
        }
        return any(not self._calls[action, one] <= self._bounded - lifted for one in on)

    def _known(self, arn: str, action: str) -> Resource:
        """A resource of a call, with the keys of that call as far as they are certain."""
        identity = self._account.identities.get(arn)
        keys = tag_keys(identity) if identity is not None else {}
        closed = [*TAG_PREFIXES] if identity is not None else []
        if action not in _BOUNDING:
            closed.append(_BOUNDARY)
            if identity is not None and identity.boundary is not None:
                keys[_BOUNDARY] = (identity.boundary.place.arn,)
        if action not in ATTACHING:
            closed.append("iam:policyarn")
        return Resource(arn, self._account.id, keys=keys, closed=tuple(closed))

    def _step(self, subject: Subject, action: str, resource: Resource) -> Step:
        permissions = (Permission(action, resource),)
        return Step(subject, permissions, self._graph.decide(subject, permissions))

    def _joins(self, power: _Power) -> bool:
        """Does a call let somebody into a group whose members write policies?"""
        return power.action == _JOINING and any(self._makes_writer(power.step.subject, group) for group in power.on)

    def _makes_writer(self, subject: Subject, group: str) -> bool:
        """Would a subject write policies as a member of a group?"""
        policies = self._account.groups[group].policies
        joined = replace(subject, policies=(*subject.policies, *policies))
        return any(
            self._step(joined, action, Resource(on[0], self._account.id)).decision.answer is Answer.YES
            for action, on in self._told_apart(joined)
            if action in WRITING
            and any(_may_allow(one, action) for one in policies)
            and self._gives(joined, action, on)
        )


def _may_allow(policy: Policy, action: str) -> bool:
    return isinstance(policy.document, Document) and any(True for _ in resources_allowed(policy.document, action))


def _policies(subject: Subject) -> Iterator[Policy]:
    """Those that say what a subject may do."""
    yield from (*subject.policies, *([subject.boundary] if subject.boundary else ()))
    yield from chain.from_iterable(subject.service_control)


def _alike(calls: Iterable[_Call], patterns: frozenset[str]) -> Sequence[tuple[str, tuple[str, ...]]]:
    """The calls, those together that the patterns do not distinguish: the answer for one is the answer for all."""
    signatures = {resource: _signature(resource, patterns) for resource in dict.fromkeys(one for _, one in calls)}
    found = gather(((action, signatures[resource]), resource) for action, resource in calls)
    return [(action, tuple(resources)) for (action, _), resources in found.items()]


def _signature(resource: str, patterns: frozenset[str]) -> object:
    """Equal for resources that match the same patterns; one that may match a policy variable is like no other."""
    return frozenset(
        (text, resource if "${" in text else "")
        for text in patterns - {"*"}
        if literal_glob(replace_variables(completed_arn(text), lambda _: "*")).matches(resource)
    )
