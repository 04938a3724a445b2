"""What somebody without access is missing, and the smallest change of policies that would give it to them.

The change is found by trying: denying statements are removed, and policies that lack an Allow get one, until the engine
says yes; edits that turn out not to be needed are dropped. So the change is known to work.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from enum import StrEnum
from functools import partial
from itertools import pairwise

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph, permission
from ecr_warden.core.estate import EcrAccount, Estate, Registry
from iam_access.document.condition import Clause, canonical_clauses
from iam_access.document.document import Document, Effect, Statement, parse_document
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request_principal import CallerKind, parse_request_principal
from iam_access.evaluate.statement_match import Reason, action_matches, resource_matches
from iam_access.gather import gather
from iam_access.inventory.inventory import Identity, Levels, Policy, PolicyPlace
from iam_access.text.printable import printable
from iam_access.who_can.condition_text import clause_text
from iam_access.who_can.decide import AccessDecision, Answer, Missing, Permission, Resource
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import Subject

_MAX_EDITS = 40
_ADDED = "what is missing"
"""The name of an added policy and the Sid of added statements; no real policy can have this Sid."""


class Side(StrEnum):
    """Whose policy an edit changes."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SERVICE_CONTROL = "service control policy"
    REPOSITORY = "repository policy"
    TRUST = "trust policy"
    RESOURCE_CONTROL = "resource control policy"


class Edit(Struct, frozen=True):
    """One change of one policy: a statement to remove, or one to add.

    `statement` is what to add, with this `effect`; else `policy`, its `place` and `index` say which statement denies
    it.
    """

    side: Side
    holder: str
    """The ARN of the identity or repository that has the policy, or the account of a control policy."""
    level: int = 0
    """Of a control policy, from 0."""
    actions: tuple[str, ...] = ()
    resource: str = ""
    principal: str = ""
    policy: str = ""
    place: PolicyPlace = PolicyPlace()
    index: int | None = None
    effect: Effect = Effect.ALLOW

    def is_addition(self, side: Side, holder: str) -> bool:
        """Does it add to this side of this holder?"""
        return self.index is None and self.side is side and self.holder == holder

    @property
    def statement(self) -> dict[str, object]:
        """The statement to add."""
        made: dict[str, object] = {"Effect": self.effect.value}
        if self.principal:
            kind = "AWS" if self.principal.startswith("arn:") or self.principal.isdigit() else "Service"
            made["Principal"] = {kind: self.principal}
        made["Action"] = self.actions[0] if len(self.actions) == 1 else list(self.actions)
        if self.side not in (Side.REPOSITORY, Side.TRUST):
            made["Resource"] = self.resource
        return made


class PolicyChange(Struct, frozen=True):
    """Everything that has to change for one chain to work: `via`, the roles in between, in order."""

    via: tuple[str, ...]
    edits: tuple[Edit, ...]


def smallest_change(
    graph: RepositoryGraph, subject: Subject, permissions: tuple[Permission, ...], *, prefers_role: bool
) -> PolicyChange | None:
    """The change with the fewest edits that gives the subject access; none of the edits can be left out.

    Directly, or through a role that has access or that the subject can assume. Of two changes with equally many edits
    the direct one wins, or with `prefers_role` the one through a role. No role is opened to the subject if anything
    else would help, for it would get all that the role may do; but with `prefers_role` one that can do no more with
    the repository than push and pull. Nor does a change let others in, such as whoever can act as a role that gets more
    or whom a Deny keeps out, if statements for the subject alone would help. None where no change of a policy would
    help, for example for the root user's sts:AssumeRole.
    """
    found = [
        change
        for chain in _chains(graph, subject, permissions)
        if (change := change_along(graph, chain, permissions)) is not None
    ]

    def rank(change: PolicyChange) -> tuple[bool, bool, int, bool]:
        opens = any(edit.side is Side.TRUST or "sts:AssumeRole" in edit.actions for edit in change.edits)
        may_more = opens and (not prefers_role or _administers(graph, change.via, permissions[0].resource))
        is_for_others = any(not _is_for_alone(edit, _named(subject)) for edit in change.edits)
        return may_more, is_for_others, len(change.edits), bool(change.via) is not prefers_role

    best = min(found, key=rank, default=None)
    if best is None:
        return None
    kept = list(best.edits)
    for edit in best.edits:
        others = [one for one in kept if one is not edit]
        if _can(graph, subject, permissions, others):
            kept = others
    return best if len(kept) == len(best.edits) else PolicyChange(best.via, tuple(kept))


