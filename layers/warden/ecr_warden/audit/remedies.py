"""Remedies: how to remove access that the spec does not give, and how to enable access that it gives in vain."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access.missing import Edit, Side, change_along, located, needed_along
from ecr_warden.audit.advice import advise
from ecr_warden.audit.answer_texts import change_text, edit_text
from ecr_warden.audit.repaired import Live, Waits, all_repaired, as_repaired
from ecr_warden.audit.spec_access import SpecAccess, bare
from ecr_warden.core.address import identity_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate, target_of
from ecr_warden.core.target import RoleTarget, Target, UserTarget, target_named
from iam_access.document.document import Document, Effect, Patterns, parse_document
from iam_access.gather import gather
from iam_access.inventory.inventory import Policy, PolicyPlace
from iam_access.once import once
from iam_access.text.printable import printable
from iam_access.who_can.decide import Answer, Given, Permission
from iam_access.who_can.graph import AccessPath, Step, rank
from iam_access.who_can.subject import Subject

_MAX_ROUNDS = 40
_ON_RESOURCES = (Side.TRUST, Side.REPOSITORY)
_REMOVABLE = (*_ON_RESOURCES, Side.IDENTITY)
_NEVER = Patterns(negated=False, values=())
"""The actions of a statement that replaces a removed one, so that the others keep their numbers."""

type _Need = tuple[int, tuple[Permission, ...]]
"""How uncertain it may become, and what is asked."""


class _Needs(NamedTuple):
    """What somebody needs."""

    unlike: Sequence[_Need]
    """One of all that the same decides."""
    on: Mapping[str, Sequence[_Need]]
    """All, by the ARN of each resource."""

    def ended_by(self, denied: Collection[str]) -> Iterable[_Need]:
        """What the same decides ends by the same removal, but a denial is about one resource."""
        return chain.from_iterable(self.on.get(arn, ()) for arn in denied) if denied else self.unlike


class Remedies:
    """Remedies for one estate; the documents of the spec are never what has to change."""

    def __init__(
        self, graph: RepositoryGraph, compiled: CompiledSpec, spec_access: SpecAccess, live: Live = all_repaired
    ) -> None:
        self._graph = graph
        self._compiled = compiled
        self._spec_access = spec_access
        self._live = live
        self._cuts: dict[Hashable, tuple[Edit, ...]] = {}
        self._needed: dict[str, _Needs] = {}
        self._taken: dict[tuple[Edit, ...], bool] = {}

    def repairs(self, path: AccessPath) -> tuple[Target, ...]:
        """The targets whose documents wait for a repair that ends the path by itself; the fewest."""
        for step in path.steps:
            arns = (step.permissions[0].resource.arn, step.subject.arn if step.subject.identity else "")
            found = map(target_named, filter(self._is_named, arns))
            waiting = tuple(target for target in found if target is not None and self._live(target.key))
            alone: list[tuple[Target, ...]] = [(one,) for one in waiting]
            for targets in (*alone, waiting) if len(waiting) > 1 else alone:
                if self._is_ended(step, targets):
                    return targets
        return ()

    def _is_ended(self, step: Step, targets: Collection[Target]) -> bool:
        """Would a repair of the targets end a step? Most are not, so what there is to end is asked last."""
        given = self._spec_access.given(step)
        is_left = self._graph.excess(self._repaired(step, targets), given)
        return is_left is None and self._graph.excess(step, given) is not None

    def _repaired(self, step: Step, targets: Collection[Target]) -> Step:
        """A step with the spec's documents of some targets."""
        subject, permissions = step.subject, step.permissions
        if subject.identity is not None and target_of(subject.identity) in targets:
            identities = self._all_repaired.accounts[subject.identity.account].identities
            identity = identities.get(subject.arn, subject.identity)
            subject = replace(subject, policies=identity.policies, boundary=identity.boundary)
        if target_named(permissions[0].resource.arn) in targets:
            permissions = tuple(replace(one, resource=self._spec_access.repaired(one.resource)) for one in permissions)
        return replace(step, subject=subject, permissions=permissions)

    @cached_property
    def _all_repaired(self) -> Estate:
        """The users and roles, once all are repaired."""
        accounts = self._graph.estate.accounts
        people = {name: replace(account, registries={}) for name, account in accounts.items()}
        return as_repaired(replace(self._graph.estate, accounts=people), self._compiled)

    def repairing(self, targets: Iterable[Target]) -> str:
        """What ends what the documents of targets let in, by why they wait."""
        return " and ".join(_REPAIRS.get(self._live(target.key), _APPLY).format(target) for target in targets)

    def closing(self, path: AccessPath) -> str:
        """What to remove so that the path ends; "" where nothing but the spec's own documents gives it."""
        return " and ".join(map(change_text, self.cut(path)))

    def cut(self, path: AccessPath) -> tuple[Edit, ...]:
        """The statements without which the path ends, at its first step where others than the spec's allow it."""
        needed = ((step, some) for step in path.steps for some in _each(step))
        return next((edits for step, some in needed if (edits := self._cut(step.subject, some, step.given))), ())

    def _cut(self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None) -> tuple[Edit, ...]:
        """The fewest statements to remove so that the subject lacks something of this; none if the spec gives it.

        Found once for the resources on which the same decides it, unless what is to be removed is the resource's own.
        """
        resource = permissions[0].resource
        actions = tuple(one.action for one in permissions)
        here, known = (subject.arn, actions, resource.arn), {} if given else self._cuts
        evidence = None if resource.trust or given else self._graph.evidence(subject, permissions)
        alike = here if evidence is None else (subject.arn, actions, evidence, self._is_named(resource.arn))
        for name in (alike, here):
            if name in known:
                return known[name]
        ways = sorted(filter(None, self._ways(subject, permissions, given)), key=len)
        denied = (Edit(Side.IDENTITY, subject.arn, 0, actions, resource.arn, effect=Effect.DENY),)
        tried = (*ways, denied) if ways and not given else ways
        edits = next((one for one in tried if given or not self._takes(one)), ())
        is_own = any(edit.side in _ON_RESOURCES or edit.index is None for edit in edits)
        known[here if is_own else alike] = edits
        return edits

    def _takes(self, edits: Collection[Edit]) -> bool:
        """Would somebody whom the spec lets in lose what their own account gives them for it?"""
        own = tuple(edit for edit in edits if edit.side is Side.IDENTITY)
        # Often asked of the same statements, which somebody has for many repositories; a denial is about one resource.
        return once(self._taken, own, lambda: any(self._takes_from(arn, own) for arn in self._holders(own)))

    def _holders(self, own: Collection[Edit]) -> Collection[str]:
        return {arn for edit in own for arn in (edit.holder, *self._sharing.get(edit.place, ()))}

    def _takes_from(self, arn: str, own: Collection[Edit]) -> bool:
        holder = self._graph.subjects.get(arn)
        denied = {edit.resource for edit in own if edit.index is None}
        return holder is not None and any(
            rank(self._graph.decide(*_without(holder, asked, own)).answer) > most
            for most, asked in self._needs(holder).ended_by(denied)
        )

    @cached_property
    def _sharing(self) -> Mapping[PolicyPlace, Sequence[str]]:
        """Who has each policy that several may have."""
        everybody = self._graph.subjects.values()
        return gather((one.place, who.arn) for who in everybody for one in who.policies if one.place.shared)

    def _needs(self, holder: Subject) -> _Needs:
        """What somebody does whom the spec lets in: assumes a role, or uses a repository as docker does."""
        return once(self._needed, holder.arn, lambda: self._find_needs(holder))

    def _find_needs(self, holder: Subject) -> _Needs:
        unlike: dict[Hashable, _Need] = {}
        on: dict[str, list[_Need]] = defaultdict(list)
        for access, target, given in self._spec_access.all_given_to(holder):
            role = self._graph.subjects.get(given.chain[1]) if len(given.chain) > 1 else None
            repository = self._graph.estate.registry_of(target).repositories[target.name]
            asked = (
                self._graph.permissions(access, repository, by_docker=True)
                if role is None
                else self._graph.assuming(holder, role)
            )
            need = max(rank(self._graph.decide(holder, asked).answer), rank(given.answer)), asked
            unlike.setdefault((need[0], self._graph.evidence(holder, asked) or str(id(asked))), need)
            for arn in {one.resource.arn for one in asked}:
                on[arn].append(need)
        return _Needs([*unlike.values()], on)

    def _is_named(self, arn: str) -> bool:
        """Does the spec name what has this ARN?"""
        target = target_named(arn)
        return target is not None and self._compiled.spec_of(target) is not None

    def _ways(
        self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None
    ) -> Iterator[tuple[Edit, ...]]:
        for sides in (_ON_RESOURCES, (Side.IDENTITY,), _REMOVABLE):
            edits = self._cut_on(sides, subject, permissions, given)
            yield edits
            if len(edits) == 1:
                return  # there is no fewer

    def _cut_on(
        self, sides: Collection[Side], subject: Subject, permissions: tuple[Permission, ...], given: Given | None
    ) -> tuple[Edit, ...]:
        """The statements to remove on some sides; none if the others allow it by themselves."""
        removed: list[Edit] = []
        for _ in range(_MAX_ROUNDS):
            # What is there was asked before, mostly of somebody else.
            changed, asked = _without(subject, permissions, removed) if removed else (subject, permissions)
            decision = self._graph.decide(changed, asked, given)
            if decision.answer is Answer.NO:
                return tuple(removed)
            found = (located(changed, asked[0].resource, reason) for reason in decision.because)
            more = {edit for edit in found if edit and edit.side in sides and self._is_others(edit, subject)}
            if not more - {*removed}:
                return ()
            removed += sorted(more - {*removed}, key=lambda edit: (edit.policy, edit.index or 0))
        return ()

    def _is_others(self, edit: Edit, subject: Subject) -> bool:
        """Whether the statement is in a document that exists and that the spec does not describe."""
        if edit.side is Side.IDENTITY and subject.presumed_allowed:
            return False
        target = target_named(edit.holder)
        spec = self._compiled.spec_of(target) if target is not None else None
        if spec is None or target is None:
            return True
        match edit.side, target:
            case Side.IDENTITY, RoleTarget() | UserTarget():
                return bool(edit.place.shared) or identity_policy(target, edit.place.inline) not in spec.granted
            case Side.TRUST, RoleTarget():
                return trust_policy(target) not in spec.granted
            case _:
                return not edit.policy.startswith("repository policy ")

    def opening(self, given: AccessPath, permissions: tuple[Permission, ...]) -> tuple[tuple[str, ...], str]:
        """Why the estate does not have a path that the spec gives, and what to change."""
        chain = tuple(self._graph.subject(arn) for arn in given.chain)
        absent = [subject for subject in chain if not self._graph.exists(subject)]
        if absent:
            return self._absent([subject.arn for subject in absent])
        change = change_along(self._graph, chain, permissions)
        if change is None:
            return (), ""
        edits = needed_along(self._graph, chain, permissions, change.edits)
        because = tuple(edit_text(edit)[1] for edit in edits)
        return because, advise(chain[0], "have access", "it", edits, ours=None).in_full

    def _absent(self, arns: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """The same for users and roles that do not exist; one of another path may have the name."""
        by_name = {bare(arn): arn for arn in self._graph.subjects}
        others = {arn: printable(by_name[bare(arn)], 200) for arn in arns if bare(arn) in by_name}
        names = {arn: printable(arn, 200) for arn in arns}
        because = (
            f"{name} does not exist" + (f": {others[arn]} has its name" if arn in others else "")
            for arn, name in names.items()
        )
        delete = f"delete {' and '.join(others.values())} and " if others else ""
        return tuple(because), f"{delete}create {' and '.join(names.values())}, or change the spec"


_APPLY = "ecr-warden reconcile {}"
_WRITE = "have whoever writes the documents of {} make them what the spec says: ecr-warden plan shows them"
_REPAIRS: dict[Waits | None, str] = {Waits.PAUSED: "ecr-warden resume {}", Waits.OBSERVED: _WRITE, Waits.NOBODY: _WRITE}


def _each(step: Step) -> Iterator[tuple[Permission, ...]]:
    """What it is enough to take away: one of its permissions, or all of what the spec does not give."""
    yield from ((step.permissions,) if step.given else ((one,) for one in step.permissions))


def _without(
    subject: Subject, permissions: tuple[Permission, ...], removed: Collection[Edit]
) -> tuple[Subject, tuple[Permission, ...]]:
    """The question as it is once the statements are removed."""
    own = [_disarmed(policy, removed) for policy in subject.policies]
    own += [
        Policy("what is added", parse_document({"Statement": edit.statement})) for edit in removed if edit.index is None
    ]
    each = ((one, tuple(_disarmed(policy, removed) for policy in one.resource.policies)) for one in permissions)
    return replace(subject, policies=tuple(own)), tuple(
        replace(one, resource=replace(one.resource, policies=policies, varies_by_principal=True))
        for one, policies in each
    )


def _disarmed(policy: Policy, removed: Collection[Edit]) -> Policy:
    gone = {edit.index for edit in removed if (edit.policy, edit.place) == (policy.name, policy.place)}
    document = policy.document
    if not gone or not isinstance(document, Document):
        return policy
    statements = (
        replace(statement, actions=_NEVER) if index in gone else statement
        for index, statement in enumerate(document.statements)
    )
    return replace(policy, document=replace(document, text="", statements=tuple(statements)))
