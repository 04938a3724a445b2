"""What is missing for somebody who cannot, and the smallest change of policies that would let them.

The change is found by making it: each statement that denies is taken out and each side that does not allow is given a
statement, until the engine says that it can; what turns out not to be needed is left away. So it does what it says.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from ecr_warden.model.estate import Account, Estate, Identity, Levels, Policy, Registry
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.policy.request_principal import CallerKind
from ecr_warden.policy.statement_match import Reason
from ecr_warden.proof.access import Graph, Way
from ecr_warden.proof.decide import AccessDecision, Answer, Ask, Missing, Resource
from ecr_warden.proof.subject import Subject

_MOST_EDITS = 40
_ADDED = "what is missing"
"""The name of what is added, and the Sid of its statements, which no policy of AWS can have."""


class Side(StrEnum):
    """Whose policy an edit changes."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SERVICE_CONTROL = "service control policy"
    REPOSITORY = "repository policy"
    TRUST = "trust policy"
    RESOURCE_CONTROL = "resource control policy"


class Edit(Struct, frozen=True):
    """One change of one policy: statements that must go, or one that must be added.

    `holder`: the ARN of the identity, role or repository, or the account of a control policy; `level`: of a control
    policy, from 0. `statement`: what to add; else `policy` and `index` say which statement denies it.
    """

    side: Side
    holder: str
    level: int = 0
    actions: tuple[str, ...] = ()
    resource: str = ""
    principal: str = ""
    policy: str = ""
    shared: str = ""
    index: int | None = None

    def is_addition(self, side: Side, holder: str) -> bool:
        """Does it add to this side of this holder?"""
        return self.index is None and self.side is side and self.holder == holder

    @property
    def statement(self) -> dict[str, object]:
        """The statement to add."""
        made: dict[str, object] = {"Effect": "Allow"}
        if self.principal:
            kind = "AWS" if self.principal.startswith("arn:") or self.principal.isdigit() else "Service"
            made["Principal"] = {kind: self.principal}
        made["Action"] = self.actions[0] if len(self.actions) == 1 else list(self.actions)
        if self.side not in (Side.REPOSITORY, Side.TRUST):
            made["Resource"] = self.resource
        return made


class Change(Struct, frozen=True):
    """Everything that has to change for one chain to work: `via`, the roles in between, in order.

    `holds`: the statements that allow their part of it already.
    """

    via: tuple[str, ...]
    edits: tuple[Edit, ...]
    holds: tuple[Edit, ...] = ()


def smallest_change(
    graph: Graph, subject: Subject, asks: tuple[Ask, ...], *, prefers_role: bool = False
) -> Change | None:
    """The change with the fewest edits by which the subject could, none of which could be left away.

    Directly, or through a role that can already or that it can assume already; of two with as many edits the direct
    one, or the one through a role if it `prefers_role`. None where no change of a policy would help, as for the root
    user's sts:AssumeRole.
    """
    found = [change for chain in _chains(graph, subject, asks) if (change := _change(graph, chain, asks)) is not None]
    best = min(found, key=lambda change: (len(change.edits), bool(change.via) is not prefers_role), default=None)
    if best is None:
        return None
    kept = list(best.edits)
    for edit in best.edits:
        others = [one for one in kept if one is not edit]
        if _can(graph, subject, asks, others):
            kept = others
    if len(kept) == len(best.edits):
        return best
    return Change(best.via, tuple(kept))


def _can(graph: Graph, subject: Subject, asks: tuple[Ask, ...], edits: Sequence[Edit]) -> bool:
    """Could it by any chain, once the edits are made?"""
    if not edits:
        return False
    edited = Graph(with_edits(graph.estate, edits))
    return isinstance(edited.can(edited.subject(subject.arn), edited.again(asks)), Way)


def _chains(graph: Graph, subject: Subject, asks: tuple[Ask, ...]) -> Iterator[tuple[Subject, ...]]:
    yield (subject,)
    assumable = {way[-1].arn: way for way in graph.reachable(subject)}
    for role in graph.roles:
        if role.arn == subject.arn:
            continue
        if role.arn in assumable:
            yield assumable[role.arn]
        elif graph.decide(role, asks).answer in (Answer.YES, Answer.CONDITIONAL):
            yield (subject, role)


