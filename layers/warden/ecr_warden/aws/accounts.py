"""Sessions in the accounts: one cached for reading, a new one for each plan's writes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from botocore.config import Config
from msgspec import Struct, field

from ecr_warden.aws.deadline import MEMBER_RESERVE, InvocationDeadline
from ecr_warden.aws.errors import translated
from ecr_warden.aws.member_errors import STS
from ecr_warden.aws.pace import keep_pace
from ecr_warden.core.clock import Clock
from ecr_warden.core.failures import AccountUnreachable, BlockedByDeny, OutOfTime, PortError, SessionPolicyTooLarge
from ecr_warden.core.own_sessions import session_name
from iam_access.arn import IAM_REGION, iam_arn

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

READ_SESSION = timedelta(hours=1)  # the longest with role chaining
WRITE_SESSION = timedelta(seconds=900)  # the shortest that STS allows
_RENEW_BEFORE_END = timedelta(minutes=5)

CALLS_AT_ONCE = 16

CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=CALLS_AT_ONCE,
)
"""A call that hangs through all its attempts leaves most of a repair's time."""
BULK_CONFIG = CLIENT_CONFIG.merge(Config(read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1}))
"""For answers that take AWS long to put together: whoever asks tries again for less."""
BULK_RESERVE = 45.0
"""As MEMBER_RESERVE, for these: the last one finishes, and what was read is kept."""

# botocore reads its models when it creates a client, which is not thread-safe.
_MAKING = Lock()


class Session(Protocol):
    """Creates clients: a boto3 session, or the part of one that is needed."""

    @property
    def client(self) -> Callable[..., Any]:
        """As boto3.Session.client."""


class AccountClients(Protocol):
    """Clients of one account, with one session's credentials."""

    @property
    def iam(self) -> "IAMClient": ...

    @property
    def bulk_iam(self) -> "IAMClient":
        """For answers about a whole account."""

    def ecr(self, region: str) -> "ECRClient": ...

    def of(self, service: str, region: str) -> Any:
        """A client of another service."""


class Accounts(Protocol):
    """Sessions in the accounts that the spec names."""

    def reader(self, account: str) -> AccountClients:
        """Clients that may read; raises AccountUnreachable, ExplicitlyDenied or OutOfTime."""

    def writer(self, account: str, run_id: str, session_policy: str) -> AccountClients:
        """Clients that may do only what `session_policy` allows; raises the same, or SessionPolicyTooLarge."""


class SessionClients:
    """Clients of a session, each created at first use; thread-safe."""

    def __init__(
        self,
        session: Session,
        credentials: dict[str, str] | None = None,
        deadline: InvocationDeadline | None = None,
        share: float | None = None,
    ) -> None:
        # One session for all: each new one loads every service model again.
        self._session = session
        self._credentials: dict[str, Any] = credentials or {}
        self._deadline = deadline or InvocationDeadline()
        self._share = share
        self._clients: dict[tuple[str, str, float], Any] = {}

    @property
    def iam(self) -> "IAMClient":
        client: IAMClient = self.of("iam", IAM_REGION)
        return client

    @property
    def bulk_iam(self) -> "IAMClient":
        client: IAMClient = self._made("iam", IAM_REGION, BULK_CONFIG, BULK_RESERVE)
        return client

    def ecr(self, region: str) -> "ECRClient":
        client: ECRClient = self.of("ecr", region)
        return client

    def of(self, service: str, region: str) -> Any:
        return self._made(service, region, CLIENT_CONFIG, MEMBER_RESERVE)

    def _made(self, service: str, region: str, config: Config, reserve: float) -> Any:
        key = service, region, reserve
        with _MAKING:
            if key not in self._clients:
                client = self._deadline.guarded(
                    self._session.client(service, region_name=region, config=config, **self._credentials), reserve
                )
                if self._share is not None:
                    keep_pace(client, self._share)
                self._clients[key] = client
            return self._clients[key]


class HubAccounts(Struct):
    """Roles assumed from the hub: ecr-warden-read (cached) and ecr-warden-write (never cached).

    The trust policies in stacks/member.yaml require the external ID, and for the write role a SourceIdentity that names
    the run.
    """

    session: Session
    external_id: str
    clock: Clock
    deadline: InvocationDeadline = field(default_factory=InvocationDeadline)
    share: float | None = None
    """Of what AWS answers readers; None for readers who go as fast as they can."""
    _sts: "STSClient | None" = None
    _readers: dict[str, tuple[datetime, AccountClients]] = field(default_factory=dict)
    _entering: dict[str, Lock] = field(default_factory=dict)

    def reader(self, account: str) -> AccountClients:
        # Threads that need the same account assume its role once.
        with self._entering.setdefault(account, Lock()):
            cached = self._readers.get(account)
            now = self.clock.now()
            if cached and now < cached[0]:
                return cached[1]
            name = session_name("read")
            clients = self._assume(
                account, "ecr-warden-read", share=self.share, RoleSessionName=name, seconds=READ_SESSION
            )
            self._readers[account] = (now + READ_SESSION - _RENEW_BEFORE_END, clients)
            return clients

    def writer(self, account: str, run_id: str, session_policy: str) -> AccountClients:
        name = session_name(run_id)
        return self._assume(
            account,
            "ecr-warden-write",
            RoleSessionName=name,
            SourceIdentity=name,
            Policy=session_policy,
            seconds=WRITE_SESSION,
        )

    def _assume(
        self, account: str, role: str, *, seconds: timedelta, share: float | None = None, **arguments: Any
    ) -> AccountClients:
        arn = iam_arn(account, f"role/ecr-warden/{role}")
        try:
            with translated(STS, f"assuming {arn}"):
                answer = self._own().assume_role(
                    RoleArn=arn, ExternalId=self.external_id, DurationSeconds=int(seconds.total_seconds()), **arguments
                )
        except (BlockedByDeny, OutOfTime, SessionPolicyTooLarge):
            raise
        except PortError as error:
            raise AccountUnreachable(error.message, remedy=error.remedy, retryable=error.retryable) from error
        given = answer["Credentials"]
        return SessionClients(
            self.session,
            {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            },
            self.deadline,
            share,
        )

    def _own(self) -> "STSClient":
        with _MAKING:
            if self._sts is None:
                self._sts = self.deadline.guarded(self.session.client("sts", config=CLIENT_CONFIG), MEMBER_RESERVE)
            return self._sts
