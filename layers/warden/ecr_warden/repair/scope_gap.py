"""What the write scope of an account lacks."""

from collections.abc import Mapping

from msgspec import field

from ecr_warden.core.value import Value


class ScopeGap(Value, frozen=True, tag_field="kind", tag="gap"):
    """What the write scope of an account lacks."""

    account: str
    has_stack: bool = field(name="memberStack")
    uncovered: tuple[str, ...]
    """ARNs that the spec needs and that are in no list."""
    parameters: Mapping[str, str]
    """The new value of each parameter that has to change, as CloudFormation expects it."""
    without_room: tuple[str, ...] = ()
    """The ARNs that fit into no list."""


class ScopeUnread(Value, frozen=True, tag_field="kind", tag="unread"):
    """The write scope of an account could not be read."""

    account: str
    error: str
