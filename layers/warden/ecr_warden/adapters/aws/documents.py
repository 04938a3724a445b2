"""The Documents port over boto3.

What one event in many needs, writing and scanning, is imported where it is used: a cold start without drift is shorter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.accounts import Accounts
from ecr_warden.adapters.aws.owners import read_owner
from ecr_warden.adapters.aws.repositories import list_names, read_repository_policy
from ecr_warden.adapters.readings import unreadable
from ecr_warden.model.address import repository_policy
from ecr_warden.model.desired import RepositoryPattern, TargetSpec
from ecr_warden.model.observed import Observation
from ecr_warden.model.plan import Plan
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.ports.documents import AccountUnread, Listing
from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:
    from ecr_warden.adapters.aws.writer import AwsWriter
    from ecr_warden.planning.fences import Fence


@dataclass(frozen=True, slots=True)
class AwsDocuments:
    """Live documents, read and written in the accounts that own them."""

    accounts: Accounts

    def read(self, spec: TargetSpec) -> Observation:
        target = spec.target
        try:
            clients = self.accounts.reader(target.account)
            if isinstance(target, RepositoryTarget):
                observed = read_repository_policy(clients.ecr(target.region), target)
                return Observation(target, {repository_policy(target): observed})
        except PortError as error:
            return unreadable(spec, error)
        return read_owner(clients.iam, target, spec)

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation | AccountUnread]:
        from ecr_warden.adapters.aws.scan import scan_accounts  # noqa: PLC0415

        return scan_accounts(self.accounts, specs, accounts)

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> Listing:
        found: set[RepositoryTarget] = set()
        unread: list[tuple[RepositoryPattern, PortError]] = []
        for account, region in sorted({(pattern.account, pattern.region) for pattern in patterns}):
            here = [pattern for pattern in patterns if (pattern.account, pattern.region) == (account, region)]
            try:
                names = list(list_names(self.accounts.reader(account).ecr(region), account, region))
            except PortError as error:
                unread += [(pattern, error) for pattern in here]
                continue
            existing = (RepositoryTarget(account, region, name) for name in names)
            found.update(target for target in existing if any(pattern.covers(target) for pattern in here))
        return Listing(tuple(sorted(found)), tuple(unread))

    def fence(self, account: str) -> "Fence":
        from ecr_warden.adapters.aws.fences import read_fence  # noqa: PLC0415

        return read_fence(self.accounts.reader(account).iam, account)

    def writer(self, plan: Plan, run_id: str) -> "AwsWriter":
        from ecr_warden.adapters.aws.session_policy import session_policy  # noqa: PLC0415
        from ecr_warden.adapters.aws.writer import AwsWriter  # noqa: PLC0415

        return AwsWriter(self.accounts.writer(plan.target.account, run_id, session_policy(plan)))
