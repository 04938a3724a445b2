"""CreateRole and UpdateAssumeRolePolicy: which trust policy IAM accepts, and how it rewrites it."""

import re

from local.aws.behaviour.documents import Json, NotAPolicy, Object, compact, parse, size, statements, strings
from local.aws.behaviour.outcome import Outcome, Refused, Stored
from local.aws.behaviour.principals import Standing, aws_principals, shuffled, standing
from local.aws.behaviour.world import World

LIMIT = 2048  # aws-facts 2.3, the default
_STS = re.compile(r"sts:(AssumeRole\w*|TagSession|SetSourceIdentity|SetContext|[\w?]*\*)", re.IGNORECASE)


def _malformed(message: str) -> Refused:
    return Refused("MalformedPolicyDocument", message)


# aws-facts 2.1: recorded 2026-02-11.
INVALID_JSON = _malformed("This policy contains invalid Json")
FOREIGN_ACTION = _malformed("AssumeRole policy may only specify STS AssumeRole actions.")
RESOURCE = _malformed("Has prohibited field Resource")
TOO_LONG = Refused("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {LIMIT}", 409)  # text UNVERIFIED (2.3)


def set_trust_policy(text: str, world: World) -> Outcome:
    """What IAM stores of a trust policy, or its error (aws-facts 2.1, 2.3)."""
    try:
        document = parse(text)
        found = statements(document)
        for statement in found:
            if "Resource" in statement or "NotResource" in statement:
                return RESOURCE
            actions = strings(statement.get("Action", statement.get("NotAction")))
            if not all(_STS.fullmatch(action) for action in actions):
                return FOREIGN_ACTION
            for principal in aws_principals(statement):
                if standing(principal, world) is not Standing.FINE:
                    return invalid_principal(principal)
    except NotAPolicy:
        return INVALID_JSON
    if size(text) > LIMIT:
        return TOO_LONG
    single = not isinstance(document["Statement"], list)
    normal = [_statement(one) for one in found]
    return Stored(compact({**document, "Statement": normal[0] if single else [*normal]}))


def invalid_principal(principal: str) -> Refused:
    """IAM's error for a principal that does not exist or contains a wildcard (aws-facts 2.1, tf#8905)."""
    return _malformed(f'Invalid principal in policy: "AWS":"{principal}"')


def _statement(statement: Object) -> Object:
    """Lists and condition keys in IAM's own order (aws-facts 2.1: aws-controllers-k8s/community#2875)."""
    normal: Object = {}
    for key, value in statement.items():
        match value:
            case dict() if key == "Principal":
                normal[key] = {kind: shuffled(one) for kind, one in value.items()}
            case dict() if key == "Condition":
                normal[key] = _sorted(value)
            case list() if key in ("Action", "NotAction"):
                normal[key] = shuffled(value)
            case _:
                normal[key] = value
    return normal


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
