"""The behaviour rules in front of ministack's ECR and IAM: after authorization, before the handler."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from local.behaviour.deletion import forget_in_repository_policy, forget_in_trust_policy
from local.behaviour.outcome import Refused
from local.behaviour.rules import Request, applied
from local.behaviour.texts import not_found
from local.behaviour.world import World
from local.emulator.bridges import ecr_registry
from local.emulator.modules import app, ecr, iam, iam_evaluator, responses
from local.emulator.wire import Reply, error, error_of, with_message

_DELETIONS = {"DeleteUser": ("user", "UserName"), "DeleteRole": ("role", "RoleName")}


def install(world: World, rules: bool) -> None:
    """Wrap both services; without rules only the registry of ECR calls is chosen."""
    app.SERVICE_HANDLERS["ecr"] = _ecr(app.SERVICE_HANDLERS["ecr"], world, rules)
    if rules:
        app.SERVICE_HANDLERS["iam"] = _iam(app.SERVICE_HANDLERS["iam"], world)


def _ecr(original: Callable[..., Any], world: World, rules: bool) -> Callable[..., Any]:
    async def handler(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        owner, region = ecr_registry.registry(body) or responses.get_account_id(), responses.get_region()
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        parameters: dict[str, Any] = json.loads(body or b"{}")
        if owner != responses.get_account_id() and not _opened(owner, region, action, parameters):
            caller = iam_evaluator.caller_arn()
            message = f"User: {caller} is not authorized to perform: ecr:{action} in the registry of {owner}"
            return error("ecr", "AccessDeniedException", message, 400)
        with responses.request_scope(owner, region):
            if not rules:
                return await original(method, path, headers, body, query)
            texts = {name: value for name, value in parameters.items() if isinstance(value, str)}
            verdict = applied(Request("ecr", action, owner, region, texts), world)
            if isinstance(verdict, Refused):
                return error("ecr", verdict.code, verdict.message, verdict.status)
            sent = json.dumps({**parameters, **verdict.parameters}).encode()
            reply = await original(method, path, headers, sent, query)
        return _reworded(reply, owner, texts)

    return handler


def _opened(owner: str, region: str, action: str, parameters: Mapping[str, Any]) -> bool:
    """Whether another account's repository policy lets the caller in; its identity side was asked before."""
    name = parameters.get("repositoryName", "")
    caller = iam_evaluator.caller_arn()
    context = iam_evaluator.EvalContext(
        principal_arn=caller,
        principal_type="Root" if caller.endswith(":root") else "User",
        principal_account=responses.get_account_id(),
        action=f"ecr:{action}",
        resource_arn=f"arn:aws:ecr:{region}:{owner}:repository/{name}",
        region=region,
    )
    policy = ecr._repo_policies.get_scoped(owner, region, name)
    return bool(policy) and iam_evaluator.evaluate_resource_policy(policy, context).decision == "Allow"


def _iam(original: Callable[..., Any], world: World) -> Callable[..., Any]:
    async def handler(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        account, region = str(responses.get_account_id()), str(responses.get_region())
        form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = form.get("Action", "")
        verdict = applied(Request("iam", action, account, region, form), world)
        if isinstance(verdict, Refused):
            return error("iam", verdict.code, verdict.message, verdict.status)
        gone = _identity(action, account, form)
        sent = urlencode(verdict.parameters).encode() if verdict.parameters is not form else body
        reply: Reply = await original(method, path, headers, sent, query)
        if gone and reply[0] == 200:
            _forget(*gone)
        return _reworded(reply, account, form)

    return handler


def _identity(action: str, account: str, form: Mapping[str, str]) -> tuple[str, str] | None:
    """ARN and unique id of what a call is about to delete."""
    if action not in _DELETIONS:
        return None
    kind, parameter = _DELETIONS[action]
    store: Any = iam._users if kind == "user" else iam._roles
    found = store.get_scoped(account, None, form.get(parameter, ""))
    return (found["Arn"], found["UserId" if kind == "user" else "RoleId"]) if found else None


def _forget(arn: str, unique_id: str) -> None:
    """Show the unique id instead of the ARN in every stored document of every account."""
    for role in iam._roles._data.values():
        role["AssumeRolePolicyDocument"] = forget_in_trust_policy(role["AssumeRolePolicyDocument"], arn, unique_id)
    for key, text in list(ecr._repo_policies._data.items()):
        ecr._repo_policies._data[key] = forget_in_repository_policy(text, arn, unique_id)


def _reworded(reply: Reply, account: str, parameters: Mapping[str, str]) -> Reply:
    code, message = error_of(reply[0], reply[2])
    if not code:
        return reply
    return with_message(reply, message, not_found(code, message, account, parameters))
