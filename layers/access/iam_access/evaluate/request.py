"""A request as IAM sees it: who, what, on which resource, in which context.

Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: intro-structure.html#intro-structure-request,
reference_policies_condition-keys.html and, for the values of aws:username, aws:userid and aws:PrincipalType,
reference_policies_variables.html#principaltable
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from iam_access.arn import account_part
from iam_access.document.principal import IDENTITY_CENTER_NAME, SERVICE_LINKED_NAME
from iam_access.evaluate.request_principal import CallerKind, RequestError, RequestPrincipal, parse_request_principal
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable

__all__ = ["ANY_RESOURCE", "Request", "RequestError", "make_request", "parse_request"]

ANY_RESOURCE = "*"
"""The resource of an action that has no resource type."""

MAX_RESOURCE = 2048
_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9_.-]{1,128}")
_RESOURCE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
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


def parse_request(
    principal: object,
    action: object,
    resource: object,
    context: object = None,
    resource_account: object = None,
) -> Request:
    """Check input from outside; raises RequestError and nothing else. No context is an empty one."""
    who = parse_request_principal(principal)
    what = _text(action, "action", 193)
    if not _ACTION.fullmatch(what):
        raise RequestError("request-action", "action", "not an action", remedy="write service:Name, without wildcards")
    where = _text(resource, "resource", MAX_RESOURCE)
    if where != ANY_RESOURCE and not _RESOURCE.fullmatch(where):
        raise RequestError("request-resource", "resource", "not an ARN", remedy='write an ARN or "*"')
    owner = None
    if resource_account is not None:
        owner = _text(resource_account, "resourceAccount", 20)
        if not _ACCOUNT.fullmatch(owner):
            raise RequestError(
                "request-account", "resourceAccount", "not an account id", remedy="write twelve digits as a string"
            )
    return make_request(who, what, where, parse_context(context), resource_account=owner)


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
    # A comparison tries any text that distinguishes two patterns, even one that is not an ARN.
    owner = resource_account or account_part(resource)
    if owner is None or not _ACCOUNT.fullmatch(owner):
        owner = resource_account or principal.account or None
    keys = default_context(principal, owner)
    for key, values in (context or {}).items():
        keys[ascii_lower(key)] = (values,) if isinstance(values, str) else tuple(values)
    return Request(principal, action, resource, owner, MappingProxyType(keys))


def _text(raw: object, place: str, limit: int) -> str:
    if not isinstance(raw, str):
        what = "missing" if raw is None else "not a string"
        raise RequestError("request-type", place, what, remedy="write a string")
    if not raw or len(raw) > limit:
        raise RequestError("request-length", place, f"{len(raw)} characters", remedy=f"write 1 to {limit} characters")
    return raw


MAX_KEYS = 500
MAX_KEY = 512
MAX_VALUES = 1000
MAX_VALUE = 4096
MAX_TOTAL = 65_536

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


def parse_context(raw: object) -> dict[str, tuple[str, ...]]:
    """Read the context of a request, keys into lower case; numbers and booleans become strings; raises RequestError.

    null is a key that the request does not have, even if it would follow from the principal.
    """
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise RequestError("request-type", "context", "not an object", remedy="write {key: value}")
    if len(raw) > MAX_KEYS:
        raise RequestError("request-length", "context", f"{len(raw)} keys", remedy=f"give at most {MAX_KEYS}")
    context: dict[str, tuple[str, ...]] = {}
    total = 0
    for key, value in raw.items():
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
            raise RequestError("request-context", "context", "a key without a usable name", remedy="name the key")
        lowered = ascii_lower(key)
        place = f"context.{printable(key, 60)}"
        if lowered in context:
            raise RequestError("request-context", place, "given twice (case is ignored)", remedy="keep one")
        values = _values(value, place)
        total += len(key) + sum(map(len, values))
        if total > MAX_TOTAL:
            raise RequestError("request-length", place, "the context is too large", remedy="give fewer keys")
        context[lowered] = values
    return context


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


def _values(raw: object, place: str) -> tuple[str, ...]:
    if raw is None:
        return ()
    entries = raw if isinstance(raw, list | tuple) else [raw]
    if len(entries) > MAX_VALUES:
        raise RequestError("request-length", place, f"{len(entries)} values", remedy=f"give at most {MAX_VALUES}")
    return tuple(_value(entry, place) for entry in entries)


def _value(raw: object, place: str) -> str:
    match raw:
        case bool():
            return "true" if raw else "false"
        case int() if raw.bit_length() <= 128:
            return str(raw)
        case float() if math.isfinite(raw):
            # No operator reads an exponent.
            return f"{Decimal(repr(raw)):f}"
        case str() if len(raw) <= MAX_VALUE:
            return raw
        case str():
            raise RequestError("request-length", place, f"{len(raw)} characters", remedy=f"give at most {MAX_VALUE}")
        case _:
            raise RequestError(
                "request-context", place, "not a usable value", remedy="write a string, a number, a boolean or a list"
            )
