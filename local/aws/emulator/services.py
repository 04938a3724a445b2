"""The behaviour rules in front of ministack's ECR and IAM: after authorization, before the handler."""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode
from uuid import uuid4

from local.aws.behaviour.deletion import forget_in_repository_policy, forget_in_trust_policy, unsettled_trust_policy
from local.aws.behaviour.front import Front
from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.registries import SCOPE, Registries
from local.aws.behaviour.rules import Request
from local.aws.behaviour.texts import not_found
from local.aws.emulator import pages
from local.aws.emulator.bridges import ecr_registry
from local.aws.emulator.modules import app, ecr, iam, iam_evaluator, responses, router
from local.aws.emulator.wire import Reply, error, error_of, with_message
from local.aws.emulator.world import MinistackWorld

_REGISTRIES = Registries()
_DELETIONS = {"DeleteUser": ("user", "UserName"), "DeleteRole": ("role", "RoleName")}
_TRUST = re.compile(rb"(?<=<AssumeRolePolicyDocument>)[^<]*")
_SHOW_TRUST = frozenset({"GetRole", "ListRoles", "GetAccountAuthorizationDetails"})


def install(world: MinistackWorld) -> None:
    """Wrap both services."""
    front = Front[Reply](world, time.monotonic)
    app.SERVICE_HANDLERS["ecr"] = _ecr(app.SERVICE_HANDLERS["ecr"], front)
    app.SERVICE_HANDLERS["iam"] = _iam(app.SERVICE_HANDLERS["iam"], front, world)


def _refused(service: str, refused: Refused) -> Reply:
    return error(service, refused.code, refused.message, refused.status)


def _json(answer: Mapping[str, Any]) -> Reply:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-requestid": str(uuid4())}
    return 200, headers, json.dumps(answer).encode()


def _ecr(original: Callable[..., Any], front: Front[Reply]) -> Callable[..., Any]:
    async def handler(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        owner, region = ecr_registry.registry(body) or responses.get_account_id(), responses.get_region()
        target = headers.get("x-amz-target", "")
        action = target.rsplit(".", 1)[-1]
        parameters: dict[str, Any] = json.loads(body or b"{}")
        caller = iam_evaluator.caller_arn()
        if owner != responses.get_account_id() and not _opened(owner, region, action, parameters):
            message = f"User: {caller} is not authorized to perform: ecr:{action} in the registry of {owner}"
            return error("ecr", "AccessDeniedException", message, 400)

        async def ask(name: str, sent: Mapping[str, Any]) -> Reply:
            named = {**headers, "x-amz-target": f"{target.rsplit('.', 1)[0]}.{name}"}
            reply: Reply = await original(method, path, named, json.dumps(sent).encode(), query)
            return _reworded(reply, owner, {key: one for key, one in sent.items() if isinstance(one, str)})

        with responses.request_scope(owner, region):
            texts = {name: value for name, value in parameters.items() if isinstance(value, str)}
            flags = frozenset(name for name, value in parameters.items() if value is True)
            request = Request("ecr", action, owner, region, texts, caller, flags)
            verdict = pages.refusal(f"ecr:{action}", parameters) or front.enter(request)
            if isinstance(verdict, Refused):
                return _refused("ecr", verdict)
            answer = _REGISTRIES.answer(owner, region, action, parameters)
            if answer is not None:
                return _refused("ecr", answer) if isinstance(answer, Refused) else _json(answer)
            late = front.late(request)
            if late is not None:
                return late
            before = [(read, await ask(read.action, read.parameters)) for read in front.shown_late(request)]
            sent = pages.unpaged(f"ecr:{action}", {**parameters, **verdict.parameters})
            reply = await ask(action, sent)
            _note(front, reply, before)
            return pages.page(f"ecr:{action}", parameters, reply, front.world.switches.short_pages)

    return handler


def _note(front: Front[Reply], reply: Reply, before: list[tuple[Request, Reply]]) -> None:
    for read, shown in before if reply[0] < 400 else ():
        front.wrote(read, shown)


def _opened(owner: str, region: str, action: str, parameters: Mapping[str, Any]) -> bool:
    """Whether another account's repository or registry policy lets the caller in; its own policies were checked before.

    With the scope V1, a registry policy governs only the registry's own actions.
    """
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
    registry = _REGISTRIES.of(owner, region)
    over_all = registry.policy if registry.settings.get(SCOPE, "V2") == "V2" else None
    policies = [one for one in (ecr._repo_policies.get_scoped(owner, region, name), over_all) if one]
    decisions = {iam_evaluator.evaluate_resource_policy(policy, context).decision for policy in policies}
    return "Allow" in decisions and "Deny" not in decisions


def _iam(original: Callable[..., Any], front: Front[Reply], world: MinistackWorld) -> Callable[..., Any]:
    async def handler(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        account, region = str(responses.get_account_id()), str(responses.get_region())
        form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = form.get("Action", "")

        async def ask(sent: bytes) -> Reply:
            reply: Reply = await original(method, path, headers, sent, query)
            return reply

        request = Request("iam", action, account, region, form, iam_evaluator.caller_arn())
        untagged = _may_not_tag(headers, query, action, account, form)
        verdict = untagged or pages.refusal(f"iam:{action}", form) or front.enter(request)
        if isinstance(verdict, Refused):
            return _refused("iam", verdict)
        late = front.late(request)
        if late is not None:
            return late
        before = [
            (read, await ask(urlencode({**read.parameters, "Action": read.action, "Version": "2010-05-08"}).encode()))
            for read in front.shown_late(request)
        ]
        gone = _identity(action, account, form)
        reply = await ask(urlencode(verdict.parameters).encode() if verdict.parameters is not form else body)
        _note(front, reply, before)
        if gone and reply[0] == 200:
            _forget(*gone)
        if action in _SHOW_TRUST and world.switches.raw_ids:
            reply = _unsettled(reply, world.fresh())
        shown = pages.page(f"iam:{action}", form, reply, world.switches.short_pages)
        return _reworded(shown, account, form)

    return handler


def _may_not_tag(headers: Any, query: Any, action: str, account: str, form: Mapping[str, str]) -> Refused | None:
    """CreateRole with tags requires iam:TagRole too (Service Authorization Reference, IAM: dependent actions)."""
    if action != "CreateRole" or "Tags.member.1.Key" not in form:
        return None
    arn = f"arn:aws:iam::{account}:role{form.get('Path', '/')}{form.get('RoleName', '')}"
    key = router.extract_access_key_id(headers, query)
    if iam_evaluator.enforce(key, "iam:TagRole", "iam", responses.get_region(), resource_arn=arn) is None:
        return None
    message = f"User: {iam_evaluator.caller_arn()} is not authorized to perform: iam:TagRole on resource: {arn}"
    return Refused("AccessDenied", message, 403)


def _unsettled(reply: Reply, fresh: Mapping[str, str]) -> Reply:
    """The reply with the unique ids of new principals in its trust policies."""

    def shown(found: re.Match[bytes]) -> bytes:
        return quote(unsettled_trust_policy(unquote(found[0].decode()), fresh), safe="").encode()

    return reply[0], reply[1], _TRUST.sub(shown, reply[2])


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
