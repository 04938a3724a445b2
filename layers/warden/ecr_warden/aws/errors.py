"""What AWS's error codes mean for ecr-warden, with one table per service.

Sources: the Errors sections of the ECR, IAM and STS API references; texts as recorded in
hashicorp/terraform-provider-aws #39064 and #8905.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from ecr_warden.aws.deadline import NoTimeLeft
from ecr_warden.core.failures import (
    DocumentConflict,
    OutOfTime,
    PortError,
    PrincipalNotFound,
    QuotaExceeded,
    Refused,
    SessionPolicyTooLarge,
    TargetNotFound,
    Throttled,
    Unanswered,
)
from iam_access.text.printable import bounded

if TYPE_CHECKING:
    from iam_access.document.document import Document

type Translation = Callable[[str, str], PortError]
"""From (what was tried, AWS's message) to a PortError."""

_READ_LIMIT = 4000
TOO_MANY_REQUESTS = 429
_GHOST_PRINCIPAL = ("Principal not found", "Invalid principal in policy")
_NEW_PRINCIPAL = "AWS sees a new principal within a minute; if it does not exist, create it or remove it from the spec"
_INVALID_REPOSITORY_POLICY = "Invalid repository policy provided"


# Denials are parsed in denials.py, imported only when a call was denied.


def _denied(what: str, message: str, *, by_registry: bool = False) -> PortError:
    from ecr_warden.aws.denials import denied  # noqa: PLC0415

    return denied(what, message, by_registry=by_registry)


def _hub_denied(what: str, message: str) -> PortError:
    from ecr_warden.aws.denials import hub_denied  # noqa: PLC0415

    return hub_denied(what, message)


def _assume_denied(what: str, message: str) -> PortError:
    from ecr_warden.aws.denials import assume_denied  # noqa: PLC0415

    return assume_denied(what, message)


def _malformed(what: str, message: str, *, sent: "Document | None" = None) -> PortError:
    if _INVALID_REPOSITORY_POLICY in message:
        return _invalid_repository_policy(what, sent)
    if any(text in message for text in _GHOST_PRINCIPAL):
        remedy = _NEW_PRINCIPAL
        return PrincipalNotFound(f"{what}: {bounded(message)}", remedy=remedy, retryable=True)
    return Refused(f"{what}: {bounded(message)}", remedy="correct the document as AWS's message says")


def _invalid_repository_policy(what: str, sent: "Document | None") -> PortError:
    """AWS uses one message for two problems; only the first one passes, so the write is retried in either case.

    Sources: hashicorp/terraform-provider-aws #8905 (principals), cloudposse/terraform-aws-ecr #67 (an action).
    """
    refused = bounded(", ".join(_actions_of_no_repository(sent))) if sent is not None else ""
    action = f"here {refused}" if refused else "such as ecr:GetAuthorizationToken"
    remedy = (
        f"remove {refused} from the repository policy: such actions belong in identity policies"
        if refused
        else _NEW_PRINCIPAL
    )
    message = (
        f'{what}: AWS answers "{_INVALID_REPOSITORY_POLICY}": it does not know a principal (yet), '
        f"or ECR does not accept an action in a repository policy, {action}"
    )
    return PrincipalNotFound(message, remedy=remedy, retryable=True)


def _actions_of_no_repository(document: "Document") -> list[str]:
    """The actions, named without wildcards, that are not ECR's or do not act on a repository."""
    from iam_access.catalogue import matching_actions  # noqa: PLC0415 - needed only once AWS refused a document

    named = {action for statement in document.statements for action in statement.actions.values}
    foreign = {action for action in named if action != "*" and not action.lower().startswith("ecr:")}
    plain = {action for action in named - foreign if not {"*", "?"} & {*action}}
    return sorted(foreign | {action for action in plain if any(not known.arns for known in matching_actions(action))})


def _meant(kind: type[PortError], remedy: str = "", *, retryable: bool = False) -> Translation:
    """A translation that keeps AWS's message."""
    return lambda what, message: kind(f"{what}: {bounded(message)}", remedy=remedy, retryable=retryable)


_target_not_found = _meant(TargetNotFound, "create it, or remove it from the spec")
_slow_down = _meant(Throttled, "it is retried automatically", retryable=True)
_quota = _meant(QuotaExceeded, "grant fewer repositories or principals here")
_exists_already = _meant(DocumentConflict)
_packed_too_large = _meant(
    SessionPolicyTooLarge, "an administrator of the account has to make this change; report it as a bug"
)
_refused = _meant(Refused)


def _region_off(what: str, message: str) -> PortError:
    remedy = "enable the region in the account, or remove it from the spec"
    return Refused(f"{what}: the region is not enabled in the account: {bounded(message)}", remedy=remedy)


THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "ThrottleException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
)
"""The codes by which AWS says that an API is called too often."""

