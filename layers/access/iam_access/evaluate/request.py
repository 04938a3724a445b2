"""A request as IAM sees it: who, what, on which resource, in which context.

Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: intro-structure.html#intro-structure-request,
reference_policies_condition-keys.html and, for the values of aws:username, aws:userid and aws:PrincipalType,
reference_policies_variables.html#principaltable
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from iam_access.arn import account_part
from iam_access.document.principal import IDENTITY_CENTER_NAME, SERVICE_LINKED_NAME
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal
from iam_access.text.ascii_case import ascii_lower

ANY_RESOURCE = "*"
"""The resource of an action that has no resource type."""

_ACCOUNT = re.compile(r"[0-9]+")


type ContextValue = str | Sequence[str]


class Request(Struct, frozen=True):
    """One request.

    `action` is spelled as given and compared without case; `resource` is an ARN or `*`; `resource_account` owns the
    resource, None if neither the ARN nor the caller tells; `context` has the condition keys in lower case, including
    those derived from the principal.
    """

    principal: RequestPrincipal
    action: str
    resource: str
    resource_account: str | None
    context: Mapping[str, tuple[str, ...]]


def make_request(
    principal: RequestPrincipal,
    action: str,
    resource: str = ANY_RESOURCE,
    context: Mapping[str, ContextValue] | None = None,
    *,
    resource_account: str | None = None,
) -> Request:
    """A request of valid parts; the keys that follow from the principal and the resource are added.

    Given keys take precedence. A resource without an account in its ARN belongs to the principal's account.
    """
    owner = resource_account or account_part(resource)
    if owner is None or not _ACCOUNT.fullmatch(owner):
        owner = resource_account or principal.account or None
    keys = default_context(principal, owner)
    keys |= {
        ascii_lower(key): (values,) if isinstance(values, str) else tuple(values)
        for key, values in (context or {}).items()
    }
    return Request(principal, action, resource, owner, MappingProxyType(keys))


_TYPES = {
    CallerKind.ROOT: "Account",
    CallerKind.USER: "User",
    CallerKind.ROLE: "AssumedRole",
    CallerKind.SESSION: "AssumedRole",
    CallerKind.FEDERATED_USER: "FederatedUser",
    CallerKind.ANONYMOUS: "Anonymous",
}
_ROLES_WITH_PATH = (SERVICE_LINKED_NAME, IDENTITY_CENTER_NAME)
_SIGNED = frozenset(_TYPES) - {CallerKind.ANONYMOUS}


def default_context(principal: RequestPrincipal, resource_account: str | None) -> dict[str, tuple[str, ...]]:
    """The keys that follow from the principal and the account of the resource.

    A session's ARN does not show the path of its role: unless given, aws:PrincipalArn is the role without a path, and
    absent for roles that AWS creates under a path of its own.
    """
    kind = principal.kind
    keys: dict[str, str] = {}
    if kind in _TYPES:
        keys["aws:principaltype"] = _TYPES[kind]
    if kind in _SIGNED and principal.account:
        keys["aws:principalaccount"] = principal.account
        keys["aws:principalisawsservice"] = "false"
        keys["aws:principalarn"] = principal.text
    if kind is CallerKind.SESSION and principal.name.startswith(_ROLES_WITH_PATH):
        del keys["aws:principalarn"]
    elif kind is CallerKind.SESSION:
        keys["aws:principalarn"] = f"arn:{principal.partition}:iam::{principal.account}:role/{principal.name}"
    elif kind is CallerKind.USER:
        keys["aws:username"] = principal.name
    elif kind is CallerKind.ROOT:
        keys["aws:userid"] = principal.account or ""
    elif kind is CallerKind.FEDERATED_USER:
        keys["aws:userid"] = f"{principal.account}:{principal.name}"
    elif kind is CallerKind.ANONYMOUS:
        keys["aws:principalaccount"] = keys["aws:userid"] = "anonymous"
    elif kind is CallerKind.SERVICE:
        keys["aws:principalisawsservice"] = "true"
        keys["aws:principalservicename"] = principal.text
    if resource_account:
        keys["aws:resourceaccount"] = resource_account
    return {key: (value,) for key, value in keys.items()}
