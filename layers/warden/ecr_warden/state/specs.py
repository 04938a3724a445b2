"""The spec's versions: where they are kept, which one is accepted, and which one is the baseline."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.state.accepted import AcceptedSpecs


class SpecVersion(Struct, frozen=True):
    """One version of the spec, as uploaded."""

    version: str
    data: bytes


class SpecsInForce(Struct, frozen=True):
    """The digests of the compiled forms of the accepted version and of the baseline; empty for none."""

    accepted: str = ""
    baseline: str = ""


class KeptBaseline(Struct, frozen=True):
    """The last version that a person accepted; `compiled` is None if another ecr-warden wrote its compiled form."""

    version: str
    text: bytes
    compiled: CompiledSpec | None


class Specs(AcceptedSpecs, Protocol):
    """The spec's versions, which of them is accepted, and which one a person accepted last: the baseline."""

    def current(self) -> SpecVersion:
        """The bucket's current version; raises a kind of SpecUnusable."""

    def text(self, version: str) -> bytes:
        """A version as it was uploaded; raises SpecMissing once it is no longer kept."""

    def standing(self) -> SpecsInForce:
        """What is accepted, as it is now."""

    def accept(
        self, spec: CompiledSpec, *, over: SpecsInForce, text: bytes | None = None, at: datetime | None = None
    ) -> None:
        """Accept a version in place of what stands; raises SpecSuperseded if that is not `over` any more.

        `text`: of a version that a person accepts, which becomes the baseline. `at`: when another version replaces it;
        None where the same one is kept anew.
        """

    def baseline(self) -> KeptBaseline | None:
        """The last version that a person accepted; None before the first. Raises BaselineLost or another PortError."""

    def keep(self, spec: CompiledSpec) -> str:
        """Keep a compiled form, and return its digest."""

    def kept(self, digest: str) -> CompiledSpec | None:
        """A compiled form that was kept; None if it is gone, not what was kept, or of another ecr-warden."""

    def keep_text(self, text: bytes) -> str:
        """Keep a text, and return its digest."""

    def kept_text(self, digest: str) -> bytes | None:
        """A text that was kept; None if it is gone, or not what was kept."""

    def refused(self) -> str:
        """The version, or what else of the bucket, that was announced as refused last; empty if none was since."""

    def note_refused(self, version: str) -> None:
        """Note it in place of what was noted before; empty once nothing is refused."""

    def reported(self, place: str) -> str | None:
        """What was reported last of a place: of an object under another key, or of one that somebody else changed."""

    def note_reported(self, place: str, what: str) -> None:
        """Remember what was reported of a place, so that it is reported once."""
