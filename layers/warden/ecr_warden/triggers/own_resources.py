"""Which calls change what ecr-warden itself works by: its own roles, and the boundary of those that it makes."""

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.triggers.calls import CALLS, Names, Watched
from ecr_warden.triggers.trigger import ApiCall

# No spec may give a role such a name (E116), so it is the stacks', or somebody's who wants it taken for theirs.
_PREFIX = "ecr-warden-"
_POLICIES = "policy/ecr-warden/"
# A tag gives no access to these roles, and organizations tag whatever there is.
_HARMLESS = frozenset({"TagRole", "UntagRole"})


def own_resource(call: ApiCall) -> str:
    """What of ecr-warden's own a call has changed, `role ecr-warden-read`; empty for all other calls.

    IAM's names are unique whatever their case, so it does not count.
    """
    row = CALLS[call.service].get(call.name)
    if call.error or call.name in _HARMLESS or not isinstance(row, Watched):
        return ""
    match row.names:
        case Names.ROLE if call.parameters.role.lower().startswith(_PREFIX):
            return f"role {call.parameters.role}"
        case Names.POLICY:
            return _own_policy(call)
        case _:
            return ""


def _own_policy(call: ApiCall) -> str:
    try:
        arn = parse_arn(call.parameters.policy)
    except ArnError:
        return ""
    of_account = arn.service == "iam" and arn.account == call.account
    return f"policy {arn.name}" if of_account and arn.resource.lower().startswith(_POLICIES) else ""
