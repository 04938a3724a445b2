"""What if: changes of policies and tags laid over an estate, which stays as it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from enum import StrEnum

from msgspec import Struct, field

from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository
from iam_access.arn import ACCOUNT_ID
from iam_access.document.document import Document, Effect, parse_document
from iam_access.errors import NamedError
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Group, Identity, Policy, PolicyPlace
from iam_access.inventory.unique_ids import arns_by_id, with_arns
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import printable

_FULL_ACCESS = Policy(
    "policy FullAWSAccess", parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
)


class ChangeKind(StrEnum):
    """What a change replaces, as people write it."""

    IDENTITY_POLICY = "identity-policy"
    MANAGED_POLICY = "managed-policy"
    BOUNDARY = "permissions-boundary"
    TRUST_POLICY = "trust-policy"
    REPOSITORY_POLICY = "repository-policy"
    REGISTRY_POLICY = "registry-policy"
    SERVICE_CONTROL_POLICY = "service-control-policy"
    RESOURCE_CONTROL_POLICY = "resource-control-policy"
    ENDPOINT_POLICY = "endpoint-policy"
    TAGS = "tags"


class Supposed(Struct, frozen=True):
    """One change: the document at a place (None: there is none), or the tags that are set there (None: removed)."""

    kind: ChangeKind
    of: str
    """The ARN of a user, role, group or managed policy, `ACCOUNT/REGION/NAME` of a repository, `ACCOUNT/REGION` of a
    registry, an account's ID, the ID of an organization's root or unit (`*`: of every account), the name of a VPC
    endpoint."""
    document: Document | None = None
    name: str = ""
    """Of an inline policy."""
    tags: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_of_many_accounts(self) -> bool:
        """Whether it is a control policy of several accounts, of which an estate has those that were read."""
        kinds = (ChangeKind.SERVICE_CONTROL_POLICY, ChangeKind.RESOURCE_CONTROL_POLICY)
        return self.kind in kinds and not ACCOUNT_ID.fullmatch(self.of)


class NotInEstate(NamedError, code="not-in-estate"):
    """A change of something that the estate does not have."""


def laid_over(estate: Estate, changes: Iterable[Supposed]) -> Estate:
    """The estate as it is after the changes, in their order; raises NotInEstate."""
    arns = arns_by_id(estate)
    for given in changes:
        change = given if given.document is None else replace(given, document=with_arns(given.document, arns))
        estate = _HOW[change.kind](estate, change)
    return estate


def _policy(change: Supposed, name: str) -> Policy | None:
    return None if change.document is None else Policy(name, change.document)


def _of_identity(estate: Estate, change: Supposed, edit: Callable[[Identity], Identity]) -> Estate:
    ecr_account = next((account for account in estate.accounts.values() if change.of in account.identities), None)
    if ecr_account is None:
        known = [arn for account in estate.accounts.values() for arn in account.identities]
        raise _absent(change, "user or role", known)
    identities = {**ecr_account.identities, change.of: edit(ecr_account.identities[change.of])}
    return _with_account(estate, replace(ecr_account, identities=identities))


def _identity_policy(estate: Estate, change: Supposed) -> Estate:
    owner = next((account for account in estate.accounts.values() if change.of in account.groups), None)
    if owner is not None:
        return _group_policy(estate, owner, change)
    return _of_identity(estate, change, lambda identity: _with_inline(identity, change, PolicyPlace(change.name)))


def _group_policy(estate: Estate, account: EcrAccount, change: Supposed) -> Estate:
    """A group's inline policy counts in each of its users."""
    place = PolicyPlace(change.name, group=change.of)
    identities = {
        arn: _with_inline(identity, change, place) if change.of in identity.groups else identity
        for arn, identity in account.identities.items()
    }
    groups = {**account.groups, change.of: _with_inline(account.groups[change.of], change, place)}
    return _with_account(estate, replace(account, identities=identities, groups=groups))


def _with_inline[Holder: (Identity, Group)](holder: Holder, change: Supposed, place: PolicyPlace) -> Holder:
    """With the policy as it is changed; raises NotInEstate where there is none to remove."""
    others: tuple[Policy, ...] = tuple(policy for policy in holder.policies if policy.place != place)
    if change.document is not None:
        return replace(holder, policies=(*others, Policy.at(place, change.document)))
    if len(others) == len(holder.policies):
        raise NotInEstate(
            f"{printable(change.of, 200)} has no inline policy {printable(change.name, 128)} to remove",
            remedy="correct the policy's name, or leave the change out",
        )
    return replace(holder, policies=others)