def _change(graph: Graph, chain: tuple[Subject, ...], asks: tuple[Ask, ...]) -> Change | None:
    """The edits by which one chain works, found one after the other; None if there are none."""
    edits: list[Edit] = []
    for _ in range(_MOST_EDITS):
        edited = Graph(with_edits(_only(graph.estate, chain), edits))
        links = [edited.subject(one.arn) for one in chain]
        steps: list[tuple[Subject, tuple[Ask, ...]]] = [
            (one, (edited.assume_ask(one, role),)) for one, role in pairwise(links)
        ]
        steps.append((links[-1], edited.again(asks)))
        decisions = [(one, asked, edited.decide(one, asked)) for one, asked in steps]
        refused = [(one, decision) for one, _, decision in decisions if decision.answer is Answer.NO]
        if not refused:
            holds = tuple(dict.fromkeys(place for step in decisions for place in _holding(*step)))
            return Change(tuple(one.arn for one in chain[1:]), tuple(edits), holds)
        more = [edit for one, decision in refused for edit in _edits(one, decision) if edit not in edits]
        if not more:
            return None
        edits = _merged([*edits, *more])
    return None


def _only(estate: Estate, chain: Sequence[Subject]) -> Estate:
    """The estate with nobody else in it."""
    names = {one.identity.arn for one in chain if one.identity is not None}
    accounts = {
        account.id: replace(account, identities={arn: one for arn, one in account.identities.items() if arn in names})
        for account in estate.accounts.values()
    }
    return replace(estate, accounts=accounts)


def _holding(subject: Subject, asks: Sequence[Ask], decision: AccessDecision) -> Iterator[Edit]:
    """The statements that allow it, but for those that were added."""
    for reason in decision.because:
        found = located(subject, asks[0].resource, reason)
        if found is not None and reason.sid != _ADDED:
            yield found


def _merged(edits: Sequence[Edit]) -> list[Edit]:
    """Edits that add to the same policy for the same resource as one."""
    found: dict[object, Edit] = {}
    for edit in edits:
        name = (edit.side, edit.holder, edit.level, edit.resource, edit.principal, edit.policy, edit.index)
        before = found.get(name)
        actions = tuple(dict.fromkeys((*(before.actions if before else ()), *edit.actions)))
        found[name] = replace(edit, actions=actions)
    return list(found.values())


def _edits(subject: Subject, decision: AccessDecision) -> Iterator[Edit]:
    for missing in decision.missing:
        if missing.denied:
            resource = missing.ask.resource
            yield from (edit for reason in missing.reasons if (edit := located(subject, resource, reason)) is not None)
        else:
            yield from _additions(subject, missing)


def _additions(subject: Subject, missing: Missing) -> Iterator[Edit]:
    ask = missing.ask
    lacking = {reason.policy: reason for reason in missing.reasons}
    same_account = subject.principal.account == ask.resource.account or ask.resource.account is None
    if same_account and not ask.resource.trust and "identityPolicies" in lacking:
        lacking.pop("resourcePolicy", None)  # either side would do
    for name in lacking:
        side, _, level = name.partition("[")
        above = int(level.rstrip("]")) if level else 0
        match side:
            case "identityPolicies":
                yield Edit(Side.IDENTITY, _named(subject), actions=(ask.action,), resource=ask.resource.arn)
            case "permissionBoundary" if subject.boundary is not None:
                shared = subject.boundary.shared
                yield Edit(Side.BOUNDARY, _named(subject), 0, (ask.action,), ask.resource.arn, shared=shared)
            case "serviceControlPolicies":
                yield Edit(Side.SERVICE_CONTROL, str(subject.principal.account), above, (ask.action,), ask.resource.arn)
            case "resourceControlPolicies":
                yield Edit(
                    Side.RESOURCE_CONTROL,
                    str(ask.resource.account),
                    above,
                    actions=(ask.action,),
                    resource=ask.resource.arn,
                )
            case "resourcePolicy" | "trustPolicy":
                hung = Side.TRUST if ask.resource.trust else Side.REPOSITORY
                yield Edit(hung, ask.resource.arn, actions=(ask.action,), principal=_named(subject))
            case _:
                pass


def _named(subject: Subject) -> str:
    """What a policy names the subject by: a session by its role."""
    if subject.principal.kind is CallerKind.SESSION and subject.identity is not None:
        return subject.identity.arn
    return subject.arn


def located(subject: Subject, resource: Resource, reason: Reason) -> Edit | None:
    """Which statement of which policy a reason speaks of, as the edit that would take it out."""
    if reason.statement is None:
        return None
    name, *places = reason.policy.replace("]", "").split("[")
    at = [int(place) for place in places]
    match name:
        case "identityPolicies":
            policy = subject.policies[at[0]]
            return Edit(
                Side.IDENTITY, _named(subject), policy=policy.name, shared=policy.shared, index=reason.statement
            )
        case "permissionBoundary" if subject.boundary is not None:
            return Edit(
                Side.BOUNDARY,
                _named(subject),
                policy=subject.boundary.name,
                shared=subject.boundary.shared,
                index=reason.statement,
            )
        case "serviceControlPolicies":
            policy = subject.service_control[at[0]][at[1]]
            holder = str(subject.principal.account)
            return Edit(
                Side.SERVICE_CONTROL, holder, at[0], policy=policy.name, shared=policy.shared, index=reason.statement
            )
        case "resourceControlPolicies":
            policy = resource.control[at[0]][at[1]]
            return Edit(
                Side.RESOURCE_CONTROL,
                str(resource.account),
                at[0],
                policy=policy.name,
                shared=policy.shared,
                index=reason.statement,
            )
        case "resourcePolicy" | "trustPolicy":
            index = reason.statement
            for policy in resource.policies:
                count = len(policy.document.statements) if isinstance(policy.document, Document) else 1
                if index < count:
                    side = Side.TRUST if resource.trust else Side.REPOSITORY
                    return Edit(side, resource.arn, policy=policy.name, shared=policy.shared, index=index)
                index -= count
            return None
        case _:
            return None


