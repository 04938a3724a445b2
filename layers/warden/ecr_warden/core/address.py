"""Where one document or setting of a target is found."""

from collections.abc import Mapping
from enum import StrEnum

from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, Target, UserTarget, parse_target
from ecr_warden.core.value import Value
from iam_access.document.kind import DocumentKind
from iam_access.gather import gather

OUR_POLICY_PREFIX = "ecr-warden-"
OUR_ROLE_PATH = "/ecr-warden/"
DENY_OLDER_SESSIONS = "ecr-warden-deny-older-sessions"
AWS_REVOKE_OLDER_SESSIONS = "AWSRevokeOlderSessions"
TAG_KEY, TAG_VALUE = "ecr-warden", "managed"
"""The tag of the roles that ecr-warden creates."""
OWN_ROLES = frozenset({"ecr-warden-read", "ecr-warden-write", "ecr-warden-forward"})
"""The roles of the member stack, through which ecr-warden works; it never changes them."""
HUB_ROLES = frozenset(
    f"ecr-warden-{name}"
    for name in ("dispatch", "reconcile", "accept", "collect", "audit", "alert", "images", "answer", "control")
)
"""The roles of the hub's functions, and of those who command it."""


class AddressKind(StrEnum):
    """The kinds of things that a target consists of; the values are the words of spec and output."""

    REPOSITORY_POLICY = "repository-policy"
    ROLE = "role"
    TRUST_POLICY = "trust-policy"
    IDENTITY_POLICY = "identity-policy"
    ATTACHED_POLICY = "attached-policy"


DOCUMENT_KINDS = {
    AddressKind.REPOSITORY_POLICY: DocumentKind.RESOURCE,
    AddressKind.TRUST_POLICY: DocumentKind.TRUST,
    AddressKind.IDENTITY_POLICY: DocumentKind.IDENTITY,
}
"""The kinds of address at which a policy document stands; a role itself and an attached policy are none."""

WRITES = {
    AddressKind.REPOSITORY_POLICY: ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
    AddressKind.TRUST_POLICY: ("UpdateAssumeRolePolicy", "CreateRole", "AcquireRole"),
    AddressKind.IDENTITY_POLICY: ("PutRolePolicy", "PutUserPolicy", "DeleteRolePolicy", "DeleteUserPolicy"),
    AddressKind.ATTACHED_POLICY: ("AttachRolePolicy", "AttachUserPolicy", "DetachRolePolicy", "DetachUserPolicy"),
    AddressKind.ROLE: ("UpdateRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "CreateRole"),
}
"""Which calls change which kind of address. Other calls, such as tagging, changed none of them."""


class Address(Value, frozen=True, order=True, omit_defaults=True):
    """`kind` of `target`; `name` is an inline policy's name or an attached policy's ARN, else empty."""

    kind: AddressKind
    target: Target
    name: str = ""

    @property
    def document_kind(self) -> DocumentKind | None:
        """The kind of the policy document at this address; None for a role itself and an attached policy."""
        return DOCUMENT_KINDS.get(self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.target}" + (f" {self.name}" if self.name else "")


def target_in(address: str) -> Target:
    """The target of an address that is given as text."""
    return parse_target(address.split(" ")[1])


def by_target[V](entries: Mapping[str, V]) -> dict[str, dict[str, V]]:
    """Entries by addresses as text, by the keys of their targets; one of these may be a pattern of repositories."""
    targets = ((address.split(" ")[1], (address, entry)) for address, entry in entries.items())
    found = gather((name if name.startswith("repository/") else name.lower(), one) for name, one in targets)
    return {key: dict(some) for key, some in found.items()}


def repository_policy(target: RepositoryTarget) -> Address:
    return Address(AddressKind.REPOSITORY_POLICY, target)


def role(target: RoleTarget) -> Address:
    return Address(AddressKind.ROLE, target)


def trust_policy(target: RoleTarget) -> Address:
    return Address(AddressKind.TRUST_POLICY, target)


def identity_policy(target: RoleTarget | UserTarget, name: str) -> Address:
    return Address(AddressKind.IDENTITY_POLICY, target, name)


def attached_policy(target: IdentityTarget, policy_arn: str) -> Address:
    return Address(AddressKind.ATTACHED_POLICY, target, policy_arn)


def is_our_policy(address: Address) -> bool:
    """Whether it is an inline policy with our prefix."""
    return address.kind is AddressKind.IDENTITY_POLICY and address.name.startswith(OUR_POLICY_PREFIX)
