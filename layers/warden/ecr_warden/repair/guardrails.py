"""Safety rails of planning: changes that are never made, as they would lock ecr-warden out or are not its own."""

from ecr_warden.core.address import OWN_ROLES, Address, AddressKind, role
from ecr_warden.core.desired import MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.observed import Observation, Observed, Present
from ecr_warden.core.own_access import denials_of_own_calls
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RoleTarget
from iam_access.document.document import Document, parse_document, raw_statements


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


def cuts_own_access(change: Change, live: Observed | None = None) -> bool:
    """Whether a change would keep ecr-warden from reading or repairing a target.

    Its own roles are never changed, and no repository policy may deny the calls that repair it, as a Deny for `*` can.
    One that the live policy has too, word for word, takes nothing: with it the policy was read.
    """
    target = change.address.target
    if isinstance(target, RoleTarget) and target.name.lower() in OWN_ROLES:
        return True
    match change:
        case Change(address=Address(kind=AddressKind.REPOSITORY_POLICY), after=Document() as after):
            known = live.value.statements if isinstance(live, Present) and isinstance(live.value, Document) else ()
            return any(after.statements[index] not in known for index in denials_of_own_calls(after, target.account))
        case _:
            return False


def sparing_own_access(policy: Document, account: str) -> Document | MustNotExist:
    """A repository policy without the statements that would keep ecr-warden from repairing it."""
    denials = {*denials_of_own_calls(policy, account)}
    kept = [statement for index, statement in enumerate(raw_statements(policy)) if index not in denials]
    return parse_document({"Version": policy.version, "Statement": kept}) if kept else MustNotExist()
