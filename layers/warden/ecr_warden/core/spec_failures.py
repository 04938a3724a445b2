"""What keeps a version of the spec from being used."""

from collections.abc import Sequence

from ecr_warden.core.failures import PortError
from iam_access.text.printable import listed, printable


class SpecUnusable(PortError):
    """The bucket's object cannot be read as a spec."""

    @property
    def fingerprint(self) -> str:
        """Identifies the object, so that it is reported once."""
        return self.code


class SpecMissing(SpecUnusable, code="spec-missing"):
    """There is no spec in the bucket: never uploaded, deleted, or under another key."""


class SpecUnversioned(SpecUnusable, code="spec-unversioned"):
    """The bucket is not versioned, so versions of the spec cannot be told apart."""


class SpecTooLarge(SpecUnusable, code="spec-too-large"):
    """The object is larger than a spec may be, so it was not read."""

    def __init__(self, message: str, *, version: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.version = version

    @property
    def fingerprint(self) -> str:
        return self.version


class BaselineLost(PortError, code="baseline-lost"):
    """What was kept of the last version that a person accepted is gone, or somebody else wrote it."""

    def __init__(self, version: str, place: str) -> None:
        super().__init__(
            f"the baseline, version {version} of the spec, is not known any more: {place} is gone or was changed",
            remedy="whatever enforces anything waits; the version that a person accepts next is the baseline",
        )
        self.place = place


MAX_SPEC_BYTES = 5 * 1024 * 1024
MAX_STRAYS = 3


def spec_missing(place: str, key: str, strays: Sequence[str]) -> SpecMissing:
    """There is no object under the key. `strays`: other keys in the bucket, one of which may be the spec."""
    if not strays:
        return SpecMissing(f"there is no {place}", remedy="upload the spec there; the accepted one stays in force")
    names = listed([f"'{printable(stray, 100)}'" for stray in strays], MAX_STRAYS)
    return SpecMissing(
        f"there is no {place}, but {names}",
        remedy=f"only {key} is read: upload the spec under that key; the accepted one stays in force",
    )


def version_missing(place: str, version: str) -> SpecMissing:
    """An old version has expired in the bucket; its compiled form is kept."""
    return SpecMissing(
        f"version {version} of {place} is no longer kept",
        remedy="upload the spec again; the accepted one stays in force",
    )


def spec_too_large(place: str, size: int, version: str) -> SpecTooLarge:
    """The object is larger than MAX_SPEC_BYTES and was not read."""
    return SpecTooLarge(
        f"{place} has {size} bytes",
        version=version,
        remedy=f"a spec has at most {MAX_SPEC_BYTES} bytes: use teams and patterns instead of long lists",
    )
