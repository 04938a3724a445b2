"""Principals as ECR and IAM store them: they must exist, must not contain a wildcard, and return in another order."""

import hashlib
import re
from enum import Enum

from local.aws.behaviour.documents import Json, NotAPolicy, Object, strings
from local.aws.behaviour.world import World

_ACCOUNT = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:root")
_NAMED = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/[\w+=,.@/-]+")
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+")
_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class Standing(Enum):
    """The result of a service's look-up of an AWS principal."""

    FINE = "fine"
    MALFORMED = "malformed"
    MISSING = "missing"


def standing(principal: str, world: World) -> Standing:
    """Whether a service accepts this AWS principal.

    A wildcard inside an ARN is malformed (aws-facts 1.2, 2.1); a user or role must exist (1.3, 2.1); a unique id
    cannot be sent back (1.6). The root of any account passes: the emulator knows no list of accounts.
    """
    if principal == "*" or _ACCOUNT.fullmatch(principal) or _ROOT.fullmatch(principal):
        return Standing.FINE
    if _NAMED.fullmatch(principal):
        return Standing.FINE if world.unique_id(principal) else Standing.MISSING
    session = _SESSION.fullmatch(principal)
    if session:
        return Standing.FINE if world.has_role(session[1], session[2]) else Standing.MISSING
    return Standing.MISSING if re.fullmatch(r"A(IDA|ROA)[A-Z0-9]+", principal) else Standing.MALFORMED


def aws_principals(statement: Object) -> list[str]:
    """The AWS principals of a statement; `"*"` counts as one. Raises NotAPolicy for an element of an unknown form."""
    found: list[str] = []
    for element in ("Principal", "NotPrincipal"):
        value = statement.get(element)
        match value:
            case None | "*":
                continue
            case dict() if value and value.keys() <= _KINDS:
                for one in value.values():
                    strings(one)
                found += strings(value["AWS"]) if "AWS" in value else []
            case _:
                raise NotAPolicy(f"{element} is neither * nor an object of known kinds")
    return found


def as_root(principal: str) -> str:
    """The root ARN for an account ID (aws-facts 1.6, crossplane-contrib/provider-aws#700)."""
    return f"arn:aws:iam::{principal}:root" if _ACCOUNT.fullmatch(principal) else principal


def shuffled(value: Json) -> Json:
    """A list of strings in the service's own order (aws-facts 1.6, 2.1); a scalar stays one.

    The real order is unknown. By digest it is steady, so that writing what was read changes nothing, and it is
    hardly ever the order that somebody sent.
    """
    if not isinstance(value, list):
        return value
    texts: list[Json] = [*sorted(strings(value), key=lambda text: hashlib.sha256(text.encode()).digest())]
    return texts
