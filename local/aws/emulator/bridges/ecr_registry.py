"""ECR in another account's registry: `registryId` chooses it, and BOTH sides must allow (aws-facts 1.7).

ministack works on the caller's own registry whatever registryId says, so a cross-account pull could not be shown.
"""

import json
from typing import Any

from local.aws.emulator.modules import ecr, iam_actions, iam_evaluator, responses, signature, wrap

_PARAMETERS = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")


def registry(body: bytes) -> str:
    """The registry that a call names, or ""."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return ""
    value = found.get("registryId") if isinstance(found, dict) else None
    return value if isinstance(value, str) and len(value) == 12 and value.isdigit() else ""


def _policy(resource_arn: str) -> tuple[str, str] | None:
    """The policy and owner of the repository with this ARN, in any account."""
    parts = resource_arn.split(":", 5)
    name = parts[5].removeprefix("repository/")
    if ecr._repositories.get_scoped(parts[4], parts[3], name) is None:
        # Nothing to be said across accounts about what is not there: the caller is refused, as on AWS.
        return None if parts[4] == responses.get_account_id() else ("", parts[4])
    return ecr._repo_policies.get_scoped(parts[4], parts[3], name) or "", parts[4]


def install() -> None:
    """Wrap the ARN on which ECR calls are authorized, and the lookup of its policy."""
    original = signature(iam_actions, "extract_resource_arn", *_PARAMETERS)
    wrap(ecr, "repository_policy_for_arn", "resource_arn")(_policy)
    signature(iam_evaluator, "_resource_policy", "service", "resource_arn")

    def extract(*arguments: Any) -> Any:
        service, body = arguments[0], arguments[4]
        owner = registry(body) if service == "ecr" else ""
        return original(*arguments[:7], owner) if owner else original(*arguments)

    wrap(iam_actions, "extract_resource_arn", *_PARAMETERS)(extract)
