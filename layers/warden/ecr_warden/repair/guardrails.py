"""Safety rails of planning: changes that are never made, and documents on which the policy engine fails."""

from collections.abc import Callable
from copy import replace

from ecr_warden.core.address import OWN_ROLES, Address, AddressKind, role
from ecr_warden.core.desired import RoleSettings, TargetSpec
from ecr_warden.core.observed import Observation, Observed, Present, Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RoleTarget
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.pattern import patterns_meet
from iam_access.document.principal import Principal
from iam_access.errors import site_of

_OWN_ACTIONS = (
    "ecr:describerepositories",
    "ecr:getrepositorypolicy",
    "ecr:setrepositorypolicy",
    "ecr:deleterepositorypolicy",
)


def is_not_ours(spec: TargetSpec, observation: Observation) -> bool:
    """Whether a role of the desired name exists under another path, so that ecr-warden did not create it."""
    if not isinstance(spec.target, RoleTarget):
        return False
    address = role(spec.target)
    match spec.documents.get(address), observation.documents.get(address):
        case RoleSettings(path=wanted), Present(RoleSettings(path=found)):
            return found != wanted
        case _:
            return False


def cuts_own_access(change: Change) -> bool:
    """Whether a change would keep ecr-warden from reading or repairing a target.

    Its own roles are never changed, and no repository policy may deny the calls that repair it, as a Deny for `*` can.
    """
    target = change.address.target
    if isinstance(target, RoleTarget) and target.name.lower() in OWN_ROLES:
        return True
    if change.address.kind is not AddressKind.REPOSITORY_POLICY or not isinstance(change.after, Document):
        return False
    return any(
        statement.effect is Effect.DENY
        and not _is_for_plain_http(statement)
        and _reaches_own_actions(statement)
        and _reaches_own_roles(statement, target.account)
        for statement in change.after.statements
    )


def _is_for_plain_http(statement: Statement) -> bool:
    """Whether a condition holds for no request over TLS, as all calls of ecr-warden are; doubt counts as no."""
    return any(
        clause.operator in ("Bool", "BoolIfExists")
        and clause.key.lower() == "aws:securetransport"
        and {value.lower() for value in clause.values} == {"false"}
        for clause in statement.conditions
    )


def _reaches_own_actions(statement: Statement) -> bool:
    listed = [
        any(patterns_meet(value.lower(), action) for value in statement.actions.values) for action in _OWN_ACTIONS
    ]
    return not all(listed) if statement.actions.negated else any(listed)


def _reaches_own_roles(statement: Statement, account: str) -> bool:
    """Doubt counts as yes: a condition may hold, and a NotPrincipal may not exclude the roles."""
    principals = statement.principals
    return principals is None or principals.negated or any(_is_own(value, account) for value in principals.values)


def _is_own(principal: Principal, account: str) -> bool:
    if principal.kind != "AWS":
        return False
    value = principal.value
    if value in ("*", account) or value.endswith(f":{account}:root"):
        return True
    return f":{account}:" in value and any(name in value.lower() for name in OWN_ROLES)


def decided[T](decide: Callable[[Observation], T], observation: Observation) -> T:
    """The decision on an observation; a document on which it fails counts as unparseable.

    An attacker may choose a document's text, and no test has seen all texts: an error in the policy engine must not
    keep the document from being repaired. So it counts as differing and is replaced whole. Raises the error that
    `decide` raises without any live document, because then none of them causes it.
    """
    try:
        return decide(observation)
    except Exception as error:
        reason = f"ecr-warden failed to interpret it ({site_of(error)})"
        unparseable: dict[Address, Observed] = {
            address: Unparseable(reason, seen.value.text, seen.digest)
            for address, seen in observation.documents.items()
            if isinstance(seen, Present) and isinstance(seen.value, Document)
        }
        one_by_one = [{address: one} for address, one in unparseable.items()] if len(unparseable) > 1 else []
        for replaced in (*one_by_one, unparseable):
            try:
                return decide(replace(observation, documents={**observation.documents, **replaced}))
            except Exception:  # noqa: S112 - it is not this document, or not this one alone
                continue
        raise
