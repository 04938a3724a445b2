"""Access in sentences that a person reads at once. Everything from outside is escaped and bounded."""

from collections.abc import Callable, Collection, Iterable, Sequence

from ecr_warden.policy.access import AccessChange, Permission
from ecr_warden.policy.action import ActionGroup, group_of, spelled
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.coverage import AllBut, AnyOf, Part
from ecr_warden.policy.document import Effect
from ecr_warden.policy.phrases import deed
from ecr_warden.policy.principal import ANYONE, Principal
from ecr_warden.policy.shown import shown

MAX_SENTENCES = 20
_NAME_LIMIT = 160
_GROUP_ORDER = tuple(ActionGroup)
_SAMPLE = {
    ActionGroup.PUSH: "ecr:PutImage",
    ActionGroup.PULL: "ecr:BatchGetImage",
    ActionGroup.ASSUME: "sts:AssumeRole",
}


type Foremost = Callable[[Permission], bool]
"""Which permissions are told first, and whatever else there is to tell."""


def _none(_permission: Permission) -> bool:
    return False


def describe_change(change: AccessChange, *, subject: str, foremost: Foremost = _none) -> tuple[str, ...]:
    """What a change means, gains first: `X can now assume ecr-pusher (sts:AssumeRole)`.

    `subject` is what the document hangs on: a repository, a role, or the user or role whose permissions it holds.
    At most MAX_SENTENCES, the last of them counting the rest.
    """
    gained = _sentences(change.gained, subject, _GAINED, foremost)
    return _bounded(gained + _sentences(change.lost, subject, _LOST, foremost))


def describe_missing(change: AccessChange, *, subject: str) -> tuple[str, ...]:
    """What the lack of a whole document means, whether there ever was one: `X cannot pull from shop/checkout (..)`."""
    return _bounded(_sentences(change.lost, subject, _LACKED, _none))


def describe_difference(
    change: AccessChange,
    *,
    gained: Sequence[str],
    lost: Sequence[str],
    subject: str,
    foremost: Foremost = _none,
) -> tuple[str, ...]:
    """What a live document gives and lacks against the desired one, in the words of describe_change.

    `change` counts everybody and everything but errs to one side; `gained` and `lost` are exact examples, in sentences,
    none where it is proved that nothing differs that way. Where a list of principals and actions would not be the whole
    truth, for conditions or a Deny decide, the examples speak. What is `foremost` among the gains is told in any case:
    the proof is one for the callers and values that are known.
    """
    told = _one_way(change.gained, gained, subject, _GAINED, foremost)
    if lost:
        told += _one_way(change.lost, lost, subject, _LOST, foremost)
    return _bounded(told)


def _one_way(
    permissions: Collection[Permission],
    examples: Sequence[str],
    subject: str,
    words: dict[Effect, str],
    foremost: Foremost,
) -> list[str]:
    if examples and permissions and all(map(_is_plain, permissions)):
        return _sentences(permissions, subject, words, foremost)
    first = _sentences(filter(foremost, permissions), subject, words, _none)
    return [*first, *(example for example in examples if example not in first)]


def _is_plain(permission: Permission) -> bool:
    """An Allow without a condition, of something that is named."""
    return (
        permission.effect is Effect.ALLOW
        and not permission.conditions
        and not any(isinstance(part, AllBut) for part in (permission.principal, permission.action, permission.resource))
    )


def _bounded(lines: list[str]) -> tuple[str, ...]:
    if len(lines) <= MAX_SENTENCES:
        return tuple(lines)
    kept = lines[: MAX_SENTENCES - 1]
    return (*kept, f"and {len(lines) - len(kept)} more changes of access")


_GAINED = {Effect.ALLOW: "can now", Effect.DENY: "is no longer denied to"}
_LOST = {Effect.ALLOW: "can no longer", Effect.DENY: "is now denied to"}
_LACKED = {Effect.ALLOW: "cannot", Effect.DENY: "is not denied to"}

type _Key = tuple[str, int, str, str, Effect]


def _sentences(
    permissions: Iterable[Permission], subject: str, words: dict[Effect, str], foremost: Foremost
) -> list[str]:
    """One sentence for each principal, resource, condition and group of actions, in a stable order."""
    groups: dict[_Key, list[str]] = {}
    first: set[_Key] = set()
    for permission in permissions:
        group = _group(permission.action)
        who, what = _who_and_what(permission, subject)
        key = (who, _GROUP_ORDER.index(group), what, _conditions(permission.conditions), permission.effect)
        groups.setdefault(key, []).append(_actions(permission.action))
        if foremost(permission):
            first.add(key)
    lines = []
    for key in sorted(groups, key=lambda key: (key not in first, key)):
        (who, group_index, what, conditions, effect), actions = key, groups[key]
        group = _GROUP_ORDER[group_index]
        lines.append(f"{who} {words[effect]} {deed(group, actions, what)} ({_listed(group, actions)}){conditions}")
    return lines


def _who_and_what(permission: Permission, subject: str) -> tuple[str, str]:
    """A document with principals hangs on the thing, one without on whoever acts."""
    subject = shown(subject, _NAME_LIMIT)
    resource = _part(permission.resource, str) if permission.resource is not None else None
    if permission.principal is None:
        return subject, "anything" if resource in (None, "*") else str(resource)
    what = subject if resource in (None, "*") else f"{subject} as {resource}"
    return _part(permission.principal, _principal), what


def _principal(principal: Principal) -> str:
    if principal == ANYONE:
        return "anyone (*)"
    return principal.value if principal.kind == "AWS" else f"{principal.kind} {principal.value}"


def _part[T](part: Part[T], name: Callable[[T], str]) -> str:
    match part:
        case AllBut(values):
            return f"everything but {_few([name(value) for value in values])}"
        case AnyOf(values):
            return _few([name(value) for value in values])
        case _:
            return shown(name(part), _NAME_LIMIT)


def _few(names: list[str]) -> str:
    head = ", ".join(shown(name, _NAME_LIMIT) for name in names[:2])
    return f"{head} and {len(names) - 2} more" if len(names) > 2 else head


def _group(action: Part[str] | None) -> ActionGroup:
    match action:
        case AllBut() | None:
            return ActionGroup.EVERYTHING
        case AnyOf(values):
            groups = {group_of(value) for value in values}
            return groups.pop() if len(groups) == 1 else ActionGroup.OTHER
        case _:
            return group_of(action)


def _actions(action: Part[str] | None) -> str:
    return "everything" if action is None else _part(action, spelled)


def _listed(group: ActionGroup, actions: list[str]) -> str:
    sample = _SAMPLE.get(group)
    ordered = sorted(set(actions), key=lambda action: (action != sample, action))
    return f"{ordered[0]} and {len(ordered) - 1} more" if len(ordered) > 1 else ordered[0]


def _conditions(conditions: frozenset[CanonicalClause]) -> str:
    if not conditions:
        return ""
    keys = sorted({shown(clause.key) for clause in conditions})
    return f" under a condition on {_few(keys)}"
