"""Outsiders whom a path begins with: whoever is not shown to be ours (who_can.ours)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace

from ecr_warden.access.graph import RepositoryGraph, gravest
from ecr_warden.audit.finding import Half
from ecr_warden.core.actions import FOR_DOCKER, REQUIRED, Access
from iam_access.document.document import Document, Effect
from iam_access.document.principal import ROLES_ANYWHERE
from iam_access.evaluate.request_principal import CallerKind
from iam_access.inventory.inventory import Policy
from iam_access.who_can.decide import Answer, Given, Permission, Resource
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.ours import Ours
from iam_access.who_can.standing import standing_for
from iam_access.who_can.subject import ANY_ACCOUNT, for_none


def let_in(
    graph: RepositoryGraph, permissions: tuple[Permission, ...], policy: Policy, *, only: str = ""
) -> Iterator[AccessPath]:
    """Everybody outside the resource's account, or `only` one ARN, whom this policy of the resource lets in directly.

    Whom other policies let in too, in the requests in which they do not by themselves.
    """
    home = str(permissions[0].resource.account)
    ours, others = Ours(frozenset({home})), tuple(_but_by(policy, one) for one in permissions)
    for path in graph.from_outside(permissions, home, only=only):
        *before, last = path.steps
        step = graph.excess(last, Given(last.subject.policies, others))
        if step is not None and is_outside(graph, found := AccessPath((*before, step)), ours):
            yield found


def _but_by(policy: Policy, permission: Permission) -> Permission:
    """The permission without what a policy of the resource allows."""

    def without(resource: Resource) -> Resource:
        return replace(
            resource,
            policies=tuple(denying(one) if one.name == policy.name else one for one in resource.policies),
            otherwise=resource.otherwise and without(resource.otherwise),
        )

    return replace(permission, resource=without(permission.resource))


def denying(policy: Policy) -> Policy:
    """What a policy denies."""
    if not isinstance(policy.document, Document):
        return policy
    statements = tuple(one for one in policy.statements if one.effect is Effect.DENY)
    return replace(policy, document=replace(policy.document, text="", statements=statements))


def let_in_for(
    graph: RepositoryGraph, let_in: Callable[[str], Iterable[AccessPath]], *more: str
) -> Iterator[tuple[str, AccessPath]]:
    """Whom `let_in` finds for a pull, a push and `more`, each with the access; and by what administers the gravest."""
    for access in (Access.PULL, Access.PUSH, *more):
        yield from ((access, path) for path in let_in(access))
    administering = (
        (repository, path) for repository in graph.administering_repositories for path in let_in(repository)
    )
    for action, paths in gravest(administering).items():
        yield from ((action, path) for path in paths)


type Whom = Callable[[str], Iterable[AccessPath]]
"""Outsiders who can call an action, each with a way."""


def halves(
    able: Mapping[str, Sequence[AccessPath]], let_in: Whom, others: Whom | None = None
) -> Iterator[tuple[str, AccessPath, Half]]:
    """Who has one action of a pull and not both: the action, the way, and who has the rest.

    Whoever is not ours is one person, who may act as any of them and put together what each has. `able`: by access, who
    can: whoever pulls has both, whoever pushes what a push needs of them. `others`: whom any policy lets in, if
    `let_in` are those of one policy.
    """
    pulling, pushing = ({path.subject.arn for path in able.get(one, ())} for one in (Access.PULL, Access.PUSH))
    known = {action: pulling | (pushing if action in FOR_DOCKER[Access.PUSH] else set()) for action in _HALVES}
    has = {action: [*let_in(action)] for action in _HALVES}
    whole = {action: bool(known[action] or has[action] or [*(others or has.__getitem__)(action)]) for action in _HALVES}
    for action, rest in (_HALVES, _HALVES[::-1]):
        to_all = [
            one for one in has[action] if one.subject.principal.account == ANY_ACCOUNT and one.answer is Answer.YES
        ]
        for path in to_all or has[action]:
            if path.subject.arn not in known[action]:
                is_open = path.subject.principal.account == ANY_ACCOUNT
                yield action, path, Half.COMPLETED if whole[rest] else Half.OPEN if is_open else Half.ALONE


_HALVES = REQUIRED[Access.PULL]


def is_outside(graph: RepositoryGraph, path: AccessPath, ours: Ours) -> bool:
    """Whether the path begins with somebody who is not ours; `ours`: accounts alone, as documents are live.

    A service is, as far as it can for whoever is in none of these accounts.
    """
    first, principal = path.steps[0], path.subject.principal
    if principal.kind is not CallerKind.SERVICE or principal.text == ROLES_ANYWHERE:
        return bool(standing_for(path.subject.arn, ours))
    for_others = replace(first.subject, always=(*first.subject.always, *for_none(ours.accounts)))
    return graph.decide(for_others, first.permissions, first.given).answer is not Answer.NO
