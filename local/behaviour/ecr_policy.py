"""SetRepositoryPolicy: which text ECR takes, and what it makes of it."""

from local.behaviour.documents import Json, NotAPolicy, Object, parse, pretty, statements, strings
from local.behaviour.outcome import Outcome, Refused, Stored
from local.behaviour.principals import Standing, as_root, aws_principals, shuffled, standing
from local.behaviour.world import World

LIMIT = 10240  # aws-facts 1.1, boto: policyText 0..10240
_ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition")
_VERSIONS = frozenset({"2008-10-17", "2012-10-17"})


def _constraint(what: str) -> Refused:
    # aws-facts 1.3: the frame of both recorded texts.
    return Refused(
        "InvalidParameterException", f"Invalid parameter at 'PolicyText' failed to satisfy constraint: {what}"
    )


INVALID = _constraint("'Invalid repository policy provided'")
GHOST = _constraint("'Principal not found'")
TOO_LONG = _constraint(f"'Member must have length less than or equal to {LIMIT}'")


def set_repository_policy(text: str, world: World) -> Outcome:
    """What ECR stores of a repository policy, or its InvalidParameterException (aws-facts 1.2, 1.3, 1.6)."""
    if len(text) > LIMIT:
        return TOO_LONG
    try:
        document = parse(text)
        found = statements(document)
        if (
            not document.keys() <= {"Version", "Id", "Statement"}
            or document.get("Version", "2008-10-17") not in _VERSIONS
        ):
            return INVALID
        for statement in found:
            if not _well_formed(statement):
                return INVALID
            states = {standing(principal, world) for principal in aws_principals(statement)}
            if Standing.MALFORMED in states:
                return INVALID
            if Standing.MISSING in states:
                return GHOST
    except NotAPolicy:
        return INVALID
    return Stored(spelled(document, found))


def _well_formed(statement: Object) -> bool:
    """No Resource, and actions of ECR alone (aws-facts 1.2: "only ecr:*")."""
    if not statement.keys() <= set(_ELEMENTS) or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    if ("Principal" in statement) == ("NotPrincipal" in statement) or ("Action" in statement) == (
        "NotAction" in statement
    ):
        return False
    actions = strings(statement.get("Action", statement.get("NotAction")))
    return bool(actions) and all(action == "*" or action.lower().startswith("ecr:") for action in actions)


def spelled(document: Object, found: list[Object]) -> str:
    """The text as ECR returns it: pretty, keys in its order, account ids as root ARNs (aws-facts 1.6)."""
    top: Object = {key: document[key] for key in ("Version", "Id") if key in document}
    return pretty({**top, "Statement": [_statement(one) for one in found]})


def _statement(statement: Object) -> Json:
    ordered: Object = {}
    for key in _ELEMENTS:
        if key in statement:
            value = statement[key]
            ordered[key] = _principal(value) if key in ("Principal", "NotPrincipal") else value
    return ordered


def _principal(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    return {kind: shuffled(_rooted(one)) if kind == "AWS" else one for kind, one in value.items()}


def _rooted(value: Json) -> Json:
    if isinstance(value, list):
        roots: list[Json] = [*(as_root(one) for one in strings(value))]
        return roots
    return as_root(value) if isinstance(value, str) else value
