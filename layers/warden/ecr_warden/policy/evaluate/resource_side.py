"""What the resource says: its policy, or the trust policy of a role that is to be assumed.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_compare-resource-policies.html and
.../reference_policies_evaluation-logic_policy-eval-denyallow.html (trust and key policies must allow)
"""

from msgspec import Struct

from ecr_warden.policy.document import Document
from ecr_warden.policy.evaluate.actions import asks_key_policy, asks_trust_policy, has_no_resource
from ecr_warden.policy.evaluate.findings import Findings, find_on_resource
from ecr_warden.policy.evaluate.policies import Policies
from ecr_warden.policy.evaluate.principal_side import WITH_POLICIES
from ecr_warden.policy.printable import printable
from ecr_warden.policy.request import Request
from ecr_warden.policy.statement_match import Reason


class ResourceSide(Struct, frozen=True):
    """`allows` holds the matching statements; `must_allow` where the principal's policies never suffice."""

    allows: Findings
    must_allow: bool
    lacking: tuple[Reason, ...]

    @property
    def given(self) -> tuple[Reason, ...]:
        return tuple(match.reason for match in self.allows.allows)

    @property
    def denies(self) -> tuple[Reason, ...]:
        return tuple(match.reason for match in self.allows.denies)


def resource_side(request: Request, policies: Policies) -> ResourceSide:
    """Ask the policy that hangs on the resource (a role's may be given as either); an action without one asks none."""
    name, document = _asked(request, policies)
    bounded = policies.boundary is not None and request.principal.kind in WITH_POLICIES
    found = find_on_resource(name, document, request, bounded=bounded) if document else Findings()
    lacking: tuple[Reason, ...] = ()
    if not found.allows:
        who = printable(request.principal.text)
        what = f"no statement allows {request.action} to {who}" if document else "there is none"
        lacking = (Reason(name, f"{name}: {what}"),)
    return ResourceSide(found, asks_trust_policy(request) or asks_key_policy(request), lacking)


def _asked(request: Request, policies: Policies) -> tuple[str, Document | None]:
    if asks_trust_policy(request):
        if policies.trust is None and policies.resource is not None:
            return "resourcePolicy", policies.resource
        return "trustPolicy", policies.trust
    return "resourcePolicy", None if has_no_resource(request) else policies.resource
