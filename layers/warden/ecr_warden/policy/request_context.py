"""The condition keys of a request: those given, and those that follow from the principal.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and, for the values of
aws:username, aws:userid and aws:PrincipalType, reference_policies_variables.html#principaltable
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from ecr_warden.policy.letters import ascii_lower
from ecr_warden.policy.request_error import RequestError
from ecr_warden.policy.request_principal import (
    IDENTITY_CENTER_NAME,
    SERVICE_LINKED_NAME,
    CallerKind,
    RequestPrincipal,
)
from ecr_warden.policy.shown import shown

type ContextValue = str | Sequence[str]

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

    null is a key that the request does not have, one that would follow from the principal included.
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
        place = f"context.{shown(key, 60)}"
        if lowered in context:
            raise RequestError("request-context", place, "stands twice (case does not count)", remedy="keep one")
        values = _values(value, place)
        total += len(key) + sum(map(len, values))
        if total > MAX_TOTAL:
            raise RequestError("request-length", place, "the context is too large", remedy="give fewer keys")
        context[lowered] = values
    return context


def default_context(principal: RequestPrincipal, resource_account: str | None) -> dict[str, tuple[str, ...]]:
    """The keys that are certain once principal and resource are known.

    A role session's ARN does not show the path of its role: unless given, aws:PrincipalArn is the role without one,
    and absent for roles that AWS makes under a path of its own.
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
            # Without an exponent, which no operator reads.
            return f"{Decimal(repr(raw)):f}"
        case str() if len(raw) <= MAX_VALUE:
            return raw
        case str():
            raise RequestError("request-length", place, f"{len(raw)} characters", remedy=f"give at most {MAX_VALUE}")
        case _:
            raise RequestError(
                "request-context", place, "not a usable value", remedy="write a string, a number, a boolean or a list"
            )
