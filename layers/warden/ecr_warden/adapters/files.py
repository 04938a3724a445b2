"""What is wrong with a spec's file before it is read, and what to do: the same for memory and for S3."""

from collections.abc import Sequence

from ecr_warden.ports.specs import SpecMissing, SpecTooLarge

MAX_SPEC_BYTES = 1024 * 1024
STRAYS_TOLD = 3


def spec_missing(place: str, key: str, strays: Sequence[str]) -> SpecMissing:
    """There is no object under the key; `strays` are others of the bucket, one of which may be meant."""
    if not strays:
        return SpecMissing(f"there is no {place}", remedy="upload the spec there; the accepted one stays in force")
    names = ", ".join(ascii(stray)[:100] for stray in strays[:STRAYS_TOLD])
    remedy = f"only {key} is read: upload the spec under that key; the accepted one stays in force"
    return SpecMissing(f"there is no {place}, but {names}", remedy=remedy)


def version_missing(place: str, version: str) -> SpecMissing:
    """An old version is not kept for ever; what was compiled of it is."""
    remedy = "upload the spec again; the accepted one stays in force"
    return SpecMissing(f"version {version} of {place} is kept no longer", remedy=remedy)


def spec_too_large(place: str, size: int, version: str) -> SpecTooLarge:
    """The object was not read."""
    remedy = f"a spec has at most {MAX_SPEC_BYTES} bytes: use teams and patterns instead of long lists"
    return SpecTooLarge(f"{place} has {size} bytes", version=version, remedy=remedy)
