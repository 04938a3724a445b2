"""Reading whole accounts with the fewest calls: a sweep's eyes.

GetAccountAuthorizationDetails has everything of users and roles but MaxSessionDuration, which ListRoles has; each
repository's policy is a call of its own. Sources: the API references of these operations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ecr_warden.adapters.aws import live_value
from ecr_warden.adapters.aws.accounts import AccountClients, Accounts
from ecr_warden.adapters.aws.errors import IAM, translated
from ecr_warden.adapters.aws.owners import is_tagged_ours
from ecr_warden.adapters.aws.repositories import read_repository_policy
from ecr_warden.model.address import (
    OUR_POLICY_PREFIX,
    Address,
    AddressKind,
    attached_policy,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.model.desired import TargetSpec
from ecr_warden.model.observed import Absent, Observation, Observed, OwnerMissing, Present, Unreadable
from ecr_warden.model.target import OwnerTarget, RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.policy.document import DocumentKind
from ecr_warden.ports import PortError

PAGE = 1000
READS_AT_ONCE = 16


def scan_accounts(accounts: Accounts, specs: Sequence[TargetSpec], names: Sequence[str]) -> Iterator[Observation]:
    """Observe every spec's target, and every owner in the accounts `names` that holds something under our names."""
    repositories = [spec for spec in specs if isinstance(spec.target, RepositoryTarget)]
    with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="scan") as pool:
        pending = pool.map(lambda spec: _read_repository(accounts, spec.target), repositories)
        for account in names:
            wanted = [spec for spec in specs if spec.target.account == account and spec not in repositories]
            yield from _scan_owners(accounts, account, wanted)
        yield from pending


def _read_repository(accounts: Accounts, target: RepositoryTarget) -> Observation:
    try:
        observed = read_repository_policy(accounts.reader(target.account).ecr(target.region), target)
    except PortError as error:
        observed = Unreadable(error, error.retryable)
    return Observation(target, {repository_policy(target): observed})


def _scan_owners(accounts: Accounts, account: str, specs: Sequence[TargetSpec]) -> Iterator[Observation]:
    try:
        found = {observation.target.key: observation for observation in _owners(accounts.reader(account), account)}
    except PortError as error:
        for spec in specs:
            unreadable = {address: Unreadable(error, error.retryable) for address in spec.documents}
            yield Observation(spec.target, unreadable)
        return
    for spec in specs:
        observation = found.pop(spec.target.key, None)
        yield observation or Observation(spec.target, {a: _of_missing_owner(a) for a in spec.documents})
    yield from (observation for observation in found.values() if _holds_ours(observation))


def _of_missing_owner(address: Address) -> Observed:
    return Absent() if address.kind is AddressKind.ROLE else OwnerMissing()


def _holds_ours(observation: Observation) -> bool:
    if isinstance(observation.target, RoleTarget) and observation.tagged_ours:
        return True
    return any(
        address.kind is AddressKind.IDENTITY_POLICY and address.name.startswith(OUR_POLICY_PREFIX)
        for address in observation.documents
    )


def _owners(clients: AccountClients, account: str) -> Iterator[Observation]:
    iam = clients.iam
    with translated(IAM, f"reading the users and roles of {account}"):
        durations = {
            entry["RoleName"]: entry.get("MaxSessionDuration", 3600)
            for page in iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": PAGE})
            for entry in page["Roles"]
        }
        pages = iam.get_paginator("get_account_authorization_details").paginate(
            Filter=["User", "Role"], PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for user in page["UserDetailList"]:
                target = UserTarget(account, user["UserName"])
                yield Observation(target, _inline(target, user.get("UserPolicyList", ())), user["UserId"])
            for detail in page["RoleDetailList"]:
                yield _role(RoleTarget(account, detail["RoleName"]), detail, durations)


def _role(target: RoleTarget, detail: Mapping[str, Any], durations: Mapping[str, int]) -> Observation:
    documents: dict[Address, Observed] = {
        role(target): live_value.role_settings({**detail, "MaxSessionDuration": durations.get(target.name, 3600)}),
        trust_policy(target): live_value.document(detail["AssumeRolePolicyDocument"], DocumentKind.TRUST),
    }
    documents |= _inline(target, detail.get("RolePolicyList", ()))
    for policy in detail.get("AttachedManagedPolicies", ()):
        documents[attached_policy(target, policy["PolicyArn"])] = Present(None, policy["PolicyArn"])
    return Observation(target, documents, detail["RoleId"], is_tagged_ours(detail.get("Tags", ())))


def _inline(target: OwnerTarget, policies: Iterable[Mapping[str, Any]]) -> dict[Address, Observed]:
    return {
        identity_policy(target, policy["PolicyName"]): live_value.document(
            policy["PolicyDocument"], DocumentKind.IDENTITY
        )
        for policy in policies
    }
