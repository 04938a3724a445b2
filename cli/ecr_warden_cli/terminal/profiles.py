"""Sessions in the accounts by the profiles of a person, who reads and writes nothing."""

from collections.abc import Callable

from msgspec import Struct, field

from ecr_warden.aws.accounts import AccountClients, Session, SessionClients
from ecr_warden.core.failures import AccountUnreachable
from iam_access.once import once

SHARE = 0.8
"""Of what AWS answers a client that keeps a pace, by default (docs/adr/0026)."""


class ProfileAccounts(Struct):
    """Read-only use from a laptop: one session per account, by profile.

    What AWS answers is shared with the repairs of a hub.
    """

    session_of: Callable[[str], Session]
    """Raises AccountUnreachable."""
    _readers: dict[str, AccountClients] = field(default_factory=dict)

    def reader(self, account: str) -> AccountClients:
        return once(self._readers, account, lambda: SessionClients(self.session_of(account), share=SHARE))

    def writer(self, account: str, run_id: str, session_policy: str) -> AccountClients:  # noqa: ARG002
        raise AccountUnreachable(f"account {account} is opened for reading only")
