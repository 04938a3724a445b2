"""What actions do, in words: for roles, which every program meets, and for the service that a program is about.

Without a service answers are in general words: whoever may use its actions "can act on" its resources.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache

from msgspec import Struct

from iam_access.text.ascii_case import ascii_lower


class ActionGroup(Struct, frozen=True):
    """Actions of one effect, as AWS spells them, the most telling first.

    `does` and `has`: the effect as a verb and as a noun, with {} for what is acted on.
    """

    name: str
    actions: tuple[str, ...]
    does: str
    has: str
    on_all: bool = False
    """They have none on a named resource."""


class Service(Struct, frozen=True):
    """A service as far as answers about it need its words and rules."""

    prefix: str
    """Of its actions."""
    noun: str
    """What its resource policies are attached to, each of at most `policy_quota` characters."""
    policy_quota: int
    groups: tuple[ActionGroup, ...]
    parts: tuple[ActionGroup, ...]
    """Actions of a group that by themselves do less than it."""


EVERYTHING = ActionGroup("EVERYTHING", (), "do everything with {}", "full access to {}")
OTHER = ActionGroup("OTHER", (), "act on {}", "some access to {}")
TAGGING = ActionGroup(
    "TAGGING",
    ("sts:SetSourceIdentity", "sts:SetContext", "sts:TagSession"),
    "tag sessions of {}",
    "the right to tag sessions of {}",
)
"""They let nobody in: they say what the session of whoever may assume a role carries."""
ASSUME = ActionGroup(
    "ASSUME",
    (
        *("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"),
        *TAGGING.actions,
    ),
    "assume {}",
    "the right to assume {}",
)


def groups_of(service: Service | None) -> tuple[ActionGroup, ...]:
    """All groups, the most telling first."""
    return (EVERYTHING, *(service.groups if service else ()), ASSUME, OTHER)


def group_of(action: str, service: Service | None) -> ActionGroup:
    """The group of an action in any case; patterns are OTHER, but for all actions of the service, of STS or of AWS."""
    return _by_action(service).get(ascii_lower(action), OTHER)


@lru_cache(maxsize=8)
def _by_action(service: Service | None) -> Mapping[str, ActionGroup]:
    everything = dict.fromkeys(("*", "*:*", "sts:*", f"{service.prefix}:*" if service else "*"), EVERYTHING)
    return everything | {ascii_lower(action): group for group in groups_of(service) for action in group.actions}


def effect_of(group: ActionGroup, actions: Collection[str], service: Service | None) -> ActionGroup:
    """The part of the group that these actions are, or the group itself; `actions` as AWS spells them."""
    parts = (TAGGING, *(service.parts if service else ()))
    return next((part for part in parts if set(part.actions).issuperset(actions)), group)
