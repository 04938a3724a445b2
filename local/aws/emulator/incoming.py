"""A request parsed into service, action, parameters and caller, before it is authorized."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from local.aws.calls import Call
from local.aws.emulator import identity, shapes
from local.aws.emulator.bridges.ecr_registry import registry
from local.aws.emulator.modules import app, iam_actions, router

_LARGEST = 65536
_QUERY = frozenset({"iam", "sts"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """An incoming call, without its number, status and time yet."""

    call: Call
    caller: identity.Caller
    user_agent: str
    source_ip: str


def headers_of(scope: Any) -> dict[str, str]:
    """The headers of a request, names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}


def told_apart(scope: Any, body: bytes, now: float) -> Incoming | None:
    """The API call in a request, or None if it is not one. `now` in seconds since 1970."""
    method, path, headers = scope["method"], scope["path"], headers_of(scope)
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    access_key = router.extract_access_key_id(headers, query)
    if not access_key:
        return None
    params = app._routing_params(method, path, headers, body, query)
    service = str(router.detect_service(method, path, headers, params))
    action = str(iam_actions.extract_iam_action(service, method, path, headers, body, params) or f"{method} {path}")
    caller = identity.caller(access_key)
    parameters = _parameters(service, action.partition(":")[2], params, body)
    call = Call(
        sequence=0,
        at=now,
        account=caller.account,
        owner=_owner(service, parameters, body) or caller.account,
        region=str(router.extract_region(headers, query)),
        service=service,
        action=action.partition(":")[2] or action,
        principal=caller.arn,
        source_identity=caller.source_identity,
        parameters=parameters,
        status=0,
        error="",
        milliseconds=0.0,
    )
    client = (scope.get("client") or ("127.0.0.1",))[0]
    return Incoming(call, caller, headers.get("user-agent", ""), client)


def _parameters(service: str, action: str, params: Any, body: bytes) -> dict[str, Any]:
    if len(body) > _LARGEST:
        return {}
    if service in _QUERY:
        return shapes.form_parameters(service, action, {name: values[0] for name, values in params.items()})
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return shapes.small(found) if isinstance(found, dict) else {}


def _owner(service: str, parameters: dict[str, Any], body: bytes) -> str:
    match service:
        case "ecr":
            return registry(body)
        case "sts":
            parts = str(parameters.get("roleArn", "")).split(":")
            return parts[4] if len(parts) == 6 else ""
        case _:
            return ""
