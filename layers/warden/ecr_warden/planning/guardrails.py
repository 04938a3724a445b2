"""Plans that are not carried out, whoever asks."""

from ecr_warden.model.address import AddressKind, role
from ecr_warden.model.desired import RoleSettings, TargetSpec
from ecr_warden.model.observed import Observation, Present
from ecr_warden.model.plan import Change
from ecr_warden.model.target import RoleTarget
from ecr_warden.policy.document import Document, Effect, Statement
from ecr_warden.policy.pattern import patterns_meet
from ecr_warden.policy.principal import Principal

OWN_ROLES = frozenset({"ecr-warden-read", "ecr-warden-write", "ecr-warden-forward"})
"""The roles that the member stack makes: ecr-warden works through them and never changes them."""

_OWN_ACTIONS = (
    "ecr:describerepositories",
    "ecr:getrepositorypolicy",
    "ecr:setrepositorypolicy",
    "ecr:deleterepositorypolicy",
)


def is_not_ours(spec: TargetSpec, observation: Observation) -> bool:
    """Whether a role of the desired name exists under another path, hence was made by somebody else."""
    if not isinstance(spec.target, RoleTarget):
        return False
    address = role(spec.target)
    match spec.documents.get(address), observation.documents.get(address):
        case RoleSettings(path=wanted), Present(RoleSettings(path=found)):
            return found != wanted
        case _:
            return False


def cuts_own_access(change: Change) -> bool:
    """Whether a change would keep ecr-warden from reading or repairing what it keeps.

    Its own roles are never changed, and no repository policy may deny what repairs it (a Deny for everybody, say).
    """
    target = change.address.target
    if isinstance(target, RoleTarget) and target.name.lower() in OWN_ROLES:
        return True
    if change.address.kind is not AddressKind.REPOSITORY_POLICY or not isinstance(change.after, Document):
        return False
    return any(
        statement.effect is Effect.DENY
        and _reaches_own_actions(statement)
        and _reaches_own_roles(statement, target.account)
        for statement in change.after.statements
    )


def _reaches_own_actions(statement: Statement) -> bool:
    listed = [
        any(patterns_meet(value.lower(), action) for value in statement.actions.values) for action in _OWN_ACTIONS
    ]
    return not all(listed) if statement.actions.negated else any(listed)


def _reaches_own_roles(statement: Statement, account: str) -> bool:
    """When in doubt it does: a condition may hold, a NotPrincipal may leave the roles in."""
    principals = statement.principals
    return principals is None or principals.negated or any(_is_own(value, account) for value in principals.values)


def _is_own(principal: Principal, account: str) -> bool:
    if principal.kind != "AWS":
        return False
    value = principal.value
    if value in ("*", account) or value.endswith(f":{account}:root"):
        return True
    return f":{account}:" in value and any(name in value.lower() for name in OWN_ROLES)
