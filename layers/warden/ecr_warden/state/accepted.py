"""The accepted version of the spec, as read by whatever compares the accounts with it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import PortError


class ReplacedSpec(Struct, frozen=True):
    """The version that the accepted one replaced, and from when to when it was in force."""

    spec: CompiledSpec
    since: datetime
    """No later than that it was replaced, where it is not known."""
    at: datetime


class AcceptedSpecs(Protocol):
    """The version of the spec that is enforced."""

    def accepted(self) -> CompiledSpec | None:
        """The accepted version, compiled; None before the first.

        Its entries are read when they are asked for. Raises CompiledUnusable, also then, or another PortError.
        """

    def whole(self) -> CompiledSpec | None:
        """The accepted version with every entry at hand, as it was read first; raises what `accepted` raises."""

    def replaced(self) -> ReplacedSpec | None:
        """What the accepted version replaced; None if that is not known, or of another ecr-warden."""


class CompiledUnusable(PortError, code="compiled-unusable"):
    """The compiled form of the accepted spec is not what was kept, or was written by another version of ecr-warden.

    `place`: of what somebody else deleted or wrote of it, empty if nobody did. `rest`: reads what no text has, as
    far as possible; what it returns has no targets and enforces nothing.
    """

    def __init__(self, why: str, *, version: str, rest: Callable[[], CompiledSpec], place: str = "") -> None:
        super().__init__(
            f"the compiled form of the accepted spec, version {version}, cannot be used: {why}",
            remedy="the next job or sweep compiles it again; if this persists, upload the spec again",
        )
        self.version, self.rest, self.place = version, rest, place


class SpecSuperseded(PortError, code="spec-superseded"):
    """Another version was accepted meanwhile."""
