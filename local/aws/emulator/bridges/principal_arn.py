"""aws:PrincipalArn of a role session is the role's ARN with its path, not the session's ([iamdoc] condition keys)."""

from typing import Any

from local.aws.emulator.modules import iam, iam_evaluator, signature, wrap


def role_of_session(session_arn: str) -> str:
    """The ARN, path included, of the role behind an assumed-role ARN; the argument itself if it is none."""
    account, _, resource = session_arn.partition(":sts::")[2].partition(":")
    parts = resource.split("/")
    if len(parts) != 3 or parts[0] != "assumed-role":
        return session_arn
    role = iam._roles.get_scoped(account, None, parts[1])
    return str(role["Arn"]) if role else f"arn:aws:iam::{account}:role/{parts[1]}"


def install() -> None:
    """Wrap the lookup of global condition keys."""
    original = signature(iam_evaluator, "_resolve_condition_key", "key", "ctx")

    def resolve(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return role_of_session(ctx.principal_arn)
        return original(key, ctx)

    wrap(iam_evaluator, "_resolve_condition_key", "key", "ctx")(resolve)
