"""A request as IAM sees it: who, what, on which resource, in which context.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/intro-structure.html#intro-structure-request
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ecr_warden.policy.letters import ascii_lower
from ecr_warden.policy.request_context import ContextValue, default_context, parse_context
from ecr_warden.policy.request_error import RequestError
from ecr_warden.policy.request_principal import RequestPrincipal, parse_request_principal

__all__ = ["ANY_RESOURCE", "Request", "RequestError", "make_request", "parse_request"]

ANY_RESOURCE = "*"
"""The resource of an action that has no resource type."""

MAX_RESOURCE = 2048
_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9_.-]{1,128}")
_RESOURCE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_ARN_COLONS = 5
_ACCOUNT = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    `action` is spelled as given and compared without case; `resource` is an ARN or `*`; `resource_account` is the
    owner of the resource, None where neither the ARN nor the caller tells; `context` holds the condition keys in lower
    case, those derived from the principal included.
    """

    principal: RequestPrincipal
    action: str
    resource: str
    resource_account: str | None
    context: Mapping[str, tuple[str, ...]]


def parse_request(
    principal: object,
    action: object,
    resource: object = ANY_RESOURCE,
    context: object = None,
    resource_account: object = None,
) -> Request:
    """Check what came from outside; raises RequestError, nothing else. No context is an empty one."""
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
    """A request of parts that are known to be good; keys that follow from the principal and the resource are added.

    Given keys win. The owner of a resource without an account in its ARN is the principal's account.
    """
    owner = resource_account
    # A comparison asks about whatever text tells two patterns apart, also about one that is no ARN.
    if owner is None and resource.count(":") >= _ARN_COLONS:
        owner = resource.split(":", _ARN_COLONS)[4] or None
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
