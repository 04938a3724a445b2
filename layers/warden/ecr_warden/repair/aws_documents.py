"""The Documents port over boto3.

Writing and scanning are imported where they are used, to keep cold starts without drift short.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ecr_warden.aws.accounts import CALLS_AT_ONCE, Accounts
from ecr_warden.aws.deadline import InvocationDeadline
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import RepositoryPattern, TargetSpec
from ecr_warden.core.failures import PortError, crashed
from ecr_warden.core.observed import Observation, as_unreadable
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.repair.aws_reading import (
    list_names,
    list_providers,
    read_audiences,
    read_identity,
    read_identity_tags,
    read_repository_policy,
    read_repository_tags,
)
from ecr_warden.repair.documents import AccountUnread, RepositoryListing
from ecr_warden.repair.extent import unreadable

if TYPE_CHECKING:
    from ecr_warden.repair.aws_writer import AwsWriter
    from ecr_warden.repair.write_scope import WriteScope
    from iam_access.inventory.inventory import Providers, Unread


class AwsDocuments(Struct, frozen=True):
    """Live documents, read and written in their accounts."""

    accounts: Accounts
    deadline: InvocationDeadline = field(default_factory=InvocationDeadline)
    sleep: Callable[[float], None] = time.sleep

    def read(self, spec: TargetSpec) -> Observation:
        target = spec.target
        try:
            clients = self.accounts.reader(target.account)
            if isinstance(target, RepositoryTarget):
                observed = read_repository_policy(clients.ecr(target.region), target)
                return Observation(target, {repository_policy(target): observed})
        except PortError as error:
            return unreadable(spec, as_unreadable(error))
        return read_identity(clients.iam, target, spec)

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation | AccountUnread]:
        from ecr_warden.aws.deadline import Patience  # noqa: PLC0415
        from ecr_warden.repair.aws_scan import scan_accounts  # noqa: PLC0415

        return scan_accounts(self.accounts, specs, accounts, Patience(self.deadline, self.sleep))

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> RepositoryListing:
        places = sorted({(pattern.account, pattern.region) for pattern in patterns})
        found: set[RepositoryTarget] = set()
        unread: list[tuple[RepositoryPattern, PortError]] = []
        for (account, region), names in zip(places, _side_by_side(self._names, places), strict=True):
            here = [pattern for pattern in patterns if (pattern.account, pattern.region) == (account, region)]
            if isinstance(names, PortError):
                unread += [(pattern, names) for pattern in here]
                continue
            existing = (RepositoryTarget(account, region, name) for name in names)
            found.update(target for target in existing if any(pattern.covers(target) for pattern in here))
        return RepositoryListing(tuple(sorted(found)), tuple(unread))

    def write_scopes(self, accounts: Sequence[str]) -> "Mapping[str, WriteScope | PortError]":
        return dict(zip(accounts, _side_by_side(self._write_scope, accounts), strict=True))

    def _write_scope(self, account: str) -> "WriteScope | PortError":
        from ecr_warden.repair.aws_scan import read_write_scope  # noqa: PLC0415

        try:
            return read_write_scope(self.accounts.reader(account).iam, account)
        except PortError as error:
            return error
        except Exception as error:
            return crashed(f"reading the write scope of {account}", error)

    def tags(self, targets: Sequence[Target]) -> Mapping[Target, Mapping[str, str] | PortError]:
        return dict(zip(targets, _side_by_side(self._tags, targets), strict=True))

    def _tags(self, target: Target) -> Mapping[str, str] | PortError:
        try:
            clients = self.accounts.reader(target.account)
            if isinstance(target, RepositoryTarget):
                found = read_repository_tags(clients.ecr(target.region), target)
            else:
                found = read_identity_tags(clients.iam, target)
            return {tag["Key"]: tag["Value"] for tag in found}
        except PortError as error:
            return error
        except Exception as error:
            return crashed(f"reading the tags of {target}", error)

    def providers(self, accounts: Sequence[str]) -> "Mapping[str, Providers | Unread]":
        return dict(zip(accounts, _side_by_side(self._providers, accounts), strict=True))

    def _providers(self, account: str) -> "Providers | Unread":
        from iam_access.inventory.inventory import Unread  # noqa: PLC0415

        try:
            iam = self.accounts.reader(account).iam
            read = {arn: read_audiences(iam, arn) for arn in list_providers(iam, account)}
            return {arn: audiences for arn, audiences in read.items() if audiences is not None}
        except PortError as error:
            return Unread("identity providers", error.code)
        except Exception as error:
            return Unread("identity providers", crashed(f"reading the identity providers of {account}", error).code)

    def _names(self, place: tuple[str, str]) -> list[str] | PortError:
        account, region = place
        try:
            return list(list_names(self.accounts.reader(account).ecr(region), account, region))
        except PortError as error:
            return error
        except Exception as error:
            return crashed(f"listing the repositories of {account} in {region}", error)

    def writer(self, plan: Plan, run_id: str) -> "AwsWriter":
        from ecr_warden.repair.aws_writer import AwsWriter, open_sessions  # noqa: PLC0415

        return AwsWriter(open_sessions(plan, partial(self.accounts.writer, plan.target.account, run_id)))


def _side_by_side[T, R](read: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) <= 1:
        return [read(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="read") as pool:
        return list(pool.map(read, items))
