"""What can set ecr-warden to work: the typed forms of the events that `dispatch` gets."""

from enum import StrEnum

from msgspec import Struct, field

from ecr_warden.errors import WardenError
from ecr_warden.model.job import Actor


class TriggerError(WardenError):
    """The event is not what it says it is, or a version that is not understood."""

    code = "trigger"


class Service(StrEnum):
    """The services whose calls are watched; the values are their IAM prefixes."""

    ECR = "ecr"
    IAM = "iam"


class Parameters(Struct, frozen=True):
    """The request parameters that name what a call changed, as the caller sent them; empty when not sent."""

    repository: str = ""
    registry: str = ""
    role: str = ""
    user: str = ""
    new_user: str = ""
    policy: str = ""  # an ARN


class ApiCall(Struct, frozen=True):
    """An ECR or IAM call that CloudTrail reports, done or refused.

    `account`: whose trail tells of it, empty only where nothing depends on it. `at`: ISO 8601, empty when the record
    has no usable time. `error`: AWS's code if the call failed.
    """

    event_id: str
    service: Service
    name: str
    account: str
    region: str
    at: str = ""
    parameters: Parameters = field(default_factory=Parameters)
    error: str = ""
    actor: Actor = field(default_factory=lambda: Actor("Unknown"))

    @property
    def action(self) -> str:
        """`iam:PutRolePolicy`."""
        return f"{self.service}:{self.name}"


class SpecChanged(Struct, frozen=True):
    """Somebody wrote or deleted an object of a bucket; `version_id` is empty if the bucket keeps no versions.

    `misplaced`: it looks like a spec and stands under another key than the one that is read.
    """

    event_id: str
    bucket: str
    key: str
    version_id: str
    at: str
    actor: Actor
    deleted: bool = False
    misplaced: bool = False


class SweepDue(Struct, frozen=True):
    """The schedule fired."""

    event_id: str
    at: str


class Ignored(Struct, frozen=True):
    """Nothing to do, and why."""

    why: str


type Trigger = ApiCall | SpecChanged | SweepDue
