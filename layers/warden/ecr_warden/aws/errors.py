"""What AWS's error codes mean for ecr-warden: those of all services, and those of the hub's own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from ecr_warden.aws.deadline import NoTimeLeft
from ecr_warden.aws.denials import denied, hub_denied
from ecr_warden.core.failures import OutOfTime, PortError, RegionDisabled, Throttled, Unanswered
from iam_access.text.printable import bounded

type Translation = Callable[[str, str], PortError]
"""From (what was tried, AWS's message) to a PortError."""

_READ_LIMIT = 4000
TOO_MANY_REQUESTS = 429


def meant(kind: type[PortError], remedy: str = "", *, retryable: bool = False) -> Translation:
    """A translation that keeps AWS's message."""
    return lambda what, message: kind(f"{what}: {bounded(message)}", remedy=remedy, retryable=retryable)


slow_down = meant(Throttled, "it is retried automatically", retryable=True)
"""The translation of whatever may succeed soon."""
_expired = meant(Throttled, "the hub retries it by itself; if the credentials are yours, sign in again", retryable=True)


def _region_off(what: str, message: str) -> PortError:
    return RegionDisabled(
        f"{what}: the region is not enabled in the account: {bounded(message)}",
        remedy="enable the region in the account, or remove it from the spec",
    )


THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "ThrottleException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
)
"""The codes by which AWS says that an API is called too often."""

COMMON: dict[str, Translation] = {
    "AccessDenied": denied,
    "AccessDeniedException": denied,
    "UnauthorizedOperation": denied,
    # Each service's answer in a region that the account has not opted in to.
    "UnrecognizedClientException": _region_off,
    "InvalidClientTokenId": _region_off,
    "OptInRequired": _region_off,
    "RegionDisabledException": _region_off,
    **dict.fromkeys(THROTTLED, slow_down),
    "ServiceUnavailable": slow_down,
    "InternalFailure": slow_down,
    "InternalError": slow_down,
    "ExpiredToken": _expired,
    "ExpiredTokenException": _expired,
}
"""What the codes mean that every service answers."""

HUB: dict[str, Translation] = COMMON | {
    "AccessDenied": hub_denied,
    "AccessDeniedException": hub_denied,
    "ProvisionedThroughputExceededException": slow_down,
    "TransactionInProgressException": slow_down,
    "InternalServerError": slow_down,
    "SlowDown": slow_down,
}
"""The hub's own table, buckets, queues and buses."""


@contextmanager
def translated(table: Mapping[str, Translation], what: str) -> Iterator[None]:
    """Turn what boto3 raises in the block into a PortError. `what`: what was tried, for people."""
    try:
        yield
    except ClientError as error:
        raise _translate(table, what, error) from error
    except BotoCoreError as error:
        raise _unanswered(what, error) from error


def unless[**P, T](codes: tuple[str, ...], call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """The answer to a call of boto3's; None where AWS answers with one of these error codes."""
    try:
        return call(*args, **kwargs)
    except ClientError as error:
        if code_of(error) in codes:
            return None
        raise


def _unanswered(what: str, error: BotoCoreError) -> PortError:
    """The error for a call without an answer: retryable only if it was lost on the way."""
    if isinstance(error, NoTimeLeft):
        return OutOfTime(f"{what}: {error}", remedy="it is retried automatically", retryable=True)
    if isinstance(error, HTTPClientError | ConnectionError | IncompleteReadError):
        return Unanswered(f"{what}: {error!s:.200}", remedy="it is retried automatically", retryable=True)
    return PortError(f"{what}: {error!s:.200}")


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: ClientError) -> str:
    """AWS's message, bounded."""
    return error.response.get("Error", {}).get("Message", "")[:_READ_LIMIT]


def _translate(table: Mapping[str, Translation], what: str, error: ClientError) -> PortError:
    """The error for one of AWS's; an unknown code is permanent unless AWS itself failed (HTTP 5xx)."""
    code, message = code_of(error), message_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    known = table.get(code) or (slow_down if status == TOO_MANY_REQUESTS else None)
    if known:
        return known(what, message)
    return PortError(f"{what}: {code}: {bounded(message)}", retryable=status >= 500)
