"""The verdicts of the organization, the principal and the resource on a request, each independent of the others.

Every level of the organization must allow. RCPFullAWSAccess is attached to every level and cannot be detached, so a
level of resource control policies without any Allow has it.

Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html,
.../orgs_manage_policies_scps.html (tasks not restricted: service-linked roles), .../orgs_manage_policies_rcps.html;
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html,
.../access_policies.html#policies_session, .../id_roles_compare-resource-policies.html,
.../reference_policies_evaluation-logic_policy-eval-denyallow.html (trust and key policies must allow); federated users:
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
"""

from collections.abc import Iterable

from msgspec import Struct

from iam_access.catalogue import has_resources
from iam_access.document.document import Document, Effect
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import SERVICE_LINKED_NAME
from iam_access.evaluate.actions import needs_key_policy, needs_trust_policy
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.principal_match import Naming
from iam_access.evaluate.request import Request
from iam_access.evaluate.request_principal import CallerKind, is_service_linked_role
from iam_access.evaluate.statement_match import Reason, matching_statements, statement_reason
from iam_access.text.printable import printable

_SERVICE_CONTROL = "serviceControlPolicies"
_RESOURCE_CONTROL = "resourceControlPolicies"
_WITH_POLICIES = (CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION, CallerKind.FEDERATED_USER)


class Matches(Struct, frozen=True):
    """The statements that match a request, each Allow with the ways in which it names the principal."""

    allows: tuple[tuple[Reason, Naming], ...] = ()
    denies: tuple[Reason, ...] = ()

    def allows_by(self, ways: Naming | None = None) -> tuple[Reason, ...]:
        """The Allow statements that name the principal in at least one of these ways, or all of them."""
        return tuple(reason for reason, naming in self.allows if ways is None or naming & ways)


class OrganizationSide(Struct, frozen=True):
    """What the policies of an organization say."""

    denies: tuple[Reason, ...]
    lacking: tuple[Reason, ...]
    """The levels that do not allow."""


class PrincipalSide(Struct, frozen=True):
    """`lacking` is empty if this side allows; `limits` is what the boundary and the session policy leave out."""

    is_absent: bool = False
    """The principal has no account, and so no policies of its own."""
    given: tuple[Reason, ...] = ()
    denies: tuple[Reason, ...] = ()
    lacking: tuple[Reason, ...] = ()
    limits: tuple[Reason, ...] = ()


class ResourceSide(Struct, frozen=True):
    """What the policies of a resource say."""

    matches: Matches
    must_allow: bool
    """The principal's own policies never suffice."""
    lacking: tuple[Reason, ...]

    @property
    def given(self) -> tuple[Reason, ...]:
        return self.matches.allows_by()


def organization_side(request: Request, policies: Policies) -> OrganizationSide:
    """Evaluate the service control policies of the principal's account and the resource's resource control policies.

    They do not restrict service-linked roles.
    """
    denies: list[Reason] = []
    lacking: list[Reason] = []
    if not is_service_linked(request):
        controlled = request.principal.kind is CallerKind.ROOT or request.principal.kind in _WITH_POLICIES
        service_control = policies.service_control if controlled else ()
        for name, levels in ((_SERVICE_CONTROL, service_control), (_RESOURCE_CONTROL, policies.resource_control)):
            for above, level in enumerate(levels):
                where = f"{name}[{above}]"
                matches = _matches(((f"{where}[{at}]", document) for at, document in enumerate(level)), request)
                denies += matches.denies
                if not matches.allows and (name == _SERVICE_CONTROL or _has_allow(level)):
                    lacking.append(Reason(where, f"{where}: no statement of this level allows {request.action}"))
    return OrganizationSide(tuple(denies), tuple(lacking))


def is_service_linked(request: Request) -> bool:
    """Is the principal a service-linked role?"""
    principal = request.principal
    if principal.kind is CallerKind.ROLE:
        return is_service_linked_role(principal.text)
    if principal.kind is not CallerKind.SESSION:
        return False
    role = request.context.get("aws:principalarn", ())
    return principal.name.startswith(SERVICE_LINKED_NAME) or any(map(is_service_linked_role, role))


def principal_side(request: Request, policies: Policies) -> PrincipalSide:
    """Evaluate identity policies, boundary and session policy; the root user has none: its account decides."""
    caller = request.principal.kind
    if caller is CallerKind.ROOT:
        return PrincipalSide(given=(Reason("", "the root user may do everything that its account may"),))
    if caller not in _WITH_POLICIES:
        return PrincipalSide(is_absent=True)
    named = ((f"identityPolicies[{index}]", document) for index, document in enumerate(policies.identity))
    identity = _matches(named, request, kind=DocumentKind.IDENTITY)
    given, denies, limits = [*identity.allows_by()], [*identity.denies], list[Reason]()
    for name, document in (("permissionBoundary", policies.boundary), ("sessionPolicy", policies.session)):
        if document is None:
            continue
        # AWS refuses an ARN that lacks parts in a session policy.
        kind = DocumentKind.IDENTITY if name != "sessionPolicy" else None
        matches = _matches(((name, document),), request, kind=kind)
        denies += matches.denies
        given += matches.allows_by()
        if not matches.allows:
            limits.append(Reason(name, f"{name}: no statement allows {request.action}"))
    if caller is CallerKind.FEDERATED_USER and policies.session is None:
        limits.append(Reason("sessionPolicy", "sessionPolicy: a federated user without one has no permissions"))
    lacking = [*limits]
    if not identity.allows:
        lacking.insert(0, Reason("identityPolicies", f"identityPolicies: no statement allows {request.action}"))
    return PrincipalSide(False, tuple(given), tuple(denies), tuple(lacking), tuple(limits))


def resource_side(request: Request, policies: Policies) -> ResourceSide:
    """Evaluate the resource's policy or, to assume a role, its trust policy (which may be given as either)."""
    needs_trust = needs_trust_policy(request)
    name, kind, document = "resourcePolicy", DocumentKind.RESOURCE, policies.resource
    if needs_trust and (policies.trust is not None or policies.resource is None):
        name, kind, document = "trustPolicy", DocumentKind.TRUST, policies.trust
    elif not has_resources(request.action):
        document = None
    bounded = policies.boundary is not None and request.principal.kind in _WITH_POLICIES
    matches = _matches(((name, document),), request, kind=kind, bounded=bounded) if document else Matches()
    lacking: tuple[Reason, ...] = ()
    if not matches.allows:
        who = printable(request.principal.text)
        what = f"no statement allows {request.action} to {who}" if document else "there is none"
        lacking = (Reason(name, f"{name}: {what}"),)
    return ResourceSide(matches, needs_trust or needs_key_policy(request), lacking)


def _matches(
    documents: Iterable[tuple[str, Document]],
    request: Request,
    *,
    kind: DocumentKind | None = None,
    bounded: bool = False,
) -> Matches:
    """Ask named documents; `kind` and `bounded`: see matching_statements."""
    allows: list[tuple[Reason, Naming]] = []
    denies: list[Reason] = []
    for name, document in documents:
        for index, naming in matching_statements(document, request, kind=kind, bounded=bounded):
            statement = document.statements[index]
            reason = statement_reason(name, statement, index)
            if statement.effect is Effect.ALLOW:
                allows.append((reason, naming))
            else:
                denies.append(reason)
    return Matches(tuple(allows), tuple(denies))


def _has_allow(level: tuple[Document, ...]) -> bool:
    return any(statement.effect is Effect.ALLOW for document in level for statement in document.statements)
