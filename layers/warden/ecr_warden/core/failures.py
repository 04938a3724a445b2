"""The errors of calls to AWS and chat; adapters translate AWS's codes into these, with one table per service."""

from iam_access.errors import NamedError, site_of


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


class RegionDisabled(Refused):
    """The account has not opted in to the region."""

    code = "region-disabled"


class LeaseHeld(PortError):
    """Another run is working on the target."""

    code = "lease-held"


class CallerUnauthenticated(PortError):
    """The caller could not be verified, so nothing was done."""

    code = "caller-unproved"


class CommandRepeated(PortError):
    """A command with this ID was recorded before."""

    code = "call-repeated"
