"""SetRepositoryPolicy's lock-out check: a policy that would prevent the next call needs `force` (aws-facts 1.1)."""

from fnmatch import fnmatchcase

from local.aws.behaviour.documents import Object, strings
from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.principals import as_root

_ACTION = "ecr:setrepositorypolicy"
# UNVERIFIED: [boto] describes the guard, no recorded text of it was found. The frame is that of ECR's other refusals.
LOCKED_OUT = Refused(
    "InvalidParameterException",
    "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
    "'The policy would prevent you from setting another policy in the future; set force to override'",
)


def locks_out(statements: list[Object], caller: str) -> bool:
    """Whether a policy denies the caller with this ARN the next SetRepositoryPolicy, whatever the request."""
    return any(
        one.get("Effect") == "Deny" and not one.get("Condition") and _is_meant(one, caller) and _covers(one)
        for one in statements
    )


def _covers(statement: Object) -> bool:
    patterns = [pattern.lower() for pattern in strings(statement.get("Action", statement.get("NotAction")))]
    named = any(fnmatchcase(_ACTION, pattern) for pattern in patterns)
    return named is ("Action" in statement)


def _is_meant(statement: Object, caller: str) -> bool:
    value = statement.get("Principal", statement.get("NotPrincipal"))
    given = strings(value["AWS"]) if isinstance(value, dict) and "AWS" in value else [] if value != "*" else ["*"]
    names = {"*", *_names(caller)}
    return any(as_root(one) in names for one in given) is ("Principal" in statement)


def _names(caller: str) -> list[str]:
    """The principals by which a policy may name the caller: itself, the role behind its session, its account."""
    parts = caller.split(":")
    account = parts[4] if len(parts) > 4 else ""
    found = [caller, f"arn:aws:iam::{account}:root"]
    if ":assumed-role/" in caller:
        found.append(f"arn:aws:iam::{account}:role/{caller.split('/')[1]}")
    return found
