"""Remedies: how to remove access that the spec does not give, and how to enable access that it gives in vain."""

import json
from collections.abc import Collection, Hashable, Iterator, Sequence
from copy import replace

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access.missing import Edit, Side, change_along, located, needed_along
from ecr_warden.audit.spec_access import bare
from ecr_warden.audit.words import edit_text, short
from ecr_warden.core.address import identity_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.arn import parse_arn
from iam_access.document.document import Document, Patterns
from iam_access.document.principal import IDENTITY_CENTER_NAME
from iam_access.evaluate.request_principal import is_identity_center_role
from iam_access.inventory.inventory import Policy
from iam_access.text.printable import printable
from iam_access.who_can.decide import Answer, Permission
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import Subject

_MAX_ROUNDS = 40
_ON_RESOURCES = (Side.TRUST, Side.REPOSITORY)
_REMOVABLE = (*_ON_RESOURCES, Side.IDENTITY)
_OF_AWS = ":iam::aws:policy/"
_NEVER = Patterns(negated=False, values=())
"""The actions of a statement that replaces a removed one, so that the others keep their numbers."""


class Remedies:
    """Remedies for one estate; the documents of the spec are never what has to change."""

    def __init__(self, graph: RepositoryGraph, compiled: CompiledSpec) -> None:
        self._graph = graph
        self._compiled = compiled
        self._cuts: dict[Hashable, tuple[Edit, ...]] = {}

    def closing(self, path: AccessPath) -> str:
        """What to remove so that the path ends; "" where nothing but the spec's own documents gives it."""
        return " and ".join(map(_removal, self.cut(path)))

    def cut(self, path: AccessPath) -> tuple[Edit, ...]:
        """The statements without which the path ends, at its first step where others than the spec's allow it."""
        needed = ((step.subject, permission) for step in path.steps for permission in step.permissions)
        return next((edits for subject, permission in needed if (edits := self._cut(subject, permission))), ())

    def _cut(self, subject: Subject, permission: Permission) -> tuple[Edit, ...]:
        """The fewest statements to remove so that the subject lacks one permission; none if the spec gives it.

        Found once for the resources on which the same decides it, unless what is to be removed is the resource's own.
        """
        resource = permission.resource
        here = subject.arn, permission.action, resource.arn
        evidence = None if resource.trust else self._graph.evidence(subject, (permission,))
        alike = here if evidence is None else (subject.arn, permission.action, evidence, self._is_named(resource.arn))
        for name in (alike, here):
            if name in self._cuts:
                return self._cuts[name]
        edits = min(filter(None, self._ways(subject, permission)), key=len, default=())
        is_own = any(edit.side in _ON_RESOURCES for edit in edits)
        self._cuts[here if is_own else alike] = edits
        return edits

    def _is_named(self, arn: str) -> bool:
        """Does the spec name what has this ARN?"""
        target = target_named(arn)
        return target is not None and self._compiled.spec_of(target) is not None

    def _ways(self, subject: Subject, permission: Permission) -> Iterator[tuple[Edit, ...]]:
        for sides in (_ON_RESOURCES, (Side.IDENTITY,), _REMOVABLE):
            edits = self._cut_on(sides, subject, permission)
            yield edits
            if len(edits) == 1:
                return  # there is no fewer

    def _cut_on(self, sides: Collection[Side], subject: Subject, permission: Permission) -> tuple[Edit, ...]:
        """The statements to remove on some sides; none if the others allow it by themselves."""
        removed: list[Edit] = []
        for _ in range(_MAX_ROUNDS):
            # What is there was asked before, mostly of somebody else.
            changed, asked = _without(subject, permission, removed) if removed else (subject, permission)
            decision = self._graph.decide(changed, (asked,))
            if decision.answer is Answer.NO:
                return tuple(removed)
            found = (located(changed, asked.resource, reason) for reason in decision.because)
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
        return because, " and ".join(_removal(edit) if edit.index is not None else _addition(edit) for edit in edits)

    def _absent(self, arns: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """The same for users and roles that do not exist; one of another path may have the name."""
        by_name = {bare(arn): arn for arn in self._graph.subjects}
        others = {arn: short(by_name[bare(arn)]) for arn in arns if bare(arn) in by_name}
        because = (
            f"{short(arn)} does not exist" + (f": {others[arn]} has its name" if arn in others else "") for arn in arns
        )
        delete = f"delete {' and '.join(others.values())} and " if others else ""
        return tuple(because), f"{delete}create {' and '.join(map(short, arns))}, or change the spec"


def target_named(arn: str) -> Target | None:
    """The target with this ARN, None for an ARN of anything else."""
    parsed = parse_arn(arn)
    if parsed is None:
        return None
    kind, _, rest = parsed.resource.partition("/")
    match kind:
        case "repository":
            return RepositoryTarget(parsed.account, parsed.region, rest)
        case "user":
            return UserTarget(parsed.account, parsed.name)
        case "role":
            return RoleTarget(parsed.account, parsed.name)
        case _:
            return None


def _without(subject: Subject, permission: Permission, removed: Collection[Edit]) -> tuple[Subject, Permission]:
    """The question as it is once the statements are removed."""
    policies = tuple(_disarmed(policy, removed) for policy in permission.resource.policies)
    resource = replace(permission.resource, policies=policies, varies_by_principal=True)
    own = tuple(_disarmed(policy, removed) for policy in subject.policies)
    return replace(subject, policies=own), replace(permission, resource=resource)


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


def _removal(edit: Edit) -> str:
    """`remove statement 1 of trust policy of shadow in account 222222222222`."""
    arn, holder = parse_arn(edit.holder), short(edit.holder)
    account = arn.account if arn else edit.holder
    place, where = edit.place, f"account {account}"
    if place.group:
        holder = f"group {place.group.rpartition('/')[2]}"
    if is_identity_center_role(edit.holder):
        # Only AWS writes the policies of the role itself.
        holder = f"permission set {holder.partition(IDENTITY_CENTER_NAME)[2].rpartition('_')[0]}"
        where = "IAM Identity Center"
    detach = f"detach policy {printable(place.arn, 200)} from {holder} in {where}"
    if _OF_AWS in place.arn:
        return detach
    of_identity = f" of {holder}" if edit.side is Side.IDENTITY and not place.group else ""
    name = f"{printable(edit.policy, 200)}{of_identity}"
    region = f", {arn.region}" if arn and arn.region else ""
    there = "" if account in edit.policy else f" in {where}{region}"
    text = f"remove statement {(edit.index or 0) + 1} of {name}{there}"
    return f"{text}, or {detach}" if edit.side is Side.IDENTITY and place.arn else text


def _addition(edit: Edit) -> str:
    """What to add, and to which policy."""
    statement = json.dumps(edit.statement)
    return f"add {statement} to the {edit.side} of {short(edit.holder)}"
