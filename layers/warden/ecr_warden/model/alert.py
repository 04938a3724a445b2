"""What is announced on the outcomes bus, and the message that people get."""

from msgspec import Struct

from ecr_warden.model.job import Cause, Job
from ecr_warden.model.run import RunReport, Severity
from ecr_warden.model.value import Count, Moment, Value


class _Alert(Value, frozen=True, tag_field="kind"):
    cause: Cause


class SpecRefused(_Alert, frozen=True, tag="spec-refused"):
    """A version of the spec was not accepted; `problems` as `validate` prints them, `left_out`: how many more."""

    version: str
    enforced: str | None
    problems: tuple[str, ...]
    left_out: Count = 0


class SpecAccepted(_Alert, frozen=True, tag="spec-accepted"):
    """A version became the accepted one; `changed`: keys of the targets whose desired state it changed.

    `left_out`: how many of the changed, the released and the warnings are not here.
    """

    version: str
    replaces: str | None
    changed: tuple[str, ...]
    released: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[Count, Count, Count] = (0, 0, 0)


class TargetsPaused(_Alert, frozen=True, tag="paused"):
    """Somebody has ecr-warden write nothing to `targets` (their keys) until an end; `left_out`: how many more."""

    targets: tuple[str, ...]
    reason: str
    until: Moment
    left_out: Count = 0


class TargetsResumed(_Alert, frozen=True, tag="resumed"):
    """Somebody ended pauses early; `targets`: the keys of those that were paused, `left_out`: how many more."""

    targets: tuple[str, ...]
    left_out: Count = 0


COMPILED_SPEC = "compiled spec"


class OwnChanged(_Alert, frozen=True, tag="own-changed"):
    """Somebody changed what ecr-warden works by; `thing`: `role ecr-warden-read`, `account`: empty in the hub."""

    account: str
    thing: str


class Unlisted(_Alert, frozen=True, tag="unlisted"):
    """Lists that could not be read: repositories that fit a pattern, or users and roles of an account.

    `problems`: what stands for each, why, and what to do; `left_out`: how many more. `codes`: of all the errors, each
    once.
    """

    version: str
    problems: tuple[str, ...]
    codes: tuple[str, ...]
    left_out: Count = 0


class JobFailed(_Alert, frozen=True, tag="job-failed"):
    """A job reached its last attempt, and nothing is known of how it ended: its process may have been killed.

    `job`: None where it cannot be read, for the reason in `error`.
    """

    job: Job | None
    error: str = ""


type Alert = RunReport | SpecRefused | SpecAccepted | Unlisted | OwnChanged | TargetsPaused | TargetsResumed | JobFailed


class Field(Struct, frozen=True):
    """A labelled line of a message."""

    label: str
    text: str


class Message(Struct, frozen=True):
    """What a channel renders; all text is plain and unescaped: each channel escapes for itself."""

    severity: Severity
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()
