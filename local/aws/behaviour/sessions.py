"""AssumeRole: the valid parameters, and who may give a session tags and a source identity (aws-facts 2.1, 9, 10)."""

import re
from collections.abc import Mapping

from local.aws.behaviour.outcome import Refused

CHAINED_SECONDS = 3600  # UNVERIFIED in aws-facts 2.1: role chaining caps at an hour
SESSION_POLICY = 2048
_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_IDENTITY = re.compile(r"[\w+=,.@-]{2,256}")
_TAG_KEY = r"Tags\.member\.[0-9]+\.Key"
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")


def _invalid(what: str) -> Refused:
    return Refused("ValidationError", f"1 validation error detected: {what}")


def assume_role(parameters: Mapping[str, str], chained: bool) -> Refused | None:
    """The error of an AssumeRole with parameters that STS rejects, or None; `chained`: a role session calls."""
    seconds = parameters.get("DurationSeconds", "3600")
    if not _NAME.fullmatch(parameters.get("RoleSessionName", "")):
        return _invalid("roleSessionName has 2 to 64 characters of [\\w+=,.@-]")
    if not _IDENTITY.fullmatch(parameters.get("SourceIdentity", "none")):
        return _invalid("sourceIdentity has 2 to 256 characters of [\\w+=,.@-]")
    if not _EXTERNAL_ID.fullmatch(parameters.get("ExternalId", "none")):
        return _invalid("externalId has 2 to 1224 characters of [\\w+=,.@:/-]")
    if not seconds.isdigit() or not 900 <= int(seconds) <= 43200:
        return _invalid("durationSeconds is between 900 and 43200")
    if chained and int(seconds) > CHAINED_SECONDS:
        what = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        return Refused("ValidationError", what)
    if len(parameters.get("Policy", "")) > SESSION_POLICY:
        return _invalid(f"policy has at most {SESSION_POLICY} characters")
    return None


def tags_of(parameters: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags that an AssumeRole asks for, and the keys of those that are handed on, in lower case."""
    keys = {name.split(".")[2]: value for name, value in parameters.items() if re.fullmatch(_TAG_KEY, name)}
    tags = {key: parameters.get(f"Tags.member.{number}.Value", "") for number, key in keys.items()}
    handed_on = [value for name, value in parameters.items() if name.startswith("TransitiveTagKeys.member.")]
    return tags, tuple(map(str.lower, handed_on))


def carry(action: str, caller: str, role: str, caller_may: bool, role_lets: bool) -> Refused | None:
    """Both the caller's policy and the role's trust policy must allow what a session carries (aws-facts 9, 10)."""
    if caller_may and role_lets:
        return None
    message = f"User: {caller} is not authorized to perform: {action} on resource: {role}"
    return Refused("AccessDenied", message, 403)
