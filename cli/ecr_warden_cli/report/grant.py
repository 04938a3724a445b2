"""Whom the spec gives access, for people."""

from enum import StrEnum

from ecr_warden.core.value import Moment, Value


class GrantedAccess(StrEnum):
    """What a grant gives. IMPORT: a pull may have a pull-through cache fetch the image first."""

    PULL = "pull"
    IMPORT = "import"
    PUSH = "push"


class Grant(Value, frozen=True):
    """One grant of the spec."""

    access: GrantedAccess
    repository: str
    """A target, whose name may be a pattern that matches none of `excluded`."""
    who: str
    """An ARN, or in words whatever else may pull."""
    through: str = ""
    """The role through which to push or pull."""
    until: Moment | None = None
    """When the grant ends."""
    excluded: tuple[str, ...] = ()