def _removal(side: Side, holder: str, policy: Policy, index: int, level: int = 0) -> Edit:
    return Edit(side, holder, level, policy=policy.name, shared=policy.shared, index=index)


def with_edits(estate: Estate, edits: Sequence[Edit]) -> Estate:
    """The estate as it would be with the edits made; a policy that several share changes for all of them."""
    if not edits:
        return estate
    accounts = {account.id: _edited_account(account, edits) for account in estate.accounts.values()}
    return replace(estate, accounts=accounts)


def _edited_account(account: Account, edits: Sequence[Edit]) -> Account:
    identities = {arn: _edited_identity(one, edits) for arn, one in account.identities.items()}
    registries = {region: _edited_registry(one, edits) for region, one in account.registries.items()}
    service = _edited_levels(account.service_control, account.id, Side.SERVICE_CONTROL, edits)
    resource = _edited_levels(account.resource_control, account.id, Side.RESOURCE_CONTROL, edits)
    return replace(
        account, identities=identities, registries=registries, service_control=service, resource_control=resource
    )


def _edited_identity(identity: Identity, edits: Sequence[Edit]) -> Identity:
    policies = [_edited(policy, identity.arn, edits) for policy in identity.policies]
    own = [one.statement for one in edits if one.is_addition(Side.IDENTITY, identity.arn)]
    policies += [Policy(_ADDED, _document(own))] if own else []
    boundary, trust = identity.boundary, identity.trust
    return replace(
        identity,
        policies=tuple(policies),
        boundary=boundary and _edited(boundary, identity.arn, edits, Side.BOUNDARY),
        trust=trust and _edited(trust, identity.arn, edits, Side.TRUST),
    )


def _edited_registry(registry: Registry, edits: Sequence[Edit]) -> Registry:
    repositories = {}
    for name, repository in registry.repositories.items():
        policy = repository.policy
        if policy is not None:
            policy = _edited(policy, repository.arn, edits, Side.REPOSITORY)
        elif own := [one.statement for one in edits if one.is_addition(Side.REPOSITORY, repository.arn)]:
            policy = Policy(_ADDED, _document(own))
        repositories[name] = replace(repository, policy=policy)
    over_all = registry.policy and _edited(registry.policy, "", edits)
    return replace(registry, repositories=repositories, policy=over_all)


def _edited_levels(levels: Levels | None, account: str, side: Side, edits: Sequence[Edit]) -> Levels | None:
    if levels is None:
        return None
    made = []
    for above, level in enumerate(levels):
        own = [one.statement for one in edits if one.is_addition(side, account) and one.level == above]
        kept = tuple(_edited(policy, account, edits) for policy in level)
        made.append((*kept, Policy(_ADDED, _document(own))) if own else kept)
    return tuple(made)


def _edited(policy: Policy, holder: str, edits: Sequence[Edit], side: Side | None = None) -> Policy:
    """One policy: without what must go, and with what is added to a policy of its `side`."""
    document = policy.document
    if not isinstance(document, Document):
        return policy
    about = [one for one in edits if _is_about(one, policy, holder)]
    gone = {one.index for one in about if one.index is not None}
    added = [one.statement for one in about if one.index is None and one.side is side]
    if not gone and not added:
        return policy
    left = tuple(one for index, one in enumerate(document.statements) if index not in gone)
    more = _document(added).statements if added else ()
    return replace(policy, document=replace(document, text="", statements=(*left, *more)))


def _is_about(edit: Edit, policy: Policy, holder: str) -> bool:
    """Does an edit change this policy? What is shared is known by what shares it, all else by who holds it."""
    if edit.shared or policy.shared:
        return edit.shared == policy.shared
    if edit.index is None:
        return edit.holder == holder
    return edit.policy == policy.name and holder in ("", edit.holder)


def _document(statements: Sequence[Mapping[str, object]]) -> Document:
    marked = [{**one, "Sid": _ADDED} for one in statements]
    return parse_document({"Version": "2012-10-17", "Statement": marked})
