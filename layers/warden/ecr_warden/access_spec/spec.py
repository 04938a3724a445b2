"""A validated spec, with its names resolved."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from ecr_warden.access_spec.problems import Place
from ecr_warden.core.address import Address
from ecr_warden.core.desired import AlsoAllowed, ForeignStatement, Mode
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, target_arn
from iam_access.arn import iam_arn
from iam_access.document.document import Document
from iam_access.document.principal import IDENTITY_CENTER_NAME

FORMAT_VERSION = 1
DEFAULT_SESSION_DURATION = 3600
# Source: MaxSessionDuration in the API reference of CreateRole.
MIN_SESSION_DURATION, MAX_SESSION_DURATION = 3600, 43_200


@dataclass(frozen=True, slots=True)
class SpecAccount:
    """An account under `accounts:`; `regions` in the order of the spec."""

    alias: str
    id: str
    regions: tuple[str, ...] = ()
    mode: Mode | None = None
    """None if it has none of its own."""


@dataclass(frozen=True, slots=True)
class SpecPrincipal:
    """A user or role that a grant names, with its IAM path."""

    identity: IdentityTarget
    path: str = "/"

    @property
    def arn(self) -> str:
        return target_arn(self.identity, path=self.path)

    def __str__(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True, order=True)
class WholeAccount:
    """Every user and role of an account that the account itself allows to pull."""

    id: str

    def __str__(self) -> str:
        return f"the account {self.id}"


@dataclass(frozen=True, slots=True, order=True)
class SpecService:
    """An AWS service acting for an account under `accounts:`, or only for its resources that match `arn`."""

    name: str
    account: str
    arn: str | None = None

    def __str__(self) -> str:
        return f"{self.name} for {self.arn or self.account}"


@dataclass(frozen=True, slots=True, order=True)
class SpecOrganization:
    """Every principal of an AWS organization, by its ID."""

    id: str

    def __str__(self) -> str:
        return f"the organization {self.id}"


@dataclass(frozen=True, slots=True, order=True)
class PermissionSet:
    """Whoever uses a permission set of IAM Identity Center in an account, by the role that AWS keeps for it there."""

    name: str
    account: str

    @property
    def arns(self) -> tuple[str, ...]:
        """Patterns of the role's ARN, with and without a region; AWS ends its name with 16 characters of its own.

        Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
        """
        name = f"{IDENTITY_CENTER_NAME}{self.name}_{'?' * 16}"
        paths = ("/aws-reserved/sso.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/*/")
        return tuple(iam_arn(self.account, f"role{path}{name}") for path in paths)

    def __str__(self) -> str:
        return f"the permission set {self.name} in {self.account}"


POD_TAGS = ("eks-cluster-arn", "kubernetes-namespace", "kubernetes-service-account")
"""The session tags of EKS Pod Identity that tell a workload; in the order of the fields of Pods."""


@dataclass(frozen=True, slots=True, order=True)
class Pods:
    """The pods of one service account of an EKS cluster, by the session tags that EKS Pod Identity gives them."""

    cluster: str
    """Its ARN. Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html"""
    namespace: str
    service_account: str

    @property
    def account(self) -> str:
        """The cluster's account."""
        return self.cluster.split(":")[4]

    def __str__(self) -> str:
        return f"pods of {self.namespace}/{self.service_account} in {self.cluster}"


ByCondition = PermissionSet | Pods
"""Whom no ARN names: the documents name their account with a condition, and people write their own policies."""


@dataclass(frozen=True, slots=True, order=True)
class Federated:
    """Jobs with a token of an OpenID Connect issuer (without `https://`), for an audience and one of the subjects."""

    issuer: str
    audience: str
    subjects: tuple[str, ...]
    """In which `*` is any text, the one to write first before the others."""
    repository_id: str = ""
    """GitHub's, or ""."""

    def __str__(self) -> str:
        return f"{self.subjects[0]} by {self.issuer}"


type Puller = SpecPrincipal | WholeAccount | SpecService | SpecOrganization | PermissionSet | Pods
type Pusher = SpecPrincipal | Federated | PermissionSet | Pods


@dataclass(frozen=True, slots=True)
class Limits:
    """Until when (UTC; None: no end) and from which networks (empty: any) a grant gives access."""

    until: datetime | None = None
    source_ip: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[datetime, tuple[str, ...]]:
        """A sort key: what ends first comes first."""
        return self.until or _NEVER, self.source_ip


UNLIMITED = Limits()
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PullGrant:
    """Who may pull."""

    puller: Puller
    limits: Limits = UNLIMITED
    importing: bool = False
    """Their pulls may make a pull-through cache fetch the image."""
    reads: tuple[str, ...] = ()
    """Other actions that the repository's policy allows them, sorted."""
    place: Place = field(default=Place(1, 1), compare=False)


class PullScope(StrEnum):
    """What the policies of pulling identities name; across accounts the repository policy decides in any case."""

    REPOSITORY = "repository"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class PushGrant:
    """Who may push through a role; `max_session_duration` in seconds, None if not given."""

    role: RoleTarget
    by: tuple[Pusher, ...]
    limits: Limits = UNLIMITED
    max_session_duration: int | None = None
    pull: bool = False
    """The role may also pull from the repository."""
    place: Place = field(default=Place(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class SpecRepository:
    """A repository in one or more regions of an account, and its grants.

    With a `*` in the targets' name: all repositories that match it and nothing in `excluded`.
    """

    targets: tuple[RepositoryTarget, ...]
    excluded: tuple[str, ...] = ()
    pull: tuple[PullGrant, ...] = ()
    push: tuple[PushGrant, ...] = ()
    pull_scope: PullScope = PullScope.REPOSITORY
    foreign: tuple[ForeignStatement, ...] = ()
    beside: Document | None = None
    """The statements that its policy has besides those of the grants."""
    mode: Mode | None = None
    """Its own or its account's."""
    place: Place = field(default=Place(1, 1), compare=False)

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for all repositories that match."""
        return any("*" in target.name for target in self.targets)

    @property
    def excluded_targets(self) -> tuple[RepositoryTarget, ...]:
        """What a pattern excludes, in each of its regions."""
        return tuple(replace(target, name=name) for target in self.targets for name in self.excluded)

    @property
    def pulling(self) -> tuple[SpecPrincipal, ...]:
        """The users and roles that pull; ecr-warden writes an identity policy for each."""
        return tuple(grant.puller for grant in self.pull if isinstance(grant.puller, SpecPrincipal))


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal document at one address (a repository policy: at one for each region)."""

    addresses: tuple[Address, ...]
    document: Document
    exclusive: bool = False
    """Its user or role has only the policies of the spec."""
    place: Place = field(default=Place(1, 1), compare=False)

    @property
    def account(self) -> str:
        return self.addresses[0].target.account


@dataclass(frozen=True, slots=True)
class Spec:
    """The whole spec. `teams` are resolved in the grants and kept for display."""

    accounts: tuple[SpecAccount, ...]
    teams: Mapping[str, tuple[SpecPrincipal, ...]] = field(default_factory=dict)
    repositories: tuple[SpecRepository, ...] = ()
    literals: tuple[Literal, ...] = ()
    mode: Mode = Mode.OBSERVE
    also_allowed: tuple[AlsoAllowed, ...] = ()
    organizations: Mapping[str, str] = field(default_factory=dict)
    """Their aliases by their IDs."""

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases of the accounts by their IDs."""
        return {account.id: account.alias for account in self.accounts}

    @property
    def ids(self) -> dict[str, str]:
        """The IDs of the accounts by their aliases."""
        return {account.alias: account.id for account in self.accounts}
