"""Who can, and who could by what was not read: the one rule of all answers about access.

A policy that was not read is part of the decision on each question (`decide`). Of an account that was not read,
there is nobody to ask. Where the policies let in principals of one, or it is the resource's own, somebody there may
have access, and whoever could assume a role in an account that was not read could be that somebody: that is unknown.
An account that is not in the inventory, and that no policy names, does not exist.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import replace

from iam_access.evaluate.request_principal import CallerKind
from iam_access.inventory.inventory import Inventory, Policy
from iam_access.who_can.decide import Answer, Permission
from iam_access.who_can.entering import is_read, unread_account
from iam_access.who_can.graph import AccessPath, Denial, Graph
from iam_access.who_can.subject import ANY_ACCOUNT, Subject


def can(graph: Graph, subject: Subject, permissions: tuple[Permission, ...]) -> AccessPath | Denial:
    """The best path of one subject, be it through an account that was not read."""
    asked = graph.later if subject.has_all_time else graph
    found, inventory, own = asked.can(subject, permissions), graph.inventory, subject.principal.account
    if graph.is_whole:
        return found
    anywhere = _entered(graph, (ANY_ACCOUNT,))
    if isinstance(found, AccessPath) or isinstance(graph.may_enter(subject, anywhere), Denial):
        return found
    unread = _accounts(graph, _can(graph, permissions).values())
    if own not in inventory.accounts:
        # Whom another account takes for its own is that account's: a policy has to let in the subject's.
        unread = tuple(name for name in unread if name in inventory.accounts or name == own)
    through = graph.may_enter(subject, _entered(graph, unread)) if unread else found
    return _with_accounts(through, unread, inventory) if isinstance(through, AccessPath) else found


def who_can(
    graph: Graph, permissions: tuple[Permission, ...], *, among: Collection[str] | None = None
) -> dict[str, AccessPath]:
    """Everybody who can or could, by ARN or class, each with the best path; `among`: as in Graph.who_can."""
    if graph.is_whole:
        return graph.who_can(permissions, among=among)
    found = _can(graph, permissions, among)
    if unread := _accounts(graph, found.values()):
        entering = graph.entering(_entered(graph, unread))
        found = {arn: _with_accounts(path, unread, graph.inventory) for arn, path in entering.items()} | found
    return found


def unread_of(graph: Graph, paths: Sequence[AccessPath]) -> tuple[Policy, ...]:
    """What was not read of all that was to be read, and could change who has access."""
    policies, inventory = (policy for path in paths for policy in path.unread), graph.inventory
    names = () if graph.is_whole else _accounts(graph, paths)
    accounts = (unread_account(name, inventory) for name in names if name in inventory.accounts)
    return tuple(dict.fromkeys((*policies, *accounts)))


def _entered(graph: Graph, accounts: Iterable[str]) -> tuple[str, ...]:
    """With every other account that was to be read and was not: a role there may lead to one of these."""
    inventory = graph.inventory
    return tuple(sorted({*accounts, *(name for name in inventory.accounts if not is_read(name, inventory))}))


def _can(
    graph: Graph, permissions: tuple[Permission, ...], among: Collection[str] | None = None
) -> dict[str, AccessPath]:
    """With all of the resource's account as a class, if it was not read: their own policies may allow it."""
    owner = str(permissions[0].resource.account)
    own = () if is_read(owner, graph.inventory) else (graph.anybody_unread(owner),)
    found = graph.who_can(permissions, also=own, among=among)
    if graph.later is not graph:
        later = graph.later.who_can(permissions, also=own, among=among)
        found |= {arn: path for arn, path in later.items() if path.subject.has_all_time}
    return {arn: _presumed(path, graph.inventory) for arn, path in found.items()}


def _presumed(path: AccessPath, inventory: Inventory) -> AccessPath:
    """What is presumed of an account that was to be read is unknown."""
    account = str(path.subject.principal.account)
    if not path.subject.presumed_allowed or account not in inventory.accounts:
        return path
    first, *more = path.steps
    unread = (unread_account(account, inventory), *first.decision.unread)
    return AccessPath((replace(first, decision=replace(first.decision, answer=Answer.UNKNOWN, unread=unread)), *more))


def _accounts(graph: Graph, paths: Iterable[AccessPath]) -> tuple[str, ...]:
    """The accounts that were not read and some of whose users or roles may have access."""
    return tuple(sorted({name for path in paths for name in _accounts_of(graph, path)}))


def _accounts_of(graph: Graph, path: AccessPath) -> Iterator[str]:
    subject, inventory = path.subject, graph.inventory
    kind, account = subject.principal.kind, str(subject.principal.account)
    is_enterable = subject.is_class if kind is CallerKind.USER else kind in _OF_ROLES
    if subject.identity is not None or not is_enterable:
        return
    if account != ANY_ACCOUNT:
        yield from () if is_read(account, inventory) else (account,)
        return
    for name in inventory.accounts:
        # Where anybody is let in, its own account's policies may still keep somebody out.
        if (
            not is_read(name, inventory)
            and graph.decide(graph.anybody_unread(name), path.steps[0].permissions).answer is not Answer.NO
        ):
            yield name


_OF_ROLES = (CallerKind.ROLE, CallerKind.SESSION)


def _with_accounts(path: AccessPath, unread: Iterable[str], inventory: Inventory) -> AccessPath:
    """The path with the accounts through which it leads."""
    *before, last = path.steps
    policies = tuple(unread_account(name, inventory) for name in unread)
    return AccessPath((*before, replace(last, decision=replace(last.decision, unread=policies))))
