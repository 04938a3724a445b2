"""What the organization says: service control policies of the principal's account, resource control policies of the
resource's.

Every level must allow. RCPFullAWSAccess hangs on every level and cannot be taken off, so a level of resource control
policies without any Allow has it.
Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html,
.../orgs_manage_policies_scps.html (tasks not restricted: service-linked roles), .../orgs_manage_policies_rcps.html
"""

from ecr_warden.policy.document import Document, Effect
from ecr_warden.policy.evaluate.findings import find_in_levels
from ecr_warden.policy.evaluate.policies import Levels, Policies
from ecr_warden.policy.request import Request
from ecr_warden.policy.request_principal import SERVICE_LINKED_NAME, CallerKind
from ecr_warden.policy.statement_match import Reason

_SERVICE_CONTROL = "serviceControlPolicies"
_RESOURCE_CONTROL = "resourceControlPolicies"
_SERVICE_LINKED_PATH = ":role/aws-service-role/"
_CONTROLLED = (
    *(CallerKind.ROOT, CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION),
    CallerKind.FEDERATED_USER,
)


def organization_denies(request: Request, policies: Policies) -> tuple[Reason, ...]:
    """The Deny statements of the organization that match."""
    return tuple(
        match.reason
        for name, levels in _levels(request, policies)
        for found in find_in_levels(levels, name, request)
        for match in found.denies
    )


def organization_lacks(request: Request, policies: Policies) -> tuple[Reason, ...]:
    """The levels that do not allow."""
    return tuple(
        Reason(f"{name}[{index}]", f"{name}[{index}]: no statement of this level allows {request.action}")
        for name, levels in _levels(request, policies)
        for index, (level, found) in enumerate(zip(levels, find_in_levels(levels, name, request), strict=True))
        if not found.allows and (name == _SERVICE_CONTROL or _has_allow(level))
    )


def is_service_linked(request: Request) -> bool:
    """Is the principal a service-linked role, which no policy of the organization restricts?"""
    principal = request.principal
    if principal.kind is CallerKind.ROLE:
        return _SERVICE_LINKED_PATH in principal.text
    if principal.kind is not CallerKind.SESSION:
        return False
    role = request.context.get("aws:principalarn", ())
    return principal.name.startswith(SERVICE_LINKED_NAME) or any(_SERVICE_LINKED_PATH in arn for arn in role)


def _levels(request: Request, policies: Policies) -> tuple[tuple[str, Levels], ...]:
    if is_service_linked(request):
        return ()
    service_control = policies.service_control if request.principal.kind in _CONTROLLED else ()
    return ((_SERVICE_CONTROL, service_control), (_RESOURCE_CONTROL, policies.resource_control))


def _has_allow(level: tuple[Document, ...]) -> bool:
    return any(statement.effect is Effect.ALLOW for document in level for statement in document.statements)
