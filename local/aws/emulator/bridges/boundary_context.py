"""iam:PermissionsBoundary and iam:PolicyARN in the request context ([ps] iam condition keys; aws-facts 2.4, 9)."""

from typing import Any

from local.aws.emulator.bridges.iam_paths import _first
from local.aws.emulator.modules import iam, iam_actions, responses, signature, wrap

_PARAMETERS = ("service", "iam_action", "body", "params")
_SETTING = frozenset({"CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"})
_POLICY = frozenset(f"iam:{verb}{kind}Policy" for verb in ("Attach", "Detach") for kind in ("Role", "User", "Group"))


def context(iam_action: str, params: Any, account: str) -> dict[str, str]:
    """The boundary that a call sets, else the one its role or user has now; absent if there is none."""
    found: dict[str, str] = {}
    if iam_action in _POLICY and _first(params, "PolicyArn"):
        found["iam:PolicyARN"] = _first(params, "PolicyArn")
    if iam_action.removeprefix("iam:") in _SETTING:
        boundary = _first(params, "PermissionsBoundary")
    else:
        role = iam._roles.get_scoped(account, None, _first(params, "RoleName")) or {}
        user = iam._users.get_scoped(account, None, _first(params, "UserName")) or {}
        boundary = str(role.get("PermissionsBoundary") or user.get("PermissionsBoundary") or "")
    if boundary:
        found["iam:PermissionsBoundary"] = boundary
    return found


def install() -> None:
    """Wrap the request's own context keys."""
    original = signature(iam_actions, "request_tag_context", *_PARAMETERS)

    def tag_context(service: str, iam_action: str, body: bytes, params: Any) -> Any:
        found = original(service, iam_action, body, params)
        if service != "iam":
            return found
        return {**found, **context(iam_action, params, str(responses.get_account_id()))}

    wrap(iam_actions, "request_tag_context", *_PARAMETERS)(tag_context)
