"""SetRepositoryPolicy: which text ECR accepts, and how it rewrites it."""

from collections.abc import Mapping

from local.aws.behaviour.documents import Json, NotAPolicy, Object, parse, pretty, statements, strings
from local.aws.behaviour.lockout import LOCKED_OUT, locks_out
from local.aws.behaviour.outcome import Outcome, Refused, Stored
from local.aws.behaviour.principals import Standing, as_root, aws_principals, shuffled, standing
from local.aws.behaviour.switches import Ghost, Switches
from local.aws.behaviour.world import World

LIMIT = 10240  # aws-facts 1.1, boto: policyText 0..10240
_ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition")
_TOKEN = "ecr:getauthorizationtoken"  # aws-facts 1.4
_VERSIONS = frozenset({"2008-10-17", "2012-10-17"})


def _constraint(what: str) -> Refused:
    # aws-facts 1.3: the frame of both recorded texts.
    return Refused(
        "InvalidParameterException", f"Invalid parameter at 'PolicyText' failed to satisfy constraint: {what}"
    )


INVALID = _constraint("'Invalid repository policy provided'")
GHOST = _constraint("'Principal not found'")
GHOSTS: Mapping[Ghost, Refused] = {"Principal not found": GHOST, "Invalid repository policy provided": INVALID}
TOO_LONG = _constraint(f"'Member must have length less than or equal to {LIMIT}'")


def set_repository_policy(text: str, world: World, caller: str = "", force: bool = True) -> Outcome:
    """What ECR stores of a repository policy, or its InvalidParameterException (aws-facts 1.2, 1.3, 1.6).

    Without `force` one that locks the caller out, an ARN, is refused (1.1).
    """
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
            if not _well_formed(statement, world.switches):
                return INVALID
            states = {standing(principal, world) for principal in aws_principals(statement)}
            if Standing.MALFORMED in states:
                return INVALID
            if Standing.MISSING in states:
                return GHOSTS[world.switches.ghost]
    except NotAPolicy:
        return INVALID
    if not force and locks_out(found, caller):
        return LOCKED_OUT
    return Stored(spelled(document, found, world.switches.expands_account_ids))


def _well_formed(statement: Object, switches: Switches) -> bool:
    """No Resource, and only actions of ECR (aws-facts 1.2: "only ecr:*")."""
    known = {*_ELEMENTS} if switches.takes_resource else {*_ELEMENTS} - {"Resource"}
    if not statement.keys() <= known or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    if ("Principal" in statement) == ("NotPrincipal" in statement) or ("Action" in statement) == (
        "NotAction" in statement
    ):
        return False
    actions = strings(statement.get("Action", statement.get("NotAction")))
    if not switches.takes_authorization_token and any(action.lower() == _TOKEN for action in actions):
        return False
    return bool(actions) and all(action == "*" or action.lower().startswith("ecr:") for action in actions)


def spelled(document: Object, found: list[Object], expanded: bool = True) -> str:
    """The text as ECR returns it: indented, keys in its order, account IDs as root ARNs (aws-facts 1.6)."""
    top: Object = {key: document[key] for key in ("Version", "Id") if key in document}
    return pretty({**top, "Statement": [_statement(one, expanded) for one in found]})


def _statement(statement: Object, expanded: bool) -> Json:
    ordered: Object = {}
    for key in _ELEMENTS:
        if key in statement:
            value = statement[key]
            ordered[key] = _principal(value, expanded) if key in ("Principal", "NotPrincipal") else value
    return ordered


def _principal(value: Json, expanded: bool) -> Json:
    if not isinstance(value, dict):
        return value
    aws = value.get("AWS")
    return {**value, "AWS": shuffled(_rooted(aws) if expanded else aws)} if "AWS" in value else value


def _rooted(value: Json) -> Json:
    if isinstance(value, list):
        roots: list[Json] = [*(as_root(one) for one in strings(value))]
        return roots
    return as_root(value) if isinstance(value, str) else value
