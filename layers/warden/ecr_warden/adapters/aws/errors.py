"""What AWS's error codes mean to us: one table a service.

Sources: the Errors sections of the ECR, IAM and STS API references; texts as recorded in
hashicorp/terraform-provider-aws #39064 and #8905.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from ecr_warden.adapters.aws.deadline import NoTimeLeft
from ecr_warden.policy.document import Document
from ecr_warden.ports.errors import (
    DocumentConflict,
    ExplicitlyDenied,
    OutOfTime,
    OwnerNotFound,
    PermissionMissing,
    PortError,
    PrincipalNotFound,
    QuotaExceeded,
    Refused,
    Throttled,
    Unanswered,
)

type Translation = Callable[[str, str], PortError]
"""(what was tried, AWS's message) to the port's error."""

_READ_LIMIT, _MESSAGE_LIMIT, _NAME_LIMIT = 4000, 500, 160
TOO_MANY_REQUESTS = 429
_ORGANIZATION = ("service control policy", "resource control policy")
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_DENIAL = re.compile(
    r"User: arn:(?P<partition>[a-z-]+):sts::(?P<account>[0-9]{12}):assumed-role/(?:[^ /]+/)*?"
    r"(?P<role>ecr-warden-[a-z]+)/[^ ]+ is not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z]+)"
    r"(?: on resource: (?P<resource>.+?))?(?: because (?P<because>.+)| (?P<deny>with an explicit deny.*))",
    re.DOTALL,
)
_OWNER = re.compile(r"(?:arn:[^ ]+:)?(user|role)[ /]([A-Za-z0-9+=,.@_/-]+)")
_EXPLICIT_DENY = re.compile(r"with an explicit deny(?: in (an? [A-Za-z -]+))?")
_ROLE = re.compile(r":(?:assumed-)?role/(?:[^ /]+/)*?(ecr-warden-[a-z]+)")
_REPOSITORY = re.compile(r"arn:[a-z-]+:ecr:([a-z0-9-]+):([0-9]{12}):repository/([^ ]+)")
_PUT_BACK = "who keeps the account puts the stack of stacks/member.yaml back as it was: docs/security.md"
_GHOST_PRINCIPAL = ("Principal not found", "Invalid principal in policy")
_INVALID_REPOSITORY_POLICY = "Invalid repository policy provided"


def _denied(what: str, message: str, *, by_registry: bool = False) -> PortError:
    kept_out = _kept_out(what, message, by_registry=by_registry)
    if kept_out is not None:
        return kept_out
    return _permission_missing(what, message, _fence(message))


def _fence(message: str) -> str:
    """What to add to which parameter of the stack, for an owner that the write role may not touch."""
    denial = _DENIAL.search(message)
    owner = _OWNER.fullmatch(denial["resource"] or "") if denial is not None else None
    if denial is None or denial["role"] != "ecr-warden-write" or owner is None:
        return (
            f"allow {_denied_action(message)} to ecr-warden's role in the account: stacks/member.yaml grants it "
            "(parameters ManagedOwners and ManagedRoles for what ecr-warden did not make)"
        )
    kind, name = owner.groups()
    arn = f"arn:{denial['partition']}:iam::{denial['account']}:{kind}/{name}"
    inline = denial["action"] in (
        "iam:PutUserPolicy",
        "iam:DeleteUserPolicy",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
    )
    parameter = "ManagedOwners" if inline else "ManagedRoles"
    path = " (with its path, if it has one)" if "/" not in name else ""
    return (
        f"add {arn}{path} to the parameter {parameter} of stacks/member.yaml in account {denial['account']}: "
        f"it allows {denial['action']}"
    )


def _hub_denied(what: str, message: str) -> PortError:
    return _permission_missing(what, message, "template.yaml grants each function what it needs: deploy it again")


def _not_let_in(what: str, message: str) -> PortError:
    if "no identity-based policy" in message:  # the caller's own side: the account was not even asked
        return _hub_denied(what, message)
    kept_out = _kept_out(what, message)
    if kept_out is not None:
        return kept_out
    remedy = "deploy stacks/member.yaml in the account, with this hub's account and ExternalId; it makes the role"
    return _permission_missing(what, message, remedy)


def _kept_out(what: str, message: str, *, by_registry: bool = False) -> ExplicitlyDenied | None:
    """The error for a Deny that somebody of the account has written; an organization's is not one.

    `by_registry`: the repository's own policy was read and denies nothing.
    """
    found = _EXPLICIT_DENY.search(message)
    if found is None or any(text in message for text in _ORGANIZATION):
        return None
    kind, name, role = (found.group(1) or "a policy").strip(), _denied_action(message), _ROLE.search(message)
    repository = _REPOSITORY.search(message)
    if "resource-based" in kind and repository is not None:
        kind, remedy = _of_resource(*repository.groups(), by_registry=by_registry)
    elif "boundary" in kind and role is not None:
        kind = f"a permissions boundary on {role.group(1)}"
        remedy = f"aws iam delete-role-permissions-boundary --role-name {role.group(1)}"
    else:
        kind, remedy = "the role's trust policy" if "resource-based" in kind else kind, _PUT_BACK
    return ExplicitlyDenied(f"{what}: {kind} denies {name}", remedy=remedy)


def _of_resource(region: str, account: str, repository: str, *, by_registry: bool) -> tuple[str, str]:
    """Which policy on ECR's side denies, as far as AWS lets that be known, and what helps.

    AWS names the kind of a denying policy, which a repository's and its registry's share. Only the registry's can speak
    of all repositories: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
    """
    registry = (
        f"aws ecr delete-registry-policy --region {region}, as somebody of {account} whom it does not deny "
        "(or take the Deny out of it: aws ecr get-registry-policy)"
    )
    if by_registry or "*" in repository:
        return f"the registry policy of {account} in {region}", registry
    return (
        f"the repository policy or the registry policy of {account} in {region}",
        f"whoever it does not deny: aws ecr delete-repository-policy --registry-id {account} --region {region} "
        f"--repository-name {repository}; if that has no Deny: {registry}",
    )


def _permission_missing(what: str, message: str, remedy: str) -> PortError:
    name = _denied_action(message)
    if any(text in message for text in _ORGANIZATION):
        remedy = f"an organization's policy denies {name}; only who keeps that policy can allow it"
    elif "permissions boundary" in message:
        remedy = f"the permissions boundary of ecr-warden's role denies {name}"
    return PermissionMissing(f"{what}: AWS denied {_denial(message)}", remedy=remedy)


def _denial(message: str) -> str:
    """Which permission was missing, on what, to which of our roles and why; AWS's own text where it reads otherwise."""
    found = _DENIAL.search(message)
    if found is None:
        return f"{_denied_action(message)}: {_cut(message)}"
    on = f" on {_cut(found['resource'])}" if found["resource"] else ""
    return f"{found['action']}{on} to {found['role']}: {_cut(found['because'] or found['deny'])}"


def _denied_action(message: str) -> str:
    action = _ACTION.search(message)
    return action.group(1) if action else "the call"


def _cut(message: str) -> str:
    """A message with its longest names shortened, and no more than so much: a sentence loses its end, never its middle.

    The reason stands at AWS's ends, behind names of any length.
    """
    words = (word if len(word) <= _NAME_LIMIT else f"{word[: _NAME_LIMIT - 3]}..." for word in message.split(" "))
    short = " ".join(words)
    return short if len(short) <= _MESSAGE_LIMIT else f"{short[: _MESSAGE_LIMIT - 4].rpartition(' ')[0]} ..."


def _malformed(what: str, message: str, *, sent: Document | None = None) -> PortError:
    if _INVALID_REPOSITORY_POLICY in message:
        return _invalid_repository_policy(what, sent)
    if any(text in message for text in _GHOST_PRINCIPAL):
        remedy = "a principal that was just created is seen within a minute; else create it or take it out of the spec"
        return PrincipalNotFound(f"{what}: {_cut(message)}", remedy=remedy, retryable=True)
    return Refused(f"{what}: {_cut(message)}", remedy="see what AWS says of the document")


def _invalid_repository_policy(what: str, sent: Document | None) -> PortError:
    """AWS says the same of two things; only the first passes, so the write is tried again whichever it is.

    Sources: hashicorp/terraform-provider-aws #8905 (principals), cloudposse/terraform-aws-ecr #67 (an action).
    """
    refused = _cut(", ".join(_actions_of_no_repository(sent))) if sent is not None else ""
    action = f"{refused}, which the document names" if refused else "such as ecr:GetAuthorizationToken"
    remedy = (
        f"take {refused} out of the repository's document: identity policies give such rights"
        if refused
        else "a principal that was just created is seen within a minute; else create it or take it out of the spec"
    )
    message = (
        f'{what}: AWS answers "{_INVALID_REPOSITORY_POLICY}", which means a principal that AWS does not know (yet), '
        f"or an action that ECR refuses in a repository policy, {action}"
    )
    return PrincipalNotFound(message, remedy=remedy, retryable=True)


def _actions_of_no_repository(document: Document) -> list[str]:
    """The actions named in full that are not ECR's, or that act on no repository."""
    from ecr_warden.policy.catalogue import matching_actions  # noqa: PLC0415 - read where AWS refused a document

    named = {action for statement in document.statements for action in statement.actions.values}
    foreign = {action for action in named if action != "*" and not action.lower().startswith("ecr:")}
    plain = {action for action in named - foreign if not {"*", "?"} & {*action}}
    return sorted(foreign | {action for action in plain if any(not known.arns for known in matching_actions(action))})


def _owner_not_found(what: str, message: str) -> PortError:
    return OwnerNotFound(f"{what}: {_cut(message)}", remedy="create it, or take it out of the spec")


def _region_off(what: str, message: str) -> PortError:
    remedy = "enable the region in the account, or take it out of the spec"
    return Refused(f"{what}: AWS does not know the account in this region: {_cut(message)}", remedy=remedy)


def _slow_down(what: str, message: str) -> PortError:
    return Throttled(f"{what}: {_cut(message)}", remedy="it is tried again", retryable=True)


def _quota(what: str, message: str) -> PortError:
    return QuotaExceeded(f"{what}: {_cut(message)}", remedy="grant fewer repositories or principals here")


def _exists_already(what: str, message: str) -> PortError:
    return DocumentConflict(f"{what}: {_cut(message)}")


def _refused(what: str, message: str) -> PortError:
    return Refused(f"{what}: {_cut(message)}")


_COMMON: dict[str, Translation] = {
    "AccessDenied": _denied,
    "AccessDeniedException": _denied,
    "UnauthorizedOperation": _denied,
    # What a region that an account has not opted in to answers, each service in its own words.
    "UnrecognizedClientException": _region_off,
    "InvalidClientTokenId": _region_off,
    "OptInRequired": _region_off,
    "RegionDisabledException": _region_off,
    "Throttling": _slow_down,
    "ThrottlingException": _slow_down,
    "ThrottledException": _slow_down,
    "ThrottleException": _slow_down,
    "TooManyRequestsException": _slow_down,
    "RequestLimitExceeded": _slow_down,
    "ServiceUnavailable": _slow_down,
    "InternalFailure": _slow_down,
    "InternalError": _slow_down,
    "ExpiredToken": _slow_down,
    "ExpiredTokenException": _slow_down,
}

ECR: dict[str, Translation] = _COMMON | {
    "InvalidParameterException": _malformed,
    "RepositoryNotFoundException": _owner_not_found,
    "ServerException": _slow_down,
    "LimitExceededException": _quota,
}


def ecr_write(sent: Document | None, *, by_registry: bool) -> dict[str, Translation]:
    """ECR's table for a write of a repository policy.

    AWS says neither which of two policies denied nor what of the document it refused. `sent`: None for a deletion;
    `by_registry`: the repository's own policy was read and denies nothing.
    """
    denied = partial(_denied, by_registry=by_registry)
    return ECR | {
        "AccessDenied": denied,
        "AccessDeniedException": denied,
        "InvalidParameterException": partial(_malformed, sent=sent),
    }


IAM: dict[str, Translation] = _COMMON | {
    "MalformedPolicyDocument": _malformed,
    "NoSuchEntity": _owner_not_found,
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
"""Our own table, buckets, queues and buses."""

STS: dict[str, Translation] = _COMMON | {"AccessDenied": _not_let_in}
"""Assuming a member's role."""


@contextmanager
def translated(table: Mapping[str, Translation], what: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into a PortError; `what` says what was tried, for people."""
    try:
        yield
    except ClientError as error:
        raise translate(table, what, error) from error
    except BotoCoreError as error:
        raise unanswered(what, error) from error


def unanswered(what: str, error: BotoCoreError) -> PortError:
    """The port's error for a call that got no answer: only one that was lost on the way may go through next time."""
    if isinstance(error, NoTimeLeft):
        return OutOfTime(f"{what}: {error}", remedy="it is tried again", retryable=True)
    lost = isinstance(error, HTTPClientError | ConnectionError | IncompleteReadError)
    if lost:
        return Unanswered(f"{what}: {error!s:.200}", remedy="it is tried again", retryable=True)
    return PortError(f"{what}: {error!s:.200}")


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


def translate(table: Mapping[str, Translation], what: str, error: ClientError) -> PortError:
    """The port's error for one of AWS's; an unknown code is permanent unless AWS failed itself (HTTP 5xx)."""
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")[:_READ_LIMIT]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    known = table.get(code) or (_slow_down if status == TOO_MANY_REQUESTS else None)
    if known:
        return known(what, message)
    return PortError(f"{what}: {code}: {_cut(message)}", retryable=status >= 500)