def _is_for_alone(edit: Edit, subject: str) -> bool:
    """Does an edit add something for the subject and nobody else?"""
    return edit.index is None and not edit.place.shared and subject in (edit.holder, edit.principal)


def _administers(graph: RepositoryGraph, roles: Iterable[str], resource: Resource) -> bool:
    """Could one of the roles do more with a repository than push and pull?"""
    asked = [(permission(action, resource),) for action in graph.administering_repositories]
    return any(graph.decide(graph.subject(role), one).answer is not Answer.NO for role in roles for one in asked)


def _can(graph: RepositoryGraph, subject: Subject, permissions: tuple[Permission, ...], edits: Sequence[Edit]) -> bool:
    """Would the subject have access through any chain, once the edits are made?"""
    if not edits:
        return False
    edited = graph.edited(with_edits(graph.estate, edits))
    return isinstance(edited.can(edited.subject(subject.arn), edited.translate(permissions)), AccessPath)


def _chains(
    graph: RepositoryGraph, subject: Subject, permissions: tuple[Permission, ...]
) -> Iterator[tuple[Subject, ...]]:
    yield (subject,)
    if subject.principal.kind is CallerKind.FEDERATED_USER:
        return  # its credentials call nothing of STS
    assumable = {path[-1].arn: path for path in graph.reachable(subject)}
    for role in graph.roles:
        if role.arn == subject.arn:
            continue
        if role.arn in assumable:
            yield assumable[role.arn]
        elif graph.decide(role, permissions).answer in (Answer.YES, Answer.CONDITIONAL):
            yield (subject, role)


def change_along(
    graph: RepositoryGraph, chain: tuple[Subject, ...], permissions: tuple[Permission, ...]
) -> PolicyChange | None:
    """The edits that make one chain work, found one after the other; None if there are none.

    Without permissions the chain ends in its last role.
    """
    edits: list[Edit] = []
    for _ in range(_MAX_EDITS):
        decisions = _decisions(graph, chain, permissions, edits)
        refused = [(subject, decision) for subject, _, decision in decisions if decision.answer is Answer.NO]
        if not refused:
            # What denied one request may spare another one, now that it is allowed.
            is_needed = len(edits) < 2 or all(edit.index is None for edit in edits)
            kept = tuple(edits) if is_needed else needed_along(graph, chain, permissions, edits)
            return PolicyChange(tuple(subject.arn for subject in chain[1:]), kept)
        more = [edit for subject, decision in refused for edit in edits_of(subject, decision) if edit not in edits]
        if not more:
            return None
        edits = _merged([*edits, *more])
    return None


def needed_along(
    graph: RepositoryGraph, chain: tuple[Subject, ...], permissions: tuple[Permission, ...], edits: Sequence[Edit]
) -> tuple[Edit, ...]:
    """Of edits that make a chain work, those without which it does not."""
    kept = list(edits)
    for edit in edits:
        others = [one for one in kept if one is not edit]
        if all(decision.answer is not Answer.NO for _, _, decision in _decisions(graph, chain, permissions, others)):
            kept = others
    return tuple(kept)


def _decisions(
    graph: RepositoryGraph, chain: tuple[Subject, ...], permissions: tuple[Permission, ...], edits: Sequence[Edit]
) -> list[tuple[Subject, tuple[Permission, ...], AccessDecision]]:
    """What each link of the chain is asked, and its answer, once the edits are made."""
    edited = graph.edited(with_edits(_only(graph.estate, chain, permissions), edits))
    links = [edited.subject(subject.arn) for subject in chain]
    steps: list[tuple[Subject, tuple[Permission, ...]]] = [
        (subject, edited.assuming(subject, role)) for subject, role in pairwise(links)
    ]
    steps += [(links[-1], edited.translate(permissions))] if permissions else []
    return [(subject, asked, edited.decide(subject, asked)) for subject, asked in steps]


def _only(estate: Estate, chain: Sequence[Subject], permissions: Sequence[Permission]) -> Estate:
    """The estate with only the identities of the chain, and the repositories that the permissions are about."""
    names = {subject.identity.arn for subject in chain if subject.identity is not None}
    asked = {permission.resource.arn.partition(":repository/")[2] for permission in permissions}
    accounts = {
        account.id: replace(
            account,
            identities={arn: account.identities[arn] for arn in names if arn in account.identities},
            registries={region: _with_only(registry, asked) for region, registry in account.registries.items()},
        )
        for account in estate.accounts.values()
    }
    return replace(estate, accounts=accounts)


def _with_only(registry: Registry, names: Collection[str]) -> Registry:
    known = registry.repositories
    return replace(registry, repositories={name: known[name] for name in names if name in known})


