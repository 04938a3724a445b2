"""Inline and managed identity policies: IAM stores their text as sent (aws-facts 2.2), within quotas (2.3)."""

from collections.abc import Mapping

from local.aws.behaviour.documents import NotAPolicy, parse, size, statements, total_size
from local.aws.behaviour.outcome import Outcome, Refused, Stored
from local.aws.behaviour.world import Owner

LIMITS: Mapping[Owner, int] = {"user": 2048, "role": 10240, "group": 5120}
MANAGED_LIMIT = 6144
PRINCIPAL = Refused("MalformedPolicyDocument", "Policy document should not specify a principal.")
SYNTAX = Refused("MalformedPolicyDocument", "Syntax errors in policy.")


def put_inline_policy(owner: Owner, owner_name: str, name: str, text: str, present: Mapping[str, str]) -> Outcome:
    """What IAM stores for an inline policy in addition to those that its owner already has, or its error.

    Raises nothing: LimitExceeded 409 if the sum of the owner's inline policies is over its quota (aws-facts 2.3).
    """
    problem = _problem(text)
    if problem:
        return problem
    others = (other for key, other in present.items() if key != name)
    limit = LIMITS[owner]
    if size(text) + total_size(others) > limit:
        return Refused("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {owner} {owner_name}", 409)
    return Stored(text)


def put_managed_policy(text: str) -> Outcome:
    """What IAM stores for a managed policy's version, or its error (aws-facts 2.3: 6,144; the text is UNVERIFIED)."""
    problem = _problem(text)
    if problem:
        return problem
    if size(text) > MANAGED_LIMIT:
        return Refused("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED_LIMIT}", 409)
    return Stored(text)


def _problem(text: str) -> Refused | None:
    try:
        found = statements(parse(text))
    except NotAPolicy:
        return SYNTAX
    return PRINCIPAL if any({"Principal", "NotPrincipal"} & one.keys() for one in found) else None
