"""Documents over AWS's quotas: reported before anything is written."""

from collections.abc import Iterable, Mapping

from ecr_warden.access_spec.compile import by_role
from ecr_warden.access_spec.problems import Code, Place, ProblemReport
from ecr_warden.access_spec.spec import Spec
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.document.document import (
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    USER_INLINE_QUOTA,
    Document,
    policy_size,
)

_QUOTAS: Mapping[type[Target], tuple[tuple[AddressKind, int, Code, str], ...]] = {
    RepositoryTarget: (
        (AddressKind.REPOSITORY_POLICY, REPOSITORY_POLICY_QUOTA, Code.REPOSITORY_POLICY_QUOTA, "the policy of {} has"),
    ),
    RoleTarget: (
        (AddressKind.TRUST_POLICY, TRUST_POLICY_QUOTA, Code.TRUST_QUOTA, "the trust policy of {} has"),
        (AddressKind.IDENTITY_POLICY, ROLE_INLINE_QUOTA, Code.ROLE_QUOTA, "the spec's inline policies of {} have"),
    ),
    UserTarget: (
        (AddressKind.IDENTITY_POLICY, USER_INLINE_QUOTA, Code.USER_QUOTA, "the spec's inline policies of {} have"),
    ),
}
"""Of each kind of target: its documents, their quota together, the problem of more, and how its message begins."""


def check_quotas(
    spec: Spec, targets: Iterable[TargetSpec], identities: Mapping[IdentityTarget, Place], report: ProblemReport
) -> None:
    """Report every document, and every identity's sum of inline policies, over AWS's quota.

    Only the policies of the spec are counted: other inline policies of an identity use the same quota, but are not
    known here. `identities`: where each is named.
    """
    places: dict[Target, Place] = {
        address.target: literal.place for literal in reversed(spec.literals) for address in literal.addresses
    }
    places |= {target: entry.place for entry in spec.repositories for target in entry.targets}
    places |= {role: grants[0][1].place for role, grants in by_role(spec).items()}
    places.update(identities.items())
    for entry in targets:
        for kind, quota, code, begins in _QUOTAS[type(entry.target)]:
            size = _size(entry, kind)
            if size > quota:
                report.add(
                    code,
                    places.get(entry.target, Place(1, 1)),
                    f"{begins.format(entry.target)} {size} characters; the quota is {quota}",
                )


def _size(entry: TargetSpec, kind: AddressKind) -> int:
    return sum(
        policy_size(value)
        for address, value in entry.documents.items()
        if address.kind is kind and isinstance(value, Document)
    )
