"""What any call outside may end in: an adapter translates what its service says into these, in one table a service."""

from ecr_warden.errors import WardenError, site_of
from ecr_warden.model.drift import CRASHED, EXPLICITLY_DENIED, PRINCIPAL_NOT_FOUND


class PortError(WardenError):
    """Something outside refused or failed. `retryable`: the same call may succeed within a minute."""

    code = "outside"

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable


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
