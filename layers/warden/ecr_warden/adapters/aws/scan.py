"""Reading whole accounts with the fewest calls: a sweep's eyes.

GetAccountAuthorizationDetails has everything of users and roles but MaxSessionDuration, which ListRoles has; each
repository's policy is a call of its own. Sources: the API references of these operations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from ecr_warden.adapters.aws import live_value
from ecr_warden.adapters.aws.accounts import CALLS_AT_ONCE, AccountClients, Accounts
from ecr_warden.adapters.aws.errors import IAM, translated
from ecr_warden.adapters.aws.owners import is_tagged_ours
from ecr_warden.adapters.aws.repositories import read_repository_policy
from ecr_warden.adapters.readings import as_asked, holds_ours, owner_missing, unreadable
from ecr_warden.model.address import Address, attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.model.desired import TargetSpec
from ecr_warden.model.observed import Observation, Observed, Present
from ecr_warden.model.target import OwnerTarget, RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.policy.document import DocumentKind
from ecr_warden.ports.documents import AccountUnread
from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PAGE = 1000


def scan_accounts(
    accounts: Accounts, specs: Sequence[TargetSpec], searched: Sequence[str]
) -> Iterator[Observation | AccountUnread]:
    """Observe every spec's target, and every owner in the accounts `searched` that holds something under our names.

    Or say which of these accounts could not be searched.
    """
    doors = _Doors(accounts)
    owners: dict[str, list[TargetSpec]] = {account: [] for account in searched}
    pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="scan")
    try:
        pending: list[Future[Observation]] = []
        for spec in specs:
            if isinstance(spec.target, RepositoryTarget):
                pending.append(_reading(pool, doors, spec, spec.target))
            else:
                owners.setdefault(spec.target.account, []).append(spec)
        for account, wanted in owners.items():
            found = _scan_owners(doors, account, wanted)
            yield from found if account in searched else islice(found, len(wanted))
        for future in pending:
            yield future.result()
    finally:
        # Whoever stops listening does not wait for thousands of readings.
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Doors:
    """Ways into accounts, each tried once: making a client is not safe in threads, and a closed account stays so."""

    accounts: Accounts
    opened: dict[str, AccountClients | PortError] = field(default_factory=dict)

    def reader(self, account: str) -> AccountClients:
        if account not in self.opened:
            try:
                self.opened[account] = self.accounts.reader(account)
            except PortError as error:
                self.opened[account] = error
        way = self.opened[account]
        if isinstance(way, PortError):
            raise way
        return way


def _reading(
    pool: ThreadPoolExecutor, doors: _Doors, spec: TargetSpec, target: RepositoryTarget
) -> Future[Observation]:
    try:
        ecr = doors.reader(target.account).ecr(target.region)
    except PortError as error:
        closed: Future[Observation] = Future()
        closed.set_result(unreadable(spec, error))
        return closed
    return pool.submit(_read_repository, ecr, spec, target)


def _read_repository(ecr: "ECRClient", spec: TargetSpec, target: RepositoryTarget) -> Observation:
    try:
        return Observation(target, {repository_policy(target): read_repository_policy(ecr, target)})
    except PortError as error:
        return unreadable(spec, error)


def _scan_owners(doors: _Doors, account: str, specs: Sequence[TargetSpec]) -> Iterator[Observation | AccountUnread]:
    """First an observation for each spec, then what no spec is for and is ours, or that nobody knows that."""
    try:
        found = {observation.target.key: observation for observation in _owners(doors.reader(account), account)}
    except PortError as error:
        yield from (unreadable(spec, error) for spec in specs)
        yield AccountUnread(account, error)
        return
    for spec in specs:
        observation = found.pop(spec.target.key, None)
        yield as_asked(spec, observation) if observation else owner_missing(spec)
    yield from filter(holds_ours, found.values())


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
                documents = _inline(target, user.get("UserPolicyList", ())) | _attached(target, user)
                yield Observation(target, documents, user["UserId"])
            for detail in page["RoleDetailList"]:
                yield _role(RoleTarget(account, detail["RoleName"]), detail, durations)


def _role(target: RoleTarget, detail: Mapping[str, Any], durations: Mapping[str, int]) -> Observation:
    documents: dict[Address, Observed] = {
        role(target): live_value.role_settings({**detail, "MaxSessionDuration": durations.get(target.name, 3600)}),
        trust_policy(target): live_value.document(detail["AssumeRolePolicyDocument"], DocumentKind.TRUST),
    }
    documents |= _inline(target, detail.get("RolePolicyList", ())) | _attached(target, detail)
    return Observation(target, documents, detail["RoleId"], is_tagged_ours(detail.get("Tags", ())))


def _attached(target: OwnerTarget, detail: Mapping[str, Any]) -> dict[Address, Observed]:
    arns = (policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", ()))
    return {attached_policy(target, arn): Present(None, arn) for arn in arns}


def _inline(target: OwnerTarget, policies: Iterable[Mapping[str, Any]]) -> dict[Address, Observed]:
    return {
        identity_policy(target, policy["PolicyName"]): live_value.document(
            policy["PolicyDocument"], DocumentKind.IDENTITY
        )
        for policy in policies
    }
