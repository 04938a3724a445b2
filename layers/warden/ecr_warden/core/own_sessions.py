"""Which calls ecr-warden's own write sessions made."""

import re

from ecr_warden.core.job import Actor
from iam_access.arn import parse_arn

WRITE_ROLE_PATH = "/ecr-warden/ecr-warden-write"
SESSION_PREFIX = "ecrw-"
_RUN_ID = re.compile(r"[A-Za-z0-9_.-]{1,59}", re.ASCII)  # with the prefix at most 64 characters, as a session name


def session_name(run_id: str) -> str:
    """The RoleSessionName and SourceIdentity of a run's write session."""
    return SESSION_PREFIX + run_id


def is_write_role(actor: Actor, *, account: str) -> bool:
    """Whether a session of that account's write role made the call; without a known run ID it is an intruder."""
    if actor.type != "AssumedRole":
        return False
    issuer = parse_arn(actor.issuer)
    write_role = "iam", account, f"role{WRITE_ROLE_PATH}"
    return issuer is not None and (issuer.service, issuer.account, issuer.resource) == write_role


def run_id_of(actor: Actor, *, account: str) -> str | None:
    """The run ID that a session of the account's write role claims, or None for any other caller.

    This is a claim, not a proof: anyone who may assume the role chooses the session name, so look the run up in the
    journal. A session whose SourceIdentity contradicts its name claims no run.
    """
    if not is_write_role(actor, account=account):
        return None
    if actor.source_identity not in ("", actor.session_name):
        return None
    prefix, run_id = actor.session_name[: len(SESSION_PREFIX)], actor.session_name[len(SESSION_PREFIX) :]
    return run_id if prefix == SESSION_PREFIX and _RUN_ID.fullmatch(run_id) else None
