"""The Documents port over boto3.

Writing is imported where it is used, to keep cold starts without drift short.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec import Struct

from ecr_warden.aws.accounts import CALLS_AT_ONCE, Accounts
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import RepositoryPattern, TargetSpec
from ecr_warden.core.failures import PortError, found_or_why
from ecr_warden.core.observed import Observation, as_unreadable
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.aws_reading import list_names, read_identity, read_repository_policy
from ecr_warden.repair.aws_writer import AwsWriter, open_sessions
from ecr_warden.repair.documents import RepositoryListing
from ecr_warden.repair.extent import unreadable


class AwsDocuments(Struct, frozen=True):
    """Live documents, read and written in their accounts."""

    accounts: Accounts

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

    def _names(self, place: tuple[str, str]) -> list[str] | PortError:
        account, region = place
        return found_or_why(
            f"listing the repositories of {account} in {region}",
            lambda: list(list_names(self.accounts.reader(account).ecr(region), account, region)),
        )

    def writer(self, plan: Plan, run_id: str) -> AwsWriter:
        return AwsWriter(open_sessions(plan, partial(self.accounts.writer, plan.target.account, run_id)))


def _side_by_side[T, R](read: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) <= 1:
        return [read(item) for item in items]
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="read") as pool:
        return list(pool.map(read, items))