def _merged(edits: Sequence[Edit]) -> list[Edit]:
    """The edits, with those that add to the same policy for the same resource joined into one."""
    alike = gather(
        ((one.side, one.holder, one.level, one.resource, one.principal, one.policy, one.index), one) for one in edits
    )
    return [
        replace(some[-1], actions=tuple(dict.fromkeys(action for edit in some for action in edit.actions)))
        for some in alike.values()
    ]


def edits_of(subject: Subject, decision: AccessDecision) -> Iterator[Edit]:
    """What would have to change for a decision to be another, one edit for each policy that is in the way."""
    for missing in decision.missing:
        if missing.denied:
            resource = missing.permission.resource
            yield from (edit for reason in missing.reasons if (edit := located(subject, resource, reason)) is not None)
        else:
            yield from _additions(subject, missing)


def _additions(subject: Subject, missing: Missing) -> Iterator[Edit]:
    resource, who = missing.permission.resource, _named(subject)
    edit = partial(Edit, actions=(missing.permission.action,))
    lacking = {reason.policy: reason for reason in missing.reasons}
    same_account = resource.account in (None, subject.principal.account)
    if same_account and not resource.trust and "identityPolicies" in lacking:
        lacking.pop("resourcePolicy", None)  # either side is enough
    for name in lacking:
        side, _, level = name.partition("[")
        above = int(level.rstrip("]")) if level else 0
        match side:
            case "identityPolicies":
                yield edit(Side.IDENTITY, who, resource=resource.arn)
            case "permissionBoundary" if subject.boundary is not None:
                yield edit(Side.BOUNDARY, who, resource=resource.arn, place=subject.boundary.place)
            case "serviceControlPolicies":
                yield edit(Side.SERVICE_CONTROL, str(subject.principal.account), above, resource=resource.arn)
            case "resourceControlPolicies":
                yield edit(Side.RESOURCE_CONTROL, str(resource.account), above, resource=resource.arn)
            case "resourcePolicy" | "trustPolicy":
                yield edit(Side.TRUST if resource.trust else Side.REPOSITORY, resource.arn, principal=who)
            case _:
                pass


def _named(subject: Subject) -> str:
    """The ARN by which a policy names the subject: a session's role."""
    if subject.principal.kind is CallerKind.SESSION and subject.identity is not None:
        return subject.identity.arn
    return subject.arn


def located(subject: Subject, resource: Resource, reason: Reason) -> Edit | None:
    """The statement that a reason refers to, as the edit that would remove it."""
    index = reason.statement
    if index is None:
        return None
    name, *places = reason.policy.replace("]", "").split("[")
    at = [int(place) for place in places]
    match name:
        case "identityPolicies":
            return _removal(Side.IDENTITY, _named(subject), subject.policies[at[0]], index)
        case "permissionBoundary" if subject.boundary is not None:
            return _removal(Side.BOUNDARY, _named(subject), subject.boundary, index)
        case "serviceControlPolicies":
            holder, policy = str(subject.principal.account), subject.service_control[at[0]][at[1]]
            return _removal(Side.SERVICE_CONTROL, holder, policy, index, at[0])
        case "resourceControlPolicies":
            return _removal(Side.RESOURCE_CONTROL, str(resource.account), resource.control[at[0]][at[1]], index, at[0])
        case "resourcePolicy" | "trustPolicy":
            for policy in resource.policies:
                count = len(policy.document.statements) if isinstance(policy.document, Document) else 1
                if index < count:
                    return _removal(Side.TRUST if resource.trust else Side.REPOSITORY, resource.arn, policy, index)
                index -= count
            return None
        case _:
            return None


def unmet(
    edit: Edit, estate: Estate, given: Callable[[str], tuple[str, ...] | None] = lambda _: None
) -> Iterator[tuple[Edit, str]]:
    """The statements that would allow what an edit adds if their conditions held, each with these in words.

    `given`: the values of the request's keys, None for what is not known; of what is known, what does not hold is said.
    """
    for policy in _policies_at(edit, estate) if edit.index is None else ():
        for index, statement in enumerate(policy.statements):
            is_about = any(action_matches(statement.actions, action) for action in edit.actions)
            if statement.effect is Effect.ALLOW and statement.conditions and is_about and _applies(statement, edit):
                values = {clause: given(clause.key.lower()) for clause in statement.conditions}
                texts = [text for clause, has in values.items() if has is not None and (text := _unmet(clause, has))]
                texts = texts or [_unmet(clause, None) for clause, has in values.items() if has is None]
                yield _removal(edit.side, edit.holder, policy, index), " and ".join(texts)


