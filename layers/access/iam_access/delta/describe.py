"""Changes of access as sentences for people. Text from outside is escaped and bounded."""

from collections.abc import Callable, Collection, Iterable, Iterator

from iam_access.catalogue import spelled
from iam_access.delta.delta import AccessDelta, PermissionDelta
from iam_access.delta.phrases import ANYTHING, COMPARED, Framing, Phrase, wording
from iam_access.delta.service import EVERYTHING, OTHER, ActionGroup, Service, effect_of, group_of, groups_of
from iam_access.document.condition import CanonicalClause
from iam_access.document.document import Effect
from iam_access.document.principal import ANYONE, Principal
from iam_access.equivalent.subsumption import AllBut, AnyOf, Part
from iam_access.text.printable import listed, printable

_NAME_LIMIT = 160


type ComesFirst = Callable[[PermissionDelta], bool]
"""The permissions that are described before any other, and always."""


def _none(_permission: PermissionDelta) -> bool:
    return False


def describe_change(
    change: AccessDelta,
    service: Service | None = None,
    *,
    subject: str,
    framing: Framing = COMPARED,
    comes_first: ComesFirst = _none,
) -> tuple[str, ...]:
    """What a change means, gains first: `X can now assume deployer (sts:AssumeRole)`.

    `subject`: the target of the document, such as a role or user.
    """
    phrases = phrases_of(change, service, subject=subject, comes_first=comes_first)
    return tuple(dict.fromkeys(wording(phrase, framing) for phrase in phrases))


def phrases_of(
    change: AccessDelta, service: Service | None = None, *, subject: str, comes_first: ComesFirst = _none
) -> tuple[Phrase, ...]:
    """What a change means, gains first: one phrase for each principal, resource, condition and group of actions."""
    gained = _phrases(change.gained, service, subject, comes_first, gained=True)
    return (*gained, *_phrases(change.lost, service, subject, comes_first, gained=False))


def _phrases(
    permissions: Iterable[PermissionDelta],
    service: Service | None,
    subject: str,
    comes_first: ComesFirst,
    *,
    gained: bool,
) -> Iterator[Phrase]:
    """What `comes_first` first, then sorted."""
    order = groups_of(service)

    def rank(key: tuple[str, int, str, str, Effect]) -> tuple[bool, str, int, str, str, Effect]:
        """A part of a group comes after all groups: alone, seeing whether a layer is there is less than a pull."""
        who, place, what, conditions, kind = key
        effect = effect_of(order[place], actions[key], service)
        after = order.index(effect) if effect in order else len(order)
        return key not in first, who, after, what, conditions, kind

    actions: dict[tuple[str, int, str, str, Effect], list[str]] = {}
    first: dict[tuple[str, int, str, str, Effect], list[str]] = {}
    for permission in permissions:
        group = _group(permission.action, service)
        who, what = _who_and_what(permission, subject)
        members = _membership(permission)
        who = f"organization {' or '.join(sorted(members.values))}" if members else who
        conditions = _conditions(permission.conditions - {members})
        key = (who, order.index(group), what, conditions, permission.effect)
        actions.setdefault(key, []).append(_actions(permission.action))
        if comes_first(permission):
            first.setdefault(key, []).append(_actions(permission.action))
    for key in sorted(actions, key=rank):
        who, place, what, conditions, effect = key
        group, names = order[place], actions[key]
        detail = f" ({_listed(group, names, first.get(key, ()))})"
        yield Phrase(
            who, effect_of(group, names, service), what, detail, conditions, denies=effect is Effect.DENY, gained=gained
        )


def _who_and_what(permission: PermissionDelta, subject: str) -> tuple[str, str]:
    """The target of a document with principals is acted on; the target of one without acts."""
    subject = printable(subject, _NAME_LIMIT)
    resource = _part(permission.resource, str) if permission.resource is not None else None
    if permission.principal is None:
        return subject, ANYTHING if resource in (None, "*") else str(resource)
    what = subject if resource in (None, "*") else f"{subject} as {resource}"
    return _part(permission.principal, _principal, everything="everyone"), what


def _membership(permission: PermissionDelta) -> CanonicalClause | None:
    """The clause that makes anybody the members of an organization."""
    asked = permission.conditions if permission.principal == ANYONE and permission.effect is Effect.ALLOW else ()
    return next((one for one in asked if one[:2] == ("StringEquals", "aws:principalorgid")), None)


def _principal(principal: Principal) -> str:
    if principal == ANYONE:
        return "anyone (*)"
    return principal.value if principal.kind == "AWS" else f"{principal.kind} {principal.value}"


def _part[T](part: Part[T], name: Callable[[T], str], *, everything: str = "everything") -> str:
    match part:
        case AllBut(values):
            return f"{everything} but {_few([name(value) for value in values])}"
        case AnyOf(values):
            return _few([name(value) for value in values])
        case _:
            return printable(name(part), _NAME_LIMIT)


def _few(names: list[str]) -> str:
    return listed([printable(name, _NAME_LIMIT) for name in names], 2)


def _group(action: Part[str] | None, service: Service | None) -> ActionGroup:
    match action:
        case AllBut() | None:
            return EVERYTHING
        case AnyOf(values):
            groups = {group_of(value, service) for value in values}
            return groups.pop() if len(groups) == 1 else OTHER
        case _:
            return group_of(action, service)


def _actions(action: Part[str] | None) -> str:
    return "everything" if action is None else _part(action, spelled)


def _listed(group: ActionGroup, actions: list[str], first: Collection[str]) -> str:
    """One of `first` before the most telling action of the group, and that before any other."""
    ordered = sorted(set(actions), key=lambda action: (action not in first, action not in group.actions[:1], action))
    return listed(ordered, 1)


def _conditions(conditions: frozenset[CanonicalClause]) -> str:
    clauses = sorted(f"{clause.operator} {clause.key} {' or '.join(sorted(clause.values))}" for clause in conditions)
    return f" under {_few(clauses)}" if clauses else ""
