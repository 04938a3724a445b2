"""AWS's documented evaluation logic, for one request and every policy that applies to it.

Any matching Deny wins. Then every level of the organization must allow, and:
- within one account, the principal's side or the resource's suffices; a trust or key policy must always allow;
- a resource policy that names the account leaves the decision to the principal's policies;
- a resource policy that names a user, a session or `*` grants access directly, whatever identity policies, boundary and
  session policy leave out; for one that names a role, boundary and session policy still limit it;
- across accounts, both sides must allow; a principal without an account (services, anonymous callers) needs the
  resource's side alone.
Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: reference_policies_evaluation-logic.html,
reference_policies_evaluation-logic_policy-eval-basics.html, ...policy-eval-denyallow.html, ...cross-account.html,
reference_policies_elements_principal.html, access_policies_boundaries.html
"""

from copy import replace

from iam_access.catalogue import has_resources
from iam_access.document.steps import Steps
from iam_access.evaluate.actions import assumes_role, needs_no_permission, reserved
from iam_access.evaluate.policies import Policies, check_effort
from iam_access.evaluate.principal_match import Naming
from iam_access.evaluate.request import ANY_RESOURCE, Request
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.sides import PrincipalSide, ResourceSide, organization_side, principal_side, resource_side
from iam_access.evaluate.statement_match import Allowed, Decision, ExplicitlyDenied, ImplicitlyDenied, Reason

type _Reasons = tuple[Reason, ...]


def evaluate(request: Request, policies: Policies, steps: Steps | None = None) -> Decision:
    """The decision, with the statements that made it or what is missing.

    Raises RequestError if it is too much work, and TooManySteps once `steps`, if given, are used up.
    """
    effort = check_effort(request, policies)
    if steps is not None:
        steps.spend(effort)
    if needs_no_permission(request):
        return Allowed((Reason("", "the action needs no permission"),))
    if not has_resources(request.action):
        request = replace(request, resource=ANY_RESOURCE, resource_account=request.principal.account)
    organization = organization_side(request, policies)
    principal = principal_side(request, policies)
    resource = resource_side(request, policies)
    if denies := (*organization.denies, *resource.matches.denies, *principal.denies):
        return ExplicitlyDenied(denies)
    if reason := reserved(request):
        return ImplicitlyDenied((Reason("", reason),))
    given, lacking = _sides(request, principal, resource)
    if not organization.lacking and not lacking:
        return Allowed(given)
    return ImplicitlyDenied((*organization.lacking, *lacking))


def _sides(request: Request, principal: PrincipalSide, resource: ResourceSide) -> tuple[_Reasons, _Reasons]:
    """What the two sides give together, and what is missing: the request is allowed if nothing is."""
    if request.principal.kind is CallerKind.ROOT and assumes_role(request):
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        return (), (Reason("", "the root user of an account cannot call sts:AssumeRole"),)
    if principal.is_absent:
        return resource.given, resource.lacking
    if request.principal.account != request.resource_account:
        return (*principal.given, *resource.given), (*principal.lacking, *resource.lacking)
    return _same_account(principal, resource)


def _same_account(principal: PrincipalSide, resource: ResourceSide) -> tuple[_Reasons, _Reasons]:
    if directly := resource.matches.allows_by(Naming.ITSELF | Naming.ANYONE):
        return directly, ()
    by_role = resource.matches.allows_by(Naming.ROLE)
    if by_role and not principal.limits:
        return by_role, ()
    if resource.must_allow and resource.lacking:
        return (), resource.lacking
    if not principal.lacking:
        return (*principal.given, *(resource.given if resource.must_allow else ())), ()
    if by_role:
        return (), principal.limits
    # Either side is enough: both are named, but one that leaves the decision to the other lacks nothing.
    return (), (*principal.lacking, *resource.lacking)
