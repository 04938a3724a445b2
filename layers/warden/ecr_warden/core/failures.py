"""The errors of calls to AWS and chat; adapters translate AWS's codes into these, with one table per service."""

from collections.abc import Callable

from iam_access.errors import NamedError, site_of


class PortError(NamedError, code="outside"):
    """A call to AWS or chat was refused or failed. `retryable`: the same call may succeed within a minute."""

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable


class AccountUnreachable(PortError, code="account-unreachable"):
    """The account's role could not be assumed."""


class SessionPolicyTooLarge(PortError, code="session-policy-too-large"):
    """STS refused the session policy for its packed size, which it alone knows; nothing was written."""


class PermissionMissing(PortError, code="permission-missing"):
    """AWS denied the call because nothing allows it; the message names the action and who can allow it."""


class BlockedByDeny(PortError, code="explicitly-denied"):
    """A Deny statement in the account blocks ecr-warden."""


class Throttled(PortError, code="throttled"):
    """AWS throttled the call."""


class Unanswered(PortError, code="unanswered"):
    """AWS did not answer in any of the attempts."""


class OutOfTime(PortError, code="out-of-time"):
    """The call was not made, because the invocation is about to end."""


class RetryLater(PortError, code="retry-later"):
    """A job failed with an error that may pass within a minute; it should be delivered again."""


class RetryAtOnce(RetryLater):
    """Somebody else writes at the same time: each second more leaves them the access that they gave."""


class Crashed(PortError, code="crashed"):
    """ecr-warden itself failed on a target's documents, which may have been written to cause that."""


def crashed(what: str, error: Exception) -> Crashed:
    """Wrap an unexpected exception, so that it affects one target only. `what`: what was attempted, for people."""
    return Crashed(
        f"{what}: ecr-warden failed on its documents ({site_of(error)})",
        remedy="look at the documents, which may have been written to cause this, and report the bug",
    )


def found_or_why[T](what: str, read: Callable[[], T]) -> T | PortError:
    """What reading gives, or why it gives nothing, also where ecr-warden itself failed. `what`: for people."""
    try:
        return read()
    except PortError as error:
        return error
    except Exception as error:
        return crashed(what, error)


class DocumentConflict(PortError, code="conflict"):
    """The live document is not the one that the plan was made from; nothing was written."""


class TargetNotFound(PortError, code="owner-not-found"):
    """The repository, role or user does not exist."""


class NotVisibleYet(PortError, code="not-visible-yet"):
    """AWS does not yet show a resource that was just created."""


class PrincipalNotFound(PortError, code="principal-not-found"):
    """A principal in the document does not exist, or AWS does not see it yet (up to a minute)."""


class QuotaExceeded(PortError, code="quota-exceeded"):
    """The document exceeds a quota."""


class Refused(PortError, code="refused"):
    """AWS refused the write; retrying does not help."""


class RegionDisabled(Refused, code="region-disabled"):
    """The account has not opted in to the region."""


class LeaseHeld(PortError, code="lease-held"):
    """Another run is working on the target."""


class CallerUnauthenticated(PortError, code="caller-unproved"):
    """The caller could not be verified, so nothing was done."""


class CommandRepeated(PortError, code="call-repeated"):
    """A command with this ID was recorded before."""
