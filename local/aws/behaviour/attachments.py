"""The quota of managed policies on a role or user (aws-facts 2.3, the default)."""

from collections.abc import Collection

from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.world import Owner

LIMIT = 10


def attach(owner: Owner, policy: str, present: Collection[str]) -> Refused | None:
    """The error for one attachment too many, or None. The text is UNVERIFIED."""
    if policy in present or len(present) < LIMIT:
        return None
    return Refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{owner.capitalize()}: {LIMIT}", 409)
