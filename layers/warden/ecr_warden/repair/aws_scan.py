"""Reading whole accounts with the fewest calls, for sweeps and write scopes.

GetAccountAuthorizationDetails returns everything about users and roles except MaxSessionDuration, which ListRoles
returns; each repository policy takes a call of its own. Sources: the API references of these operations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ecr_warden.aws.accounts import CALLS_AT_ONCE, AccountClients, Accounts
from ecr_warden.aws.deadline import Patience
from ecr_warden.aws.errors import translated
from ecr_warden.aws.member_errors import IAM
from ecr_warden.core.address import Address, attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.failures import PortError, Unanswered, crashed
from ecr_warden.core.observed import Observation, Observed, Present, as_unreadable
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.repair.aws_reading import (
    PAGE,
    is_tagged_ours,
    observed_document,
    observed_settings,
    read_repository_policy,
)
from ecr_warden.repair.documents import AccountUnread
from ecr_warden.repair.extent import limited_to, missing, unreadable
from ecr_warden.repair.orphans import is_orphan
from ecr_warden.repair.write_scope import WriteScope, lists_in
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_WRITE_ROLE = ":role/ecr-warden/ecr-warden-write"


def scan_accounts(
    accounts: Accounts, specs: Sequence[TargetSpec], searched: Sequence[str], patience: Patience
) -> Iterator[Observation | AccountUnread]:
    """Observe every spec's target, and every orphan in the accounts `searched`, or which accounts cannot be searched.

    Accounts and repositories are read in parallel.
    """
    identities: dict[str, list[TargetSpec]] = {account: [] for account in searched}
    repositories: list[tuple[TargetSpec, RepositoryTarget]] = []
    for spec in specs:
        if isinstance(spec.target, RepositoryTarget):
            repositories.append((spec, spec.target))
        else:
            identities.setdefault(spec.target.account, []).append(spec)
    pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="scan")
    try:
        scan = _Scan(accounts, pool, patience)
        scan.open([*identities, *(target.account for _, target in repositories)])
        pending = [
            pool.submit(scan.identities, account, wanted, is_searched=account in searched)
            for account, wanted in identities.items()
        ]
        pending += [pool.submit(scan.repository, spec, target) for spec, target in repositories]
        for future in pending:
            yield from future.result()
    finally:
        # A caller that stops early does not wait for thousands of reads.
        pool.shutdown(cancel_futures=True)


type _Found = list[Observation | AccountUnread]


class _Scan(Struct, frozen=True):
    """One scan: each account's role is assumed once, and a region that does not answer is not asked again.

    `silent`: why, by account and region.
    """

    accounts: Accounts
    pool: ThreadPoolExecutor
    patience: Patience
    sessions: dict[str, Future[AccountClients]] = field(default_factory=dict)
    silent: dict[tuple[str, str], Unanswered] = field(default_factory=dict)

    def open(self, accounts: Iterable[str]) -> None:
        """Open the sessions first, so that pool threads only wait for sessions that are already being opened."""
        for account in dict.fromkeys(accounts):
            self.sessions[account] = self.pool.submit(self.patience, partial(self.accounts.reader, account))

    def repository(self, spec: TargetSpec, target: RepositoryTarget) -> _Found:
        place = target.account, target.region
        silent = self.silent.get(place)
        if silent is not None:
            return [unreadable(spec, as_unreadable(silent))]
        try:
            ecr = self.sessions[target.account].result().ecr(target.region)
            observed = self.patience(lambda: read_repository_policy(ecr, target))
        except PortError as error:
            if isinstance(error, Unanswered):
                self.silent[place] = error
            return [unreadable(spec, as_unreadable(error))]
        except Exception as error:
            return [unreadable(spec, as_unreadable(crashed(f"reading {target}", error)))]
        return [Observation(target, {repository_policy(target): observed})]

    def identities(self, account: str, specs: Sequence[TargetSpec], *, is_searched: bool) -> _Found:
        """An observation for each spec, then the orphans, or an AccountUnread if they cannot be found."""
        try:
            found = dict(_identities(self.sessions[account].result(), account, self.patience))
        except PortError as error:
            return _unread(account, specs, error, is_searched=is_searched)
        except Exception as error:
            return _unread(account, specs, crashed(f"reading {account}", error), is_searched=is_searched)
        result: _Found = []
        for spec in specs:
            match found.pop(spec.target.key, None):
                case None:
                    result.append(missing(spec))
                case PortError() as why:
                    result.append(unreadable(spec, as_unreadable(why)))
                case observation:
                    result.append(limited_to(spec, observation))
        if is_searched:
            unread = [error for error in found.values() if isinstance(error, PortError)]
            result += [one for one in found.values() if isinstance(one, Observation) and is_orphan(one)]
            result += [AccountUnread(account, error) for error in unread[:1]]
        return result


def _unread(account: str, specs: Sequence[TargetSpec], error: PortError, *, is_searched: bool) -> _Found:
    targets: _Found = [unreadable(spec, as_unreadable(error)) for spec in specs]
    return [*targets, AccountUnread(account, error)] if is_searched else targets


def _identities(
    clients: AccountClients, account: str, patience: Patience
) -> Iterator[tuple[str, Observation | PortError]]:
    """Each user and role by its key, with an error in place of one that could not be interpreted."""
    iam = clients.iam

    def pages(operation: Callable[..., Any]) -> Iterator[Any]:
        def page() -> Any:
            with translated(IAM, f"reading the users and roles of {account}"):
                return operation(**start)

        start: dict[str, Any] = {}
        while True:
            found = patience(page)
            yield found
            if not found.get("IsTruncated"):
                return
            start = {"Marker": found["Marker"]}

    durations = {
        entry["RoleName"]: entry.get("MaxSessionDuration", 3600)
        for page in pages(lambda **start: iam.list_roles(MaxItems=PAGE, **start))
        for entry in page["Roles"]
    }
    details = pages(
        lambda **start: iam.get_account_authorization_details(Filter=["User", "Role"], MaxItems=PAGE, **start)
    )
    for page in details:
        for user in page["UserDetailList"]:
            yield _made(UserTarget(account, user["UserName"]), partial(_user, detail=user))
        for detail in page["RoleDetailList"]:
            made = partial(_role, detail=detail, durations=durations)
            yield _made(RoleTarget(account, detail["RoleName"]), made)


def _made[T: IdentityTarget](target: T, make: Callable[[T], Observation]) -> tuple[str, Observation | PortError]:
    """One identity; an error in it does not stop the account's others."""
    try:
        return target.key, make(target)
    except Exception as error:
        return target.key, crashed(f"reading {target}", error)