def _unmet(clause: Clause, given: tuple[str, ...] | None) -> str:
    """What a clause asks for, and what is given; "" where it holds."""
    if given is not None and clause_holds(clause, {clause.key.lower(): given}, variables=True):
        return ""
    asks = " and ".join(clause_text(one._replace(key=clause.key), holds=True) for one in canonical_clauses((clause,)))
    has = " and ".join(f'"{printable(value, 200)}"' for value in given or ()) or "absent"
    return asks if given is None else f"{asks}, and here it is {has}"


def _policies_at(edit: Edit, estate: Estate) -> Iterator[Policy]:
    for account in estate.accounts.values():
        identity = account.identities.get(edit.holder)
        if identity is not None and edit.side is Side.IDENTITY:
            yield from identity.policies
        elif identity is not None and identity.trust is not None and edit.side is Side.TRUST:
            yield identity.trust
    for repository in estate.repositories():
        if repository.arn == edit.holder and repository.policy is not None:
            yield repository.policy


def _applies(statement: Statement, edit: Edit) -> bool:
    if not edit.principal:
        return resource_matches(statement.resources, edit.resource, {}, variables=True, completes=True)
    named = statement.principals
    return named is not None and bool(named_ways(named, parse_request_principal(edit.principal), Effect.ALLOW))


def _removal(side: Side, holder: str, policy: Policy, index: int, level: int = 0) -> Edit:
    return Edit(side, holder, level, policy=policy.name, place=policy.place, index=index)


def with_edits(estate: Estate, edits: Sequence[Edit]) -> Estate:
    """The estate with the edits made; a policy that several identities share changes for all of them."""
    if not edits:
        return estate
    return replace(
        estate, accounts={account.id: _edited_account(account, edits) for account in estate.accounts.values()}
    )


def _edited_account(account: EcrAccount, edits: Sequence[Edit]) -> EcrAccount:
    identities = {arn: _edited_identity(identity, edits) for arn, identity in account.identities.items()}
    registries = {region: _edited_registry(registry, edits) for region, registry in account.registries.items()}
    service = _edited_levels(account.service_control, account.id, Side.SERVICE_CONTROL, edits)
    resource = _edited_levels(account.resource_control, account.id, Side.RESOURCE_CONTROL, edits)
    return replace(
        account, identities=identities, registries=registries, service_control=service, resource_control=resource
    )


def _edited_identity(identity: Identity, edits: Sequence[Edit]) -> Identity:
    policies = [_edited(policy, identity.arn, edits) for policy in identity.policies]
    own = [edit.statement for edit in edits if edit.is_addition(Side.IDENTITY, identity.arn)]
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
        elif own := [edit.statement for edit in edits if edit.is_addition(Side.REPOSITORY, repository.arn)]:
            policy = Policy(_ADDED, _document(own))
        repositories[name] = replace(repository, policy=policy)
    return replace(registry, repositories=repositories, policy=registry.policy and _edited(registry.policy, "", edits))


def _edited_levels(levels: Levels | None, account: str, side: Side, edits: Sequence[Edit]) -> Levels | None:
    if levels is None:
        return None
    made = []
    for above, level in enumerate(levels):
        own = [edit.statement for edit in edits if edit.is_addition(side, account) and edit.level == above]
        kept = tuple(_edited(policy, account, edits) for policy in level)
        made.append((*kept, Policy(_ADDED, _document(own))) if own else kept)
    return tuple(made)


def _edited(policy: Policy, holder: str, edits: Sequence[Edit], side: Side | None = None) -> Policy:
    """One policy without the statements to remove, and with those to add to a policy of its `side`."""
    document = policy.document
    if not isinstance(document, Document):
        return policy
    about = [edit for edit in edits if _is_about(edit, policy, holder)]
    gone = {edit.index for edit in about if edit.index is not None}
    added = [edit.statement for edit in about if edit.index is None and edit.side is side]
    if not gone and not added:
        return policy
    left = tuple(statement for index, statement in enumerate(document.statements) if index not in gone)
    more = _document(added).statements if added else ()
    return replace(policy, document=replace(document, text="", statements=(*left, *more)))


def _is_about(edit: Edit, policy: Policy, holder: str) -> bool:
    """Does an edit change this policy? A shared policy is identified by its place, any other by its holder."""
    if edit.place.shared or policy.place.shared:
        return edit.place.shared == policy.place.shared
    return edit.holder == holder if edit.index is None else edit.policy == policy.name and holder in ("", edit.holder)


def _document(statements: Sequence[Mapping[str, object]]) -> Document:
    marked = [{**statement, "Sid": _ADDED} for statement in statements]
    return parse_document({"Version": "2012-10-17", "Statement": marked})