def _managed_policy(estate: Estate, change: Supposed) -> Estate:
    """A managed policy counts wherever it is attached, and as a boundary."""
    known = {arn for account in estate.accounts.values() for arn in _managed_of(account)}
    if change.of not in known:
        raise _absent(change, "managed policy", known)
    assert change.document is not None
    document = change.document

    def edited(policy: Policy) -> Policy:
        return replace(policy, document=document) if policy.place.arn == change.of else policy

    def of_holder[Holder: (Identity, Group)](holder: Holder) -> Holder:
        return replace(holder, policies=tuple(map(edited, holder.policies)))

    def of_identity(identity: Identity) -> Identity:
        return replace(of_holder(identity), boundary=identity.boundary and edited(identity.boundary))

    def of_account(account: EcrAccount) -> EcrAccount:
        own = account.managed.get(change.of)
        return replace(
            account,
            identities={arn: of_identity(identity) for arn, identity in account.identities.items()},
            groups={arn: of_holder(group) for arn, group in account.groups.items()},
            managed={**account.managed, **({change.of: replace(own, document=document)} if own else {})},
        )

    return replace(estate, accounts={name: of_account(account) for name, account in estate.accounts.items()})


def _managed_of(account: EcrAccount) -> Iterator[str]:
    yield from account.managed
    for identity in account.identities.values():
        held = (*identity.policies, identity.boundary)
        yield from (policy.place.arn for policy in held if policy is not None and policy.place.arn)


def _boundary(estate: Estate, change: Supposed) -> Estate:
    boundary = _policy(change, f"permissions boundary of {printable(change.of, 200)}")
    return _of_identity(estate, change, lambda identity: replace(identity, boundary=boundary))


def _trust_policy(estate: Estate, change: Supposed) -> Estate:
    def edited(role: Identity) -> Identity:
        if role.kind is not IdentityKind.ROLE:
            raise NotInEstate(f"{printable(change.of, 200)} is no role", remedy="only roles have a trust policy")
        return replace(role, trust=_policy(change, f"trust policy of {role.name}"))

    return _of_identity(estate, change, edited)


def _repository_policy(estate: Estate, change: Supposed) -> Estate:
    def edited(one: Repository) -> Repository:
        return replace(one, policy=_policy(change, f"repository policy of {one.target.name}"))

    return _of_repository(estate, change, edited)


def _of_repository(estate: Estate, change: Supposed, edit: Callable[[Repository], Repository]) -> Estate:
    account, _, place = change.of.partition("/")
    region, _, name = place.partition("/")
    registry = _registry(estate, account, region)
    if registry is None or name not in registry.repositories:
        known = [
            f"{repository.target.account}/{repository.target.region}/{repository.target.name}"
            for repository in estate.repositories()
        ]
        raise _absent(change, "repository", known)
    repositories = {**registry.repositories, name: edit(registry.repositories[name])}
    return _with_registry(estate, account, replace(registry, repositories=repositories))


def _registry_policy(estate: Estate, change: Supposed) -> Estate:
    account, _, region = change.of.partition("/")
    registry = _registry(estate, account, region)
    if registry is None:
        known = [
            f"{ecr_account.id}/{region}"
            for ecr_account in estate.accounts.values()
            for region in ecr_account.registries
        ]
        raise _absent(change, "registry", known)
    policy = _policy(change, f"registry policy of {account} in {region}")
    return _with_registry(estate, account, replace(registry, policy=policy))


def _registry(estate: Estate, account: str, region: str) -> Registry | None:
    return estate.accounts[account].registries.get(region) if account in estate.accounts else None


def _control_policy(estate: Estate, change: Supposed) -> Estate:
    """It restricts beside those that are there: what it denies, and, where it has an Allow, all but what it allows."""
    concerned = [account.id for account in estate.accounts.values() if change.of in ("*", account.id, *_units(account))]
    if not concerned:
        units = {part for account in estate.accounts.values() for part in _units(account)}
        raise _absent(change, "account", (*estate.accounts, *units))
    assert change.document is not None
    policy = Policy(f"{change.kind.replace('-', ' ')} of this change", change.document)
    allows = any(statement.effect is Effect.ALLOW for statement in change.document.statements)
    level = (policy,) if allows else (policy, _FULL_ACCESS)
    accounts = dict(estate.accounts)
    for name in concerned:
        account = accounts[name]
        if change.kind is ChangeKind.SERVICE_CONTROL_POLICY:
            accounts[name] = replace(account, service_control=(*(account.service_control or ()), level))
        else:
            # A level of resource control policies has RCPFullAWSAccess by itself.
            accounts[name] = replace(account, resource_control=(*(account.resource_control or ()), (policy,)))
    return replace(estate, accounts=accounts)