def _user(target: UserTarget, detail: Mapping[str, Any]) -> Observation:
    documents = _inline(target, detail.get("UserPolicyList", ())) | _attached(target, detail)
    return Observation(target, documents, detail["UserId"])


def _role(target: RoleTarget, detail: Mapping[str, Any], durations: Mapping[str, int]) -> Observation:
    documents: dict[Address, Observed] = {
        role(target): observed_settings({**detail, "MaxSessionDuration": durations.get(target.name, 3600)}),
        trust_policy(target): observed_document(detail["AssumeRolePolicyDocument"], DocumentKind.TRUST),
    }
    documents |= _inline(target, detail.get("RolePolicyList", ())) | _attached(target, detail)
    return Observation(target, documents, detail["RoleId"], is_tagged_ours(detail.get("Tags", ())))


def _attached(target: IdentityTarget, detail: Mapping[str, Any]) -> dict[Address, Observed]:
    arns = (policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", ()))
    return {attached_policy(target, arn): Present(None, arn) for arn in arns}


def _inline(target: IdentityTarget, policies: Iterable[Mapping[str, Any]]) -> dict[Address, Observed]:
    return {
        identity_policy(target, policy["PolicyName"]): observed_document(
            policy["PolicyDocument"], DocumentKind.IDENTITY
        )
        for policy in policies
    }


def read_write_scope(iam: "IAMClient", account: str) -> WriteScope:
    """The users and roles in an account, and those that its member stack lets ecr-warden write; raises PortError.

    Read from the write role's own policies.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    arns: dict[str, str] = {}
    managed: dict[str, Mapping[str, Any]] = {}
    write_role: Mapping[str, Any] | None = None
    with translated(IAM, f"reading the write scope of {account}"):
        pages = iam.get_paginator("get_account_authorization_details").paginate(
            Filter=["User", "Role", "LocalManagedPolicy"], PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            arns |= {UserTarget(account, user["UserName"]).key: user["Arn"] for user in page["UserDetailList"]}
            for role in page["RoleDetailList"]:
                arns[RoleTarget(account, role["RoleName"]).key] = role["Arn"]
                if role["Arn"].endswith(_WRITE_ROLE):
                    write_role = role
            managed |= {policy["Arn"]: policy for policy in page["Policies"]}
    if write_role is None:
        return WriteScope(arns, None)
    return WriteScope(arns, lists_in(_policies_of(write_role, managed)))


def _policies_of(role: Mapping[str, Any], managed: Mapping[str, Mapping[str, Any]]) -> Iterator[Document]:
    """The role's inline and customer managed policies; one that cannot be parsed allows nothing."""
    raw = [policy["PolicyDocument"] for policy in role.get("RolePolicyList", ())]
    for attached in role.get("AttachedManagedPolicies", ()):
        versions = managed.get(attached["PolicyArn"], {}).get("PolicyVersionList", ())
        raw += [version["Document"] for version in versions if version["IsDefaultVersion"]]
    for text in raw:
        observed = observed_document(text, DocumentKind.IDENTITY)
        if isinstance(observed, Present) and isinstance(observed.value, Document):
            yield observed.value
