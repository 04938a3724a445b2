"""AWS's documented evaluation logic, for one request and all policies that have a say.

Any Deny that matches wins. Then every level of the organization must allow, and:
- in one account, the principal's side or the resource's suffices; a trust or key policy must allow in any case;
- a resource that names the account leaves the answer to the principal's policies;
- a resource that names a user, a session or `*` gives it directly, whatever identity policies, boundary and session
  policy leave out; one that names a role is limited by boundary and session policy;
- across accounts, both sides must allow; who has no account (services, anybody) needs the resource's side alone.
Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: reference_policies_evaluation-logic.html,
reference_policies_evaluation-logic_policy-eval-basics.html, ...policy-eval-denyallow.html, ...cross-account.html,
reference_policies_elements_principal.html, access_policies_boundaries.html
"""

from copy import replace

from msgspec import Struct

from ecr_warden.policy.evaluate.actions import assumes_role, has_no_resource, needs_no_permission
from ecr_warden.policy.evaluate.effort import check_effort
from ecr_warden.policy.evaluate.organization import organization_denies, organization_lacks
from ecr_warden.policy.evaluate.policies import Policies
from ecr_warden.policy.evaluate.principal_side import PrincipalSide, principal_side
from ecr_warden.policy.evaluate.reserved import reserved
from ecr_warden.policy.evaluate.resource_side import ResourceSide, resource_side
from ecr_warden.policy.principal_match import Naming
from ecr_warden.policy.request import ANY_RESOURCE, Request
from ecr_warden.policy.request_principal import CallerKind
from ecr_warden.policy.statement_match import Allowed, ExplicitlyDenied, ImplicitlyDenied, Reason, Verdict


def evaluate(request: Request, policies: Policies) -> Verdict:
    """The verdict, with the statements that decided or what is missing; raises RequestError if it is too much work."""
    check_effort(request, policies)
    if needs_no_permission(request):
        return Allowed((Reason("", "the action needs no permission"),))
    if has_no_resource(request):
        request = replace(request, resource=ANY_RESOURCE, resource_account=request.principal.account)
    mine = principal_side(request, policies)
    theirs = resource_side(request, policies)
    denies = (*organization_denies(request, policies), *theirs.denies, *mine.denies)
    if denies:
        return ExplicitlyDenied(denies)
    if reason := reserved(request):
        return ImplicitlyDenied((Reason("", reason),))
    lacking = organization_lacks(request, policies)
    answer = _sides(request, mine, theirs)
    if not lacking and not answer.lacking:
        return Allowed(answer.given)
    return ImplicitlyDenied((*lacking, *answer.lacking))


class _Answer(Struct, frozen=True):
    """What the two sides come to: it is allowed if nothing is lacking."""

    given: tuple[Reason, ...] = ()
    lacking: tuple[Reason, ...] = ()


def _sides(request: Request, mine: PrincipalSide, theirs: ResourceSide) -> _Answer:
    kind = request.principal.kind
    if kind is CallerKind.ROOT and assumes_role(request):
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        return _Answer(lacking=(Reason("", "the root user of an account cannot call sts:AssumeRole"),))
    if mine.is_absent:
        return _Answer(theirs.given, theirs.lacking)
    if request.principal.account != request.resource_account:
        return _Answer((*mine.given, *theirs.given), (*mine.lacking, *theirs.lacking))
    return _same_account(mine, theirs)


def _same_account(mine: PrincipalSide, theirs: ResourceSide) -> _Answer:
    directly = theirs.allows.allows_by(Naming.ITSELF | Naming.ANYONE)
    if directly:
        return _Answer(directly)
    by_role = theirs.allows.allows_by(Naming.ROLE)
    if by_role and not mine.limits:
        return _Answer(by_role)
    if theirs.must_allow and theirs.lacking:
        return _Answer(lacking=theirs.lacking)
    if not mine.lacking:
        return _Answer((*mine.given, *(theirs.given if theirs.must_allow else ())))
    if by_role:
        return _Answer(lacking=mine.limits)
    # Either side would do: both are named, but one that leaves the answer to the other lacks nothing.
    return _Answer(lacking=(*mine.lacking, *theirs.lacking))
