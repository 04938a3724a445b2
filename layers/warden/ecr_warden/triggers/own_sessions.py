"""Which calls claim to be ecr-warden's own."""

import re

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.model.job import Actor

WRITE_ROLE_PATH = "/ecr-warden/ecr-warden-write"
SESSION_PREFIX = "ecrw-"
_RUN_ID = re.compile(r"[A-Za-z0-9_.-]{1,59}", re.ASCII)  # with the prefix at most 64 characters, as a session name


def session_name(run_id: str) -> str:
    """The RoleSessionName and SourceIdentity of a run's write session."""
    return SESSION_PREFIX + run_id


def is_write_role(actor: Actor, *, account: str) -> bool:
    """Whether the call came through the write role of that account: ours if its run id is known, else an intruder."""
    if actor.type != "AssumedRole":
        return False
    try:
        issuer = parse_arn(actor.issuer)
    except ArnError:
        return False
    return (issuer.service, issuer.account, issuer.resource) == ("iam", account, f"role{WRITE_ROLE_PATH}")


def run_id_of(actor: Actor, *, account: str) -> str | None:
    """The run id that a session of the write role claims, None when the call is no such session's.

    A claim and no proof: whoever may assume the role chooses the session's name, so the caller looks the run up in
    the journal. `account`: the member account the role has to be of. A SourceIdentity that contradicts the session's
    name makes it nobody's run.
    """
    if not is_write_role(actor, account=account):
        return None
    if actor.source_identity not in ("", actor.session_name):
        return None
    prefix, run_id = actor.session_name[: len(SESSION_PREFIX)], actor.session_name[len(SESSION_PREFIX) :]
    return run_id if prefix == SESSION_PREFIX and _RUN_ID.fullmatch(run_id) else None
