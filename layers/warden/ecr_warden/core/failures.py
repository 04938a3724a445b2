"""The errors of calls to AWS and chat; adapters translate AWS's codes into these, with one table per service."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iam_access.errors import NamedError, site_of
from iam_access.text.printable import listed, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecr_warden.core.desired import CompiledSpec


class PortError(NamedError):
    """A call to AWS or chat was refused or failed. `retryable`: the same call may succeed within a minute."""

    code = "outside"

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable


class AccountUnreachable(PortError):
    """The account's role could not be assumed."""

    code = "account-unreachable"


class SessionPolicyTooLarge(PortError):
    """STS refused the session policy for its packed size, which it alone knows; nothing was written."""

    code = "session-policy-too-large"


class PermissionMissing(PortError):
    """AWS denied the call because nothing allows it; the message names the action and who can allow it."""

    code = "permission-missing"


class BlockedByDeny(PortError):
    """A Deny statement in the account blocks ecr-warden."""

    code = "explicitly-denied"


class Throttled(PortError):
    """AWS throttled the call."""

    code = "throttled"


class Unanswered(PortError):
    """AWS did not answer in any of the attempts."""

    code = "unanswered"


class OutOfTime(PortError):
    """The call was not made, because the invocation is about to end."""

    code = "out-of-time"


class RetryLater(PortError):
    """A job failed with an error that may pass within a minute; it should be delivered again."""

    code = "retry-later"


class RetryAtOnce(RetryLater):
    """Somebody else writes at the same time: each second more leaves them the access that they gave."""


class Crashed(PortError):
    """ecr-warden itself failed on a target's documents, which may have been written to cause that."""

    code = "crashed"


def crashed(what: str, error: Exception) -> Crashed:
    """Wrap an unexpected exception, so that it affects one target only. `what`: what was attempted, for people."""
    message = f"{what}: ecr-warden failed on its documents ({site_of(error)})"
    return Crashed(
        message, remedy="look at the documents, which may have been written to cause this, and report the bug"
    )


class DocumentConflict(PortError):
    """The live document is not the one that the plan was made from; nothing was written."""

    code = "conflict"


class TargetNotFound(PortError):
    """The repository, role or user does not exist."""

    code = "owner-not-found"


class NotVisibleYet(PortError):
    """AWS does not yet show a resource that was just created."""

    code = "not-visible-yet"


class PrincipalNotFound(PortError):
    """A principal in the document does not exist, or AWS does not see it yet (up to a minute)."""

    code = "principal-not-found"


class QuotaExceeded(PortError):
    """The document exceeds a quota."""

    code = "quota-exceeded"


class Refused(PortError):
    """AWS refused the write; retrying does not help."""

    code = "refused"


class LeaseHeld(PortError):
    """Another run is working on the target."""

    code = "lease-held"


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


class CallerUnauthenticated(PortError):
    """The caller could not be verified, so nothing was done."""

    code = "caller-unproved"


class CommandRepeated(PortError):
    """A command with this ID was recorded before."""

    code = "call-repeated"


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
