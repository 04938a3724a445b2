"""What the principal's own policies say: identity policies, permissions boundary, session policy.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html,
.../access_policies.html#policies_session, and for federated users
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
"""

from msgspec import Struct

from ecr_warden.policy.evaluate.findings import find
from ecr_warden.policy.evaluate.policies import Policies
from ecr_warden.policy.request import Request
from ecr_warden.policy.request_principal import CallerKind
from ecr_warden.policy.statement_match import Reason

WITH_POLICIES = (CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION, CallerKind.FEDERATED_USER)


class PrincipalSide(Struct, frozen=True):
    """`lacking` is empty where this side allows; `limits` is what boundary and session policy leave out of it."""

    is_absent: bool = False
    """The principal has no account, so no policies of its own."""
    given: tuple[Reason, ...] = ()
    denies: tuple[Reason, ...] = ()
    lacking: tuple[Reason, ...] = ()
    limits: tuple[Reason, ...] = ()


def principal_side(request: Request, policies: Policies) -> PrincipalSide:
    """Ask the principal's policies; the root user has none and may do everything in its account's name."""
    kind = request.principal.kind
    if kind is CallerKind.ROOT:
        return PrincipalSide(given=(Reason("", "the root user may do everything that its account may"),))
    if kind not in WITH_POLICIES:
        return PrincipalSide(is_absent=True)
    named = ((f"identityPolicies[{index}]", document) for index, document in enumerate(policies.identity))
    identity = find(named, request, completes=True)
    given = [match.reason for match in identity.allows]
    denies = [match.reason for match in identity.denies]
    limits: list[Reason] = []
    for name, document in (("permissionBoundary", policies.boundary), ("sessionPolicy", policies.session)):
        if document is None:
            continue
        # AWS refuses an ARN that lacks parts in a session policy.
        found = find(((name, document),), request, completes=document is not policies.session)
        denies += [match.reason for match in found.denies]
        given += [match.reason for match in found.allows]
        if not found.allows:
            limits.append(Reason(name, f"{name}: no statement allows {request.action}"))
    if kind is CallerKind.FEDERATED_USER and policies.session is None:
        limits.append(Reason("sessionPolicy", "sessionPolicy: a federated user without one has no permissions"))
    lacking = list(limits)
    if not identity.allows:
        lacking.insert(0, Reason("identityPolicies", f"identityPolicies: no statement allows {request.action}"))
    return PrincipalSide(False, tuple(given), tuple(denies), tuple(lacking), tuple(limits))
