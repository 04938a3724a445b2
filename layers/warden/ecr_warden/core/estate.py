"""The estate: everything that was read of some accounts' identities and registries, as one value."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, field

from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, UserTarget
from iam_access.arn import partition_of
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Account, Identity, Inventory, Policy, Unread

ROOT = "ROOT"
"""What ECR calls the prefix of a creation template or pull-through cache rule for all that no other has."""


class Repository(Struct, frozen=True):
    """A repository; `policy` is None where it has none, `tags` where they were not read."""

    target: RepositoryTarget
    policy: Policy | None = None
    tags: Mapping[str, str] | None = None

    @property
    def arn(self) -> str:
        """The ARN by which policies name it."""
        region, account, name = self.target.region, self.target.account, self.target.name
        return f"arn:{partition_of(region)}:ecr:{region}:{account}:repository/{name}"


class RegistryScope(StrEnum):
    """What a registry policy governs: only registry calls (V1), or every ECR action (V2, the default since 2025).

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions-account-settings.html
    """

    REGISTRY_CALLS = "V1"
    EVERY_ACTION = "V2"


class ReplicationRule(Struct, frozen=True):
    """Copies every new image of a registry to `destinations`, (account, region) each."""

    destinations: tuple[tuple[str, str], ...]
    prefixes: tuple[str, ...] = ()
    """Only of repositories whose names begin with one of them; empty: of all."""
    deletes: bool = False
    """What is deleted, untagged or expires there does so at the destinations."""


class CreationTemplate(Struct, frozen=True):
    """What repositories get that ECR creates by itself."""

    prefix: str
    """Of their names, before a slash; "" for all others."""
    policy: Policy | None = None


class UpstreamRule(Struct, frozen=True):
    """A pull-through cache: repositories under `prefix` are filled from `upstream`, a registry's address and path.

    "" is the prefix of all that have no rule of their own.
    """

    prefix: str
    upstream: str


class Registry(Struct, frozen=True):
    """The repositories of one region, and what holds for all of them.

    `replication`, `templates` and `upstreams` are None if unknown.
    """

    region: str
    repositories: Mapping[str, Repository]
    policy: Policy | None = None
    scope: RegistryScope | Unread = RegistryScope.EVERY_ACTION
    is_listed: bool = True
    """The repositories are complete."""
    replication: tuple[ReplicationRule, ...] | None = None
    templates: tuple[CreationTemplate, ...] | None = None
    upstreams: tuple[UpstreamRule, ...] | None = None


class EcrAccount(Account, frozen=True):
    """An account with its registries, by region."""

    registries: Mapping[str, Registry] = field(default_factory=dict)


class Estate(Inventory, frozen=True):
    """Accounts by ID with their registries, as they were at `taken_at`."""

    accounts: Mapping[str, EcrAccount]
    endpoints: tuple[Policy, ...] = ()
    """The policies of VPC endpoints through which some requests come, each under the endpoint's name."""

    def repositories(self) -> Iterator[Repository]:
        """Every repository."""
        for account in self.accounts.values():
            for registry in account.registries.values():
                yield from registry.repositories.values()

    def registry_of(self, target: RepositoryTarget) -> Registry:
        """The registry that has this repository."""
        return self.accounts[target.account].registries[target.region]


def target_of(identity: Identity) -> IdentityTarget:
    """The target that a user or role is, if the spec names it."""
    made = RoleTarget if identity.kind is IdentityKind.ROLE else UserTarget
    return made(identity.account, identity.name)
