"""The events that `dispatch` acts on, in typed form."""

from enum import StrEnum

from msgspec import Struct, field

from ecr_warden.core.job import Actor
from iam_access.errors import NamedError


class TriggerError(NamedError, code="trigger"):
    """The event is malformed, or of a version that this release does not understand."""


class WatchedService(StrEnum):
    """The services whose calls are watched; values are IAM service prefixes."""

    ECR = "ecr"
    IAM = "iam"


class Blindable(StrEnum):
    """What a call that can blind or stop ecr-warden changes."""

    TRAIL = "trail"
    RULE = "rule"
    BUS = "bus"
    STACK = "stack"
    BUCKET = "bucket"
    QUEUE = "queue"
    KEY = "key"
    TOPIC = "topic"
    ALARM = "alarm"
    TABLE = "table"
    WEBHOOK = "webhook"
    FUNCTION = "function"
    MAPPING = "mapping"
    SWITCH = "stop switch"


class Parameters(Struct, frozen=True):
    """The request parameters that name what a call changed, as the caller sent them; "" when not sent."""

    repository: str = ""
    registry: str = ""
    role: str = ""
    user: str = ""
    new_user: str = ""
    policy: str = ""  # an ARN
    lengthens: bool = False
    """It sets how long sessions last, and to more than the hour that is the least."""
    ends: bool = False
    """It ends a credential."""


class ApiCall(Struct, frozen=True):
    """An ECR or IAM call that CloudTrail reports, successful or not."""

    event_id: str
    service: WatchedService
    name: str
    account: str
    """The account whose trail reports it; "" only where nothing depends on it."""
    region: str
    at: str = ""
    """ISO 8601, "" when the record has no usable time."""
    parameters: Parameters = field(default_factory=Parameters)
    error: str = ""
    """AWS's error code, or ""."""
    actor: Actor = field(default_factory=lambda: Actor("Unknown"))

    @property
    def action(self) -> str:
        """`iam:PutRolePolicy`."""
        return f"{self.service}:{self.name}"


class BlindingCall(Struct, frozen=True):
    """A successful call of another service on what ecr-warden sees or works through."""

    changes: Blindable
    """The kind of thing."""
    event_id: str
    action: str
    account: str
    region: str
    at: str
    thing: str
    """What it is, such as `rule ecr-warden-sweep in eu-central-1`."""
    effect: str
    """What that can do."""
    actor: Actor


class SpecChanged(Struct, frozen=True):
    """An object of a bucket was written or deleted; `version_id` is "" in a bucket without versioning."""

    event_id: str
    bucket: str
    key: str
    version_id: str
    at: str
    actor: Actor
    deleted: bool = False


class SweepDue(Struct, frozen=True):
    """The schedule fired."""

    event_id: str
    at: str


class HeartbeatSent(Struct, frozen=True):
    """A region of a member sent its heartbeat."""

    event_id: str
    account: str
    region: str
    at: str


class Ignored(Struct, frozen=True):
    """The event makes no job, because `why`."""

    why: str


type Trigger = ApiCall | BlindingCall | SpecChanged | SweepDue | HeartbeatSent