_COMMON: dict[str, Translation] = {
    "AccessDenied": _denied,
    "AccessDeniedException": _denied,
    "UnauthorizedOperation": _denied,
    # Each service's answer in a region that the account has not opted in to.
    "UnrecognizedClientException": _region_off,
    "InvalidClientTokenId": _region_off,
    "OptInRequired": _region_off,
    "RegionDisabledException": _region_off,
    **dict.fromkeys(THROTTLED, _slow_down),
    "ServiceUnavailable": _slow_down,
    "InternalFailure": _slow_down,
    "InternalError": _slow_down,
    "ExpiredToken": _slow_down,
    "ExpiredTokenException": _slow_down,
}

ECR: dict[str, Translation] = _COMMON | {
    "InvalidParameterException": _malformed,
    "RepositoryNotFoundException": _target_not_found,
    "ServerException": _slow_down,
    "LimitExceededException": _quota,
}


def ecr_write(sent: "Document | None", *, by_registry: bool) -> dict[str, Translation]:
    """ECR's table for writing a repository policy.

    AWS says neither which of two policies denied the call nor which part of a document it refused. `sent`: None for a
    deletion; `by_registry`: the repository's own policy contains no Deny.
    """
    denied = partial(_denied, by_registry=by_registry)
    return ECR | {
        "AccessDenied": denied,
        "AccessDeniedException": denied,
        "InvalidParameterException": partial(_malformed, sent=sent),
    }


IAM: dict[str, Translation] = _COMMON | {
    "MalformedPolicyDocument": _malformed,
    "NoSuchEntity": _target_not_found,
    "LimitExceeded": _quota,
    "ConcurrentModification": _slow_down,
    "EntityTemporarilyUnmodifiable": _slow_down,
    "ServiceFailure": _slow_down,
    "EntityAlreadyExists": _exists_already,
    "DeleteConflict": _refused,
    "UnmodifiableEntity": _refused,
}

HUB: dict[str, Translation] = _COMMON | {
    "AccessDenied": _hub_denied,
    "AccessDeniedException": _hub_denied,
    "ProvisionedThroughputExceededException": _slow_down,
    "TransactionInProgressException": _slow_down,
    "InternalServerError": _slow_down,
    "SlowDown": _slow_down,
}
"""The hub's own table, buckets, queues and buses."""

STS: dict[str, Translation] = _COMMON | {"AccessDenied": _assume_denied, "PackedPolicyTooLarge": _packed_too_large}
"""Assuming a role in a member account."""


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
    lost = isinstance(error, HTTPClientError | ConnectionError | IncompleteReadError)
    if lost:
        return Unanswered(f"{what}: {error!s:.200}", remedy="it is retried automatically", retryable=True)
    return PortError(f"{what}: {error!s:.200}")


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


def _translate(table: Mapping[str, Translation], what: str, error: ClientError) -> PortError:
    """The error for one of AWS's; an unknown code is permanent unless AWS itself failed (HTTP 5xx)."""
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")[:_READ_LIMIT]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    known = table.get(code) or (_slow_down if status == TOO_MANY_REQUESTS else None)
    if known:
        return known(what, message)
    return PortError(f"{what}: {code}: {bounded(message)}", retryable=status >= 500)
