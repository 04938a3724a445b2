"""Parses AWS's messages for denied calls: which permission is missing or which policy denies, and the remedy.

Imported by iam_access/errors.py only when a call was denied.
Source of the texts: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re

from ecr_warden.core.failures import BlockedByDeny, PermissionMissing, PortError
from ecr_warden.core.remedies import DEPLOY_AND_RECONCILE, RECONCILE
from iam_access.text.printable import bounded

_ORGANIZATION = ("service control policy", "resource control policy")
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_DENIAL = re.compile(
    r"User: arn:(?P<partition>[a-z-]+):sts::(?P<account>[0-9]{12}):assumed-role/(?:[^ /]+/)*?"
    r"(?P<role>ecr-warden-[a-z]+)/[^ ]+ is not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z]+)"
    r"(?: on resource: (?P<resource>.+?))?(?: because (?P<because>.+)| (?P<deny>with an explicit deny.*))",
    re.DOTALL,
)
_IDENTITY = re.compile(r"(?:arn:[^ ]+:)?(user|role)[ /]([A-Za-z0-9+=,.@_/-]+)")
_EXPLICIT_DENY = re.compile(r"with an explicit deny(?: in (an? [A-Za-z -]+))?")
_ROLE = re.compile(r":(?:assumed-)?role/(?:[^ /]+/)*?(ecr-warden-[a-z]+)")
_REPOSITORY = re.compile(r"arn:[a-z-]+:ecr:([a-z0-9-]+):([0-9]{12}):repository/([^ ]+)")
_IN_GENERAL = (
    "allow {} to ecr-warden's role in the account: ecr-warden deploy grants it, as writes, owners and roles of the "
    "account in ecr-warden.yaml say"
)
_WRITE_ROLE = "ecr-warden-write"
_TO_A_PERSON = "allow {} to these credentials: docs/cli.md#credentials lists what reading takes"
# The list of an account in ecr-warden.yaml that allows the write role a call.
_LISTS = {
    **dict.fromkeys(("iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:DetachUserPolicy"), "owners"),
    **dict.fromkeys(("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"), "owners"),
    "iam:UpdateAssumeRolePolicy": "roles",
}
_RESTORE = "as an administrator of the account: ecr-warden deploy, which restores the role: docs/security.md"


def denied(what: str, message: str) -> PortError:
    kept_out = _explicitly_denied(what, message)
    return kept_out if kept_out is not None else _permission_missing(what, message, _scope_remedy(message))


def _scope_remedy(message: str) -> str:
    """What to add to which list of the account, for an identity outside the write scope.

    Whoever asks at a terminal has credentials of their own, which no stack of ecr-warden's gives anything.
    """
    if "User: arn:" in message and _ROLE.search(message) is None:
        return _TO_A_PERSON.format(_denied_action(message))
    denial = _DENIAL.search(message)
    identity = _IDENTITY.fullmatch(denial["resource"] or "") if denial is not None else None
    if denial is None or denial["role"] != _WRITE_ROLE:
        return _IN_GENERAL.format(_denied_action(message))
    entries = _LISTS.get(denial["action"])
    if identity is None or entries is None:
        return f"{_IN_GENERAL.format(denial['action'])}, and {RECONCILE} then repairs this"
    kind, name = identity.groups()
    path = " (with its path, if it has one)" if "/" not in name else ""
    where = f"{entries} of account {denial['account']} in ecr-warden.yaml"
    return f"add {kind}/{name}{path} to {where}, to allow {denial['action']}, then {DEPLOY_AND_RECONCILE}"


def hub_denied(what: str, message: str) -> PortError:
    return _permission_missing(what, message, "ecr-warden deploy: it grants each function what it needs")


def assume_denied(what: str, message: str) -> PortError:
    if "no identity-based policy" in message:  # the caller's own policies denied it; the account's trust policy did not
        return hub_denied(what, message)
    kept_out = _explicitly_denied(what, message)
    if kept_out is not None:
        return kept_out
    # Of a suspended account AWS says the same.
    return _permission_missing(
        what,
        message,
        "ecr-warden deploy: it creates the role, that for writing unless writes is none; if the account is suspended, "
        "remove it from the spec",
    )


def _explicitly_denied(what: str, message: str) -> BlockedByDeny | None:
    """The error for an explicit Deny in the account; None for any other denial, such as an organization's."""
    found = _EXPLICIT_DENY.search(message)
    if found is None or any(text in message for text in _ORGANIZATION):
        return None
    kind, name, role = (found.group(1) or "a policy").strip(), _denied_action(message), _ROLE.search(message)
    repository = _REPOSITORY.search(message)
    if "resource-based" in kind and repository is not None:
        kind, remedy = _of_resource(*repository.groups())
    elif "boundary" in kind and role is not None:
        kind = f"a permissions boundary on {role.group(1)}"
        remedy = f"aws iam delete-role-permissions-boundary --role-name {role.group(1)}"
    else:
        kind, remedy = "the role's trust policy" if "resource-based" in kind else kind, _RESTORE
    return BlockedByDeny(f"{what}: {kind} denies {name}", remedy=remedy)


def _of_resource(region: str, account: str, repository: str) -> tuple[str, str]:
    """Which of ECR's policies denies, as far as AWS reveals it, and the remedy.

    AWS names only the kind of policy, and a repository's and its registry's are of one kind. Only the registry's can
    cover all repositories: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
    """
    registry = (
        f"as a principal of {account} that it does not deny: aws ecr delete-registry-policy --region {region} "
        "(or remove only its Deny: aws ecr get-registry-policy)"
    )
    if "*" in repository:
        return f"the registry policy of {account} in {region}", registry
    return (
        f"the repository policy or the registry policy of {account} in {region}",
        f"as a principal that it does not deny: aws ecr delete-repository-policy --registry-id {account} "
        f"--region {region} --repository-name {repository}; if that policy has no Deny, {registry}",
    )


def _permission_missing(what: str, message: str, remedy: str) -> PortError:
    name = _denied_action(message)
    if any(text in message for text in _ORGANIZATION):
        remedy = f"an organization policy denies {name}; only its owner can allow it"
    elif "permissions boundary" in message:
        remedy = f"the permissions boundary of ecr-warden's role denies {name}"
    return PermissionMissing(f"{what}: AWS denied {_denial(message)}", remedy=remedy)


def _denial(message: str) -> str:
    """The missing permission, its resource, the role and the reason; AWS's own text if it has another form."""
    found = _DENIAL.search(message)
    if found is None:
        return f"{_denied_action(message)}: {bounded(message)}"
    on = f" on {bounded(found['resource'])}" if found["resource"] else ""
    return f"{found['action']}{on} to {found['role']}: {bounded(found['because'] or found['deny'])}"


def _denied_action(message: str) -> str:
    action = _ACTION.search(message)
    return action.group(1) if action else "the call"