def _units(account: EcrAccount) -> list[str]:
    """The organization's root and its units that an account is in, by their IDs."""
    path = account.organization.path if account.organization is not None else ""
    return [part for part in path.split("/")[1:] if part]


def _endpoint_policy(estate: Estate, change: Supposed) -> Estate:
    assert change.document is not None
    policy = Policy(printable(change.of, 80), change.document)
    others = (endpoint for endpoint in estate.endpoints if endpoint.name != policy.name)
    return replace(estate, endpoints=(*others, policy))


def _tags(estate: Estate, change: Supposed) -> Estate:
    def merged(tags: Mapping[str, str]) -> dict[str, str]:
        return {key: value for key, value in {**tags, **change.tags}.items() if value is not None}

    def of_identity(identity: Identity) -> Identity:
        # IAM keeps one tag of keys that differ in case.
        # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
        new = set(map(str.lower, change.tags))
        others = {key: value for key, value in identity.tags.items() if key.lower() not in new}
        return replace(identity, tags=merged(others))

    if change.of.startswith("arn:"):
        return _of_identity(estate, change, of_identity)

    def of_repository(one: Repository) -> Repository:
        if one.tags is None:
            raise NotInEstate(f"the tags of {printable(change.of, 200)} were not read", remedy=_READ_TAGS)
        return replace(one, tags=merged(one.tags))

    return _of_repository(estate, change, of_repository)


_READ_TAGS = "ask on a snapshot that has them: ecr-warden snapshot reads them, the hub does not"


_HOW: Mapping[ChangeKind, Callable[[Estate, Supposed], Estate]] = {
    ChangeKind.IDENTITY_POLICY: _identity_policy,
    ChangeKind.MANAGED_POLICY: _managed_policy,
    ChangeKind.BOUNDARY: _boundary,
    ChangeKind.TRUST_POLICY: _trust_policy,
    ChangeKind.REPOSITORY_POLICY: _repository_policy,
    ChangeKind.REGISTRY_POLICY: _registry_policy,
    ChangeKind.SERVICE_CONTROL_POLICY: _control_policy,
    ChangeKind.RESOURCE_CONTROL_POLICY: _control_policy,
    ChangeKind.ENDPOINT_POLICY: _endpoint_policy,
    ChangeKind.TAGS: _tags,
}


def _with_account(estate: Estate, account: EcrAccount) -> Estate:
    return replace(estate, accounts={**estate.accounts, account.id: account})


def _with_registry(estate: Estate, account: str, registry: Registry) -> Estate:
    ecr_account = estate.accounts[account]
    return _with_account(estate, replace(ecr_account, registries={**ecr_account.registries, registry.region: registry}))


def _absent(change: Supposed, what: str, known: Iterable[str]) -> NotInEstate:
    hint = did_you_mean("".join(nearest(change.of, known)))
    return NotInEstate(
        f"there is no {what} {printable(change.of, 200)} in the accounts that were read{hint}",
        remedy=f"write {OF_WHAT[change.kind]}",
    )


_ARN_OF = "the ARN of a {}".format
_ACCOUNTS = "an account's ID, that of an organizational unit or root, or * for all that were read"
OF_WHAT: Mapping[ChangeKind, str] = {
    ChangeKind.IDENTITY_POLICY: _ARN_OF("user, role or group"),
    ChangeKind.MANAGED_POLICY: _ARN_OF("managed policy"),
    ChangeKind.BOUNDARY: _ARN_OF("user or role"),
    ChangeKind.TRUST_POLICY: _ARN_OF("role"),
    ChangeKind.REPOSITORY_POLICY: "a repository, ACCOUNT/REGION/NAME",
    ChangeKind.REGISTRY_POLICY: "a registry, ACCOUNT/REGION",
    ChangeKind.SERVICE_CONTROL_POLICY: _ACCOUNTS,
    ChangeKind.RESOURCE_CONTROL_POLICY: _ACCOUNTS,
    ChangeKind.ENDPOINT_POLICY: "the name of a VPC endpoint, as you like",
    ChangeKind.TAGS: "the ARN of a user or role, or a repository, ACCOUNT/REGION/NAME",
}
"""What a change of each kind is of, in words."""
