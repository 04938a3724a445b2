"""What keeps a version of the spec, or its compiled form, from being used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecr_warden.core.failures import PortError
from iam_access.text.printable import listed, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecr_warden.core.desired import CompiledSpec


class SpecUnusable(PortError):
    """The bucket's object cannot be read as a spec."""

    @property
    def fingerprint(self) -> str:
        """Identifies the object, so that it is reported once."""
        return self.code


class SpecMissing(SpecUnusable):
    """There is no spec in the bucket: never uploaded, deleted, or under another key."""

    code = "spec-missing"


class SpecUnversioned(SpecUnusable):
    """The bucket is not versioned, so versions of the spec cannot be told apart."""

    code = "spec-unversioned"


class SpecTooLarge(SpecUnusable):
    """The object is larger than a spec may be, so it was not read."""

    code = "spec-too-large"

    def __init__(self, message: str, *, version: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.version = version

    @property
    def fingerprint(self) -> str:
        return self.version


class CompiledUnusable(PortError):
    """The compiled form of the accepted spec is not what was kept, or was written by another version of ecr-warden.

    `place`: of what somebody else deleted or wrote of it, empty if nobody did. `rest`: reads what no text has, and the
    limits, as far as possible; what it returns has no targets and enforces nothing.
    """

    code = "compiled-unusable"

    def __init__(self, why: str, *, version: str, rest: "Callable[[], CompiledSpec]", place: str = "") -> None:
        super().__init__(
            f"the compiled form of the accepted spec, version {version}, cannot be used: {why}",
            remedy="the next job or sweep compiles it again; if this persists, upload the spec again",
        )
        self.version, self.rest, self.place = version, rest, place


class BaselineLost(PortError):
    """What was kept of the last version that a person accepted is gone, or somebody else wrote it."""

    code = "baseline-lost"

    def __init__(self, version: str, place: str) -> None:
        super().__init__(
            f"the baseline, version {version} of the spec, is not known any more: {place} is gone or was changed",
            remedy="whatever enforces anything waits; the version that a person accepts next is the baseline",
        )
        self.place = place


class SpecSuperseded(PortError):
    """Another version was accepted meanwhile."""

    code = "spec-superseded"


MAX_SPEC_BYTES = 5 * 1024 * 1024
MAX_STRAYS = 3


def spec_missing(place: str, key: str, strays: Sequence[str]) -> SpecMissing:
    """There is no object under the key. `strays`: other keys in the bucket, one of which may be the spec."""
    if not strays:
        return SpecMissing(f"there is no {place}", remedy="upload the spec there; the accepted one stays in force")
    names = listed([f"'{printable(stray, 100)}'" for stray in strays], MAX_STRAYS)
    remedy = f"only {key} is read: upload the spec under that key; the accepted one stays in force"
    return SpecMissing(f"there is no {place}, but {names}", remedy=remedy)


def version_missing(place: str, version: str) -> SpecMissing:
    """An old version has expired in the bucket; its compiled form is kept."""
    remedy = "upload the spec again; the accepted one stays in force"
    return SpecMissing(f"version {version} of {place} is no longer kept", remedy=remedy)


def spec_too_large(place: str, size: int, version: str) -> SpecTooLarge:
    """The object is larger than MAX_SPEC_BYTES and was not read."""
    remedy = f"a spec has at most {MAX_SPEC_BYTES} bytes: use teams and patterns instead of long lists"
    return SpecTooLarge(f"{place} has {size} bytes", version=version, remedy=remedy)
