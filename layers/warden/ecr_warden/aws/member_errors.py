"""What the error codes of ECR, IAM and STS mean for ecr-warden in a member account, with one table per service.

Sources: the Errors sections of the ECR, IAM and STS API references; texts as recorded in
hashicorp/terraform-provider-aws #39064 and #8905.
"""

import re

from ecr_warden.aws.denials import assume_denied
from ecr_warden.aws.errors import COMMON, Translation, meant, slow_down
from ecr_warden.core.failures import (
    AccountUnreachable,
    DocumentConflict,
    PortError,
    PrincipalNotFound,
    QuotaExceeded,
    Refused,
    SessionPolicyTooLarge,
    TargetNotFound,
)
from iam_access.text.printable import bounded

_GHOST_PRINCIPAL = ("Principal not found", "Invalid principal in policy")
_NEW_PRINCIPAL = "AWS sees a new principal within a minute; if it does not exist, create it or remove it from the spec"
_INVALID_REPOSITORY_POLICY = "Invalid repository policy provided"


def _malformed(what: str, message: str) -> PortError:
    if _INVALID_REPOSITORY_POLICY in message:
        return _invalid_repository_policy(what)
    if any(text in message for text in _GHOST_PRINCIPAL):
        return PrincipalNotFound(f"{what}: {bounded(message)}", remedy=_NEW_PRINCIPAL, retryable=True)
    return Refused(f"{what}: {bounded(message)}", remedy="correct the document as AWS's message says")


def _invalid_repository_policy(what: str) -> PortError:
    """AWS uses one message for two problems; only the first one passes, so the write is retried in either case.

    Sources: hashicorp/terraform-provider-aws #8905 (principals), cloudposse/terraform-aws-ecr #67 (an action).
    """
    return PrincipalNotFound(
        f'{what}: AWS answers "{_INVALID_REPOSITORY_POLICY}": it does not know a principal (yet), '
        "or ECR does not accept an action in a repository policy, such as ecr:GetAuthorizationToken",
        remedy=f"{_NEW_PRINCIPAL}; such actions belong in identity policies",
        retryable=True,
    )


_target_not_found = meant(TargetNotFound, "create it, or remove it from the spec")
_quota = meant(QuotaExceeded, "grant fewer repositories or principals here")
_conflict = meant(DocumentConflict)
_packed_too_large = meant(
    SessionPolicyTooLarge, "an administrator of the account has to make this change; report it as a bug"
)
_refused = meant(Refused)

ECR: dict[str, Translation] = COMMON | {
    "InvalidParameterException": _malformed,
    "RepositoryNotFoundException": _target_not_found,
    "ServerException": slow_down,
    "LimitExceededException": _quota,
}

ECR_WRITING: dict[str, Translation] = ECR | {"RepositoryPolicyNotFoundException": _conflict}
"""ECR's table for writing a repository policy."""


def _suspended(what: str, message: str) -> PortError:
    return AccountUnreachable(
        f"{what}: the account is suspended or closed: {bounded(message)}",
        remedy="have the account restored, or take it out of the spec and of ecr-warden.yaml",
    )


IAM: dict[str, Translation] = COMMON | {
    # For IAM answers a region that no account can be without.
    "InvalidClientTokenId": _suspended,
    "UnrecognizedClientException": _suspended,
    "MalformedPolicyDocument": _malformed,
    "NoSuchEntity": _target_not_found,
    "LimitExceeded": _quota,
    "ConcurrentModification": slow_down,
    "EntityTemporarilyUnmodifiable": slow_down,
    "ServiceFailure": slow_down,
    "EntityAlreadyExists": _conflict,
    "DeleteConflict": _refused,
    "UnmodifiableEntity": _refused,
}

# "The role with name x cannot be found." against "The role policy with name x cannot be found."
_IDENTITY_GONE = re.compile(r"(the )?(role|user) (?!policy with)", re.IGNORECASE)


def is_identity_gone(message: str) -> bool:
    """Whether a NoSuchEntity is about the role or user itself and not about a policy."""
    return _IDENTITY_GONE.match(message) is not None


def _gone_meanwhile(what: str, message: str) -> PortError:
    return (_target_not_found if is_identity_gone(message) else _conflict)(what, message)


IAM_DELETING: dict[str, Translation] = IAM | {"NoSuchEntity": _gone_meanwhile}
"""IAM's table for deleting or detaching a policy, which somebody else may have done first."""

STS: dict[str, Translation] = COMMON | {"AccessDenied": assume_denied, "PackedPolicyTooLarge": _packed_too_large}
"""Assuming a role in a member account."""
