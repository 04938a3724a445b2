"""Resource ARNs of IAM calls carry the path, so that a policy on role/ecr-warden/* matches (Service Authorization
Reference, IAM: role/${RoleNameWithPath})."""

from typing import Any

from local.aws.emulator.modules import iam, iam_actions, signature, wrap

_PARAMETERS = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")


def _first(params: Any, name: str) -> str:
    value = params.get(name, "")
    return str((value[0] if value else "") if isinstance(value, list) else value)


def _named(kind: str, store: Any, params: Any, account: str) -> str | None:
    """The ARN of the entity that a call names: the stored one, or the one that will be created."""
    name = _first(params, f"{kind.capitalize()}Name")
    if not name:
        return None
    stored = store.get_scoped(account, None, name)
    if stored:
        return str(stored["Arn"])
    making = _first(params, "Action") == f"Create{kind.capitalize()}"
    path = (_first(params, "Path") if making else "") or "/"
    return f"arn:aws:iam::{account}:{kind}{path}{name}"


def resource(params: Any, account: str) -> str | None:
    """The ARN on which an IAM call is authorized, or None if ministack's own answer is right."""
    if _first(params, "Action") == "CreatePolicy":
        return f"arn:aws:iam::{account}:policy{_first(params, 'Path') or '/'}{_first(params, 'PolicyName')}"
    for kind, store in (("role", iam._roles), ("user", iam._users), ("group", iam._groups)):
        arn = _named(kind, store, params, account)
        if arn:
            return arn
    return None


def install() -> None:
    """Wrap the construction of resource ARNs."""
    original = signature(iam_actions, "extract_resource_arn", *_PARAMETERS)

    def extract(*arguments: Any) -> Any:
        service, params, account = arguments[0], arguments[5], arguments[7]
        found = resource(params, account) if service == "iam" else None
        return found or original(*arguments)

    wrap(iam_actions, "extract_resource_arn", *_PARAMETERS)(extract)
