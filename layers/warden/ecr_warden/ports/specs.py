"""The desired-state file in its bucket, and the version of it that is accepted."""

from dataclasses import dataclass
from typing import Protocol

from ecr_warden.model.desired import CompiledSpec, Departed
from ecr_warden.ports.errors import PortError


class SpecUnusable(PortError):
    """What stands in the bucket cannot be read as a spec. `seen` tells it from what stood there before."""

    @property
    def seen(self) -> str:
        return self.code


class SpecMissing(SpecUnusable):
    """There is no spec in the bucket: never written, deleted, or under another key."""

    code = "spec-missing"


class SpecUnversioned(SpecUnusable):
    """The bucket keeps no versions, so that nothing tells one spec from the next."""

    code = "spec-unversioned"


class SpecTooLarge(SpecUnusable):
    """The object is larger than any spec may be; it was not read."""

    code = "spec-too-large"

    def __init__(self, message: str, *, version: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.version = version

    @property
    def seen(self) -> str:
        return self.version


class SpecTampered(PortError):
    """The accepted spec in its compiled form is not the one that was accepted: somebody wrote what everything is by."""

    code = "spec-tampered"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} is not what was stored there when the spec was accepted",
            remedy="nothing is written until it is: docs/security.md says how to have it compiled again",
        )
        self.place = place


class CompiledUnusable(PortError):
    """The compiled form of the accepted version is gone, or of another version of ecr-warden.

    `departed`: what of it could be read of those that have to lose what they held.
    """

    code = "compiled-unusable"

    def __init__(self, why: str, *, version: str, departed: tuple[Departed, ...] = ()) -> None:
        super().__init__(
            f"version {version} of the spec is accepted, and its compiled form cannot be used: {why}",
            remedy="the next job or sweep compiles it again; if it stays, upload the file again",
        )
        self.version = version
        self.departed = departed


class SpecSuperseded(PortError):
    """Another version was accepted in between."""

    code = "spec-superseded"


@dataclass(frozen=True, slots=True)
class SpecVersion:
    """One version of the desired-state file, as it stands in the bucket."""

    version: str
    data: bytes


class Specs(Protocol):
    """The desired-state file and the version of it that is accepted."""

    def current(self) -> SpecVersion:
        """The bucket's current version; raises SpecUnusable, of one of its kinds."""
        ...

    def text(self, version: str) -> bytes:
        """A version of the file as it was written; raises SpecMissing once it is kept no longer."""
        ...

    def accepted(self) -> CompiledSpec | None:
        """The accepted version, compiled; None before the first. Raises CompiledUnusable, else another PortError."""
        ...

    def accept(self, spec: CompiledSpec, *, replaces: str | None) -> None:
        """Make a version the accepted one; raises SpecSuperseded if `replaces` no longer is.

        A version may replace itself: then it was compiled again.
        """
        ...

    def refused(self) -> str | None:
        """The version refused last, so that it is announced once; empty when none stands any more."""
        ...

    def refuse(self, version: str) -> None:
        """Remember a version as refused."""
        ...

    def misplaced(self, key: str) -> str | None:
        """What of a file under another key people were told last; None if it was never."""
        ...

    def tell_misplaced(self, key: str, version: str) -> None:
        """Remember that people were told of a file under another key."""
        ...
