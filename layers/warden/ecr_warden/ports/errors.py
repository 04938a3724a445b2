"""What any call outside may end in: an adapter translates what its service says into these, in one table a service."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecr_warden.errors import WardenError, site_of
from ecr_warden.model.drift import CRASHED, EXPLICITLY_DENIED, PRINCIPAL_NOT_FOUND
from ecr_warden.model.observed import Unreadable
from ecr_warden.policy.printable import listed, printable

if TYPE_CHECKING:
    from ecr_warden.model.desired import Removed


class PortError(WardenError):
    """Something outside refused or failed. `retryable`: the same call may succeed within a minute."""

    code = "outside"

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable

    @property
    def unreadable(self) -> Unreadable:
        """What an observation holds in place of a value that this error kept from being read."""
        return Unreadable(self, self.retryable)


class AccountUnreachable(PortError):
    """The account's role could not be assumed."""

    code = "account-unreachable"


class PermissionMissing(PortError):
    """AWS denied the call; the message names the action and who has to allow it."""

    code = "permission-missing"


class ExplicitlyDenied(PortError):
    """A policy in the account denies ecr-warden the call in so many words: somebody keeps it out."""

    code = EXPLICITLY_DENIED


class Throttled(PortError):
    """AWS asked to slow down."""

    code = "throttled"


class Unanswered(PortError):
    """Nothing answered, however often it was tried."""

    code = "unanswered"


class OutOfTime(PortError):
    """The call was not made: whoever wanted it has to end now."""

    code = "out-of-time"


class RetryLater(PortError):
    """A job ended with something that may succeed within a minute: it wants to be delivered again."""

    code = "retry-later"


class Crashed(PortError):
    """ecr-warden itself failed on what stands there; who wrote it may have wanted that."""

    code = CRASHED


def crashed(what: str, error: Exception) -> Crashed:
    """The error for an exception that nobody expected, so that it concerns one target alone.

    `what`: what was tried, for people.
    """
    message = f"{what}: ecr-warden failed on what stands there ({site_of(error)})"
    return Crashed(message, remedy="look at its documents, which may have been written to do that, and report the bug")


class DocumentConflict(PortError):
    """Another document than the expected one stands there; nothing was written."""

    code = "conflict"


class OwnerNotFound(PortError):
    """The repository, role or user does not exist."""

    code = "owner-not-found"


class NotVisibleYet(PortError):
    """What was created a moment ago is not seen yet."""

    code = "not-visible-yet"


class PrincipalNotFound(PortError):
    """A principal named in the document does not exist, or AWS does not see it yet (up to a minute)."""

    code = PRINCIPAL_NOT_FOUND


class QuotaExceeded(PortError):
    """The document does not fit."""

    code = "quota-exceeded"


class Refused(PortError):
    """AWS refused the write for good."""

    code = "refused"


class LeaseHeld(PortError):
    """Another run works on the target."""

    code = "lease-held"


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

    `removed`: what of it could be read of those that have to lose what they held.
    """

    code = "compiled-unusable"

    def __init__(self, why: str, *, version: str, removed: "tuple[Removed, ...]" = ()) -> None:
        super().__init__(
            f"version {version} of the spec is accepted, and its compiled form cannot be used: {why}",
            remedy="the next job or sweep compiles it again; if it stays, upload the file again",
        )
        self.version = version
        self.removed = removed


class SpecSuperseded(PortError):
    """Another version was accepted in between."""

    code = "spec-superseded"


class CallerUnproved(PortError):
    """Who asked is not known, so nothing was done."""

    code = "caller-unproved"


class CommandRepeated(PortError):
    """A command with this id was taken before."""

    code = "call-repeated"


MAX_SPEC_BYTES = 1024 * 1024
STRAYS_TOLD = 3


def spec_missing(place: str, key: str, strays: Sequence[str]) -> SpecMissing:
    """There is no object under the key; `strays` are others of the bucket, one of which may be meant."""
    if not strays:
        return SpecMissing(f"there is no {place}", remedy="upload the spec there; the accepted one stays in force")
    names = listed([f"'{printable(stray, 100)}'" for stray in strays], STRAYS_TOLD)
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
