"""AssumeRole: the path in the ARN counts; SourceIdentity and tags need both sides, and go on with the session.

aws-facts 9, 10: sts:SetSourceIdentity or sts:TagSession in the caller's policy AND in the role's trust policy.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from copy import replace
from typing import Any
from urllib.parse import parse_qs

from local.aws.behaviour import sessions
from local.aws.emulator.modules import app, iam, iam_evaluator, responses, router, signature, sts, wrap
from local.aws.emulator.wire import Reply, error, xml_text

_wanted: ContextVar[str] = ContextVar("source_identity", default="")


def _denied(caller: str, action: str, role_arn: str) -> Reply:
    message = f"User: {caller} is not authorized to perform: {action} on resource: {role_arn}"
    return error("sts", "AccessDenied", message, 403)


def source_identity(access_key: str) -> str:
    """The source identity of a session, or nothing."""
    return str((sts._sessions.get(access_key) or {}).get("SourceIdentity") or "")


def _handed_on(access_key: str) -> dict[str, str]:
    """The transitive tags of a session."""
    return dict((sts._sessions.get(access_key) or {}).get("HandedOn") or {})


def _refusal(form: dict[str, str], headers: Any, query: Any, needed: Iterable[str]) -> Reply | None:
    """The refusal that ministack lacks, or None; `needed`: what the session's tags and source identity need."""
    role_arn = form.get("RoleArn", "")
    parts = role_arn.split(":")
    if len(parts) != 6:
        return None
    caller = sts._caller_identity(headers, query)
    if isinstance(caller, iam_evaluator.CredentialResolutionError):
        return None
    role = iam._roles.get_scoped(parts[4], None, role_arn.rsplit("/", 1)[-1])
    if role is None or role["Arn"] != role_arn:
        return _denied(caller["userArn"], "sts:AssumeRole", role_arn)
    refused = sessions.assume_role(form, ":assumed-role/" in caller["userArn"])
    if refused:
        return error("sts", refused.code, refused.message, refused.status)
    key = router.extract_access_key_id(headers, query)
    context = iam_evaluator.EvalContext(
        principal_arn=caller["userArn"],
        principal_type=caller["principalType"],
        principal_account=caller["accountId"],
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=responses.get_region(),
        service_context={"sts:externalid": form.get("ExternalId")},
        principal_keys=caller["principalKeys"],
    )
    for action in needed:
        may = iam_evaluator.enforce(key, action, "sts", responses.get_region(), resource_arn=role_arn) is None
        allowed = iam_evaluator.evaluate_trust_policy(
            role.get("AssumeRolePolicyDocument", "{}"), caller["userArn"], replace(context, action=action)
        )
        refused = sessions.carry(action, caller["userArn"], role_arn, may, bool(allowed))
        if refused:
            return error("sts", refused.code, refused.message, refused.status)
    return None


def install() -> None:
    """Wrap the STS service."""
    original = app.SERVICE_HANDLERS["sts"]
    signature(sts, "_caller_identity", "headers", "query_params")
    signature(iam_evaluator, "evaluate_trust_policy", "trust_doc", "caller_arn", "ctx")
    _answer_source_identity()
    _ask_trust_policy()

    async def handler(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("Action") != "AssumeRole":
            return await original(method, path, headers, body, query)
        own = router.extract_access_key_id(headers, query)
        wanted = form.get("SourceIdentity") or source_identity(own)
        _wanted.set(wanted)
        tags, handed_on = sessions.tags_of(form)
        carried = tags | _handed_on(own)
        needed = (["sts:SetSourceIdentity"] if wanted else []) + (["sts:TagSession"] if carried else [])
        refusal = _refusal(form, headers, query, needed)
        if refusal:
            return refusal
        status, reply_headers, reply = await original(method, path, headers, body, query)
        key = xml_text(reply, "AccessKeyId") if status == 200 else ""
        if key:
            onward = {name: value for name, value in tags.items() if name.lower() in handed_on}
            sts._sessions[key]["HandedOn"] = onward | _handed_on(own)
        if key and wanted:
            sts._sessions[key]["SourceIdentity"] = wanted
            reply = reply.replace(
                b"</AssumeRoleResult>", f"<SourceIdentity>{wanted}</SourceIdentity></AssumeRoleResult>".encode()
            )
        return status, reply_headers, reply

    app.SERVICE_HANDLERS["sts"] = handler


def _answer_source_identity() -> None:
    """aws:SourceIdentity as a condition key of a session's requests."""
    original = signature(iam_evaluator, "_principal_keys", "credential")

    def keys(credential: Any) -> Any:
        found, identity = original(credential), source_identity(credential.access_key_id)
        return {**found, "aws:sourceidentity": identity} if identity else found

    wrap(iam_evaluator, "_principal_keys", "credential")(keys)
    wrap(sts, "_principal_keys", "credential")(keys)


def _ask_trust_policy() -> None:
    """sts:SourceIdentity as a condition key of the trust policy."""
    original = signature(iam_evaluator, "evaluate_trust_policy", "trust_doc", "caller_arn", "ctx")

    def evaluate(trust_doc: Any, caller_arn: str, ctx: Any = None) -> Any:
        if ctx is not None and _wanted.get():
            ctx = replace(ctx, service_context={**ctx.service_context, "sts:sourceidentity": _wanted.get()})
        return original(trust_doc, caller_arn, ctx)

    wrap(iam_evaluator, "evaluate_trust_policy", "trust_doc", "caller_arn", "ctx")(evaluate)
