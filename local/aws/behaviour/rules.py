"""The table of rules by call. An emulator only needs to know this module.

A rule is asked after authorization and before the emulator's own handler. To add one: a pure function in a module
beside this, a row here, a test.
"""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass

from local.aws.behaviour.attachments import attach
from local.aws.behaviour.ecr_policy import set_repository_policy
from local.aws.behaviour.identity_policy import put_inline_policy, put_managed_policy
from local.aws.behaviour.outcome import Outcome, Refused, Stored
from local.aws.behaviour.trust_policy import set_trust_policy
from local.aws.behaviour.world import Owner, World


@dataclass(frozen=True, slots=True)
class Request:
    """A call with its text parameters under the API's own names; `flags` are the booleans that are true.

    `account` is whose resource it is, `caller` the ARN of who calls.
    """

    service: str
    action: str
    account: str
    region: str
    parameters: Mapping[str, str]
    caller: str = ""
    flags: frozenset[str] = frozenset()


type Rule = Callable[[Request, World], Request | Refused]


def applied(request: Request, world: World) -> Request | Refused:
    """The request as the service receives it, with its document rewritten, or AWS's error."""
    rule = RULES.get((request.service, request.action))
    return request if rule is None else rule(request, world)


def _with(request: Request, parameter: str, outcome: Outcome) -> Request | Refused:
    match outcome:
        case Refused():
            return outcome
        case Stored(text):
            return replace(request, parameters={**request.parameters, parameter: text})


def _repository_policy(request: Request, world: World) -> Request | Refused:
    if not world.has_repository(request.account, request.region, request.parameters.get("repositoryName", "")):
        return request  # the handler's own error comes first
    text, force = request.parameters.get("policyText", ""), "force" in request.flags
    return _with(request, "policyText", set_repository_policy(text, world, request.caller, force))


def _trust_policy(parameter: str) -> Rule:
    def rule(request: Request, world: World) -> Request | Refused:
        exists = world.has_role(request.account, request.parameters.get("RoleName", ""))
        if exists is (request.action == "CreateRole"):
            return request
        return _with(request, parameter, set_trust_policy(request.parameters.get(parameter, ""), world))

    return rule


def _inline_policy(owner: Owner) -> Rule:
    def rule(request: Request, world: World) -> Request | Refused:
        name = request.parameters.get(f"{owner.capitalize()}Name", "")
        present = world.inline_policies(request.account, owner, name)
        if present is None:
            return request
        policy, text = request.parameters.get("PolicyName", ""), request.parameters.get("PolicyDocument", "")
        return _with(request, "PolicyDocument", put_inline_policy(owner, name, policy, text, present))

    return rule


def _attachment(owner: Owner) -> Rule:
    def rule(request: Request, world: World) -> Request | Refused:
        present = world.attached_policies(
            request.account, owner, request.parameters.get(f"{owner.capitalize()}Name", "")
        )
        return attach(owner, request.parameters.get("PolicyArn", ""), present) or request

    return rule


def _managed_policy(request: Request, world: World) -> Request | Refused:
    del world
    return _with(request, "PolicyDocument", put_managed_policy(request.parameters.get("PolicyDocument", "")))


def _delete_user(request: Request, world: World) -> Request | Refused:
    """A user's inline policies must be deleted first ([iamdoc] id_users_manage: "must delete policies first")."""
    if world.inline_policies(request.account, "user", request.parameters.get("UserName", "")):
        return Refused("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
    return request


RULES: Mapping[tuple[str, str], Rule] = {
    ("ecr", "SetRepositoryPolicy"): _repository_policy,
    ("iam", "CreateRole"): _trust_policy("AssumeRolePolicyDocument"),
    ("iam", "UpdateAssumeRolePolicy"): _trust_policy("PolicyDocument"),
    ("iam", "PutUserPolicy"): _inline_policy("user"),
    ("iam", "PutRolePolicy"): _inline_policy("role"),
    ("iam", "PutGroupPolicy"): _inline_policy("group"),
    ("iam", "AttachUserPolicy"): _attachment("user"),
    ("iam", "AttachRolePolicy"): _attachment("role"),
    ("iam", "DeleteUser"): _delete_user,
    ("iam", "CreatePolicy"): _managed_policy,
    ("iam", "CreatePolicyVersion"): _managed_policy,
}
