"""The caller: the principal of an access key, and how CloudTrail records it (aws-facts 4.2)."""

import time
from dataclasses import dataclass
from typing import Any

from local.aws.emulator.bridges.assume_role import source_identity
from local.aws.emulator.bridges.principal_arn import role_of_session
from local.aws.emulator.modules import iam, iam_evaluator, responses, sts


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a call; `user_identity` is CloudTrail's element."""

    account: str
    arn: str
    source_identity: str
    user_identity: dict[str, Any]


def account_of(access_key: str) -> str:
    """The account of an access key: 12 digits name it, sessions and users belong to one; otherwise ""."""
    if len(access_key) == 12 and access_key.isdigit():
        return access_key
    session = responses._account_from_sts_session(access_key)
    return str(session or iam_evaluator.find_iam_access_key_account(access_key) or "")


def caller(access_key: str) -> Caller:
    """The caller behind an access key; a caller without an account for an unknown key."""
    account = account_of(access_key)
    found: Any = iam_evaluator.resolve_credential(access_key, account) if account else None
    if found is None or isinstance(found, iam_evaluator.CredentialResolutionError):
        return Caller(account, "", "", {"type": "Unknown", "accessKeyId": access_key})
    base = {"accountId": account, "accessKeyId": access_key, "arn": found.principal_arn}
    match found.principal_type:
        case "Root":
            user = {"type": "Root", "principalId": account, **base}
        case "User":
            user = {"type": "IAMUser", "principalId": found.principal_id, **base, "userName": found.principal_name}
        case _:
            user = {"type": found.principal_type, **base, **_session(access_key, found.principal_arn)}
    return Caller(account, found.principal_arn, source_identity(access_key), user)


def _session(access_key: str, arn: str) -> dict[str, Any]:
    """What CloudTrail adds for a role session: its issuer is the role, path included."""
    role_arn = role_of_session(arn)
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role: Any = iam._roles.get_scoped(account, None, name) or {}
    session = sts._sessions[access_key]
    issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.get("IssuedAt", 0)))
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role.get("RoleId", ""),
            "arn": role_arn,
            "accountId": account,
            "userName": name,
        },
        "webIdFederationData": {},
        "attributes": {"creationDate": issued, "mfaAuthenticated": "false"},
    }
    if session.get("SourceIdentity"):
        context["sourceIdentity"] = session["SourceIdentity"]
    return {"principalId": f"{role.get('RoleId', '')}:{arn.rsplit('/', 1)[-1]}", "sessionContext": context}
