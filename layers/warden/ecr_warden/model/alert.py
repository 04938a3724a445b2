"""What is announced on the outcomes bus, and the message that people get."""

from datetime import datetime

from msgspec import Struct

from ecr_warden.model.job import Cause, Job
from ecr_warden.model.run import RunReport, Severity


class SpecRefused(Struct, frozen=True):
    """A version of the spec was not accepted; `problems` as `validate` prints them, `left_out`: how many more."""

    cause: Cause
    version: str
    enforced: str | None
    problems: tuple[str, ...]
    left_out: int = 0


class SpecAccepted(Struct, frozen=True):
    """A version became the accepted one; `changed`: keys of the targets whose desired state it changed.

    `left_out`: how many of the changed, the released and the warnings are not here.
    """

    cause: Cause
    version: str
    replaces: str | None
    changed: tuple[str, ...]
    released: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[int, int, int] = (0, 0, 0)


class TargetsPaused(Struct, frozen=True):
    """Somebody has ecr-warden write nothing to `targets` (their keys) until an end; `left_out`: how many more."""

    cause: Cause
    targets: tuple[str, ...]
    reason: str
    until: datetime
    left_out: int = 0


class TargetsResumed(Struct, frozen=True):
    """Somebody ended pauses early; `targets`: the keys of those that were paused, `left_out`: how many more."""

    cause: Cause
    targets: tuple[str, ...]
    left_out: int = 0


COMPILED_SPEC = "compiled spec"


class OwnChanged(Struct, frozen=True):
    """Somebody changed what ecr-warden works by; `thing`: `role ecr-warden-read`, `account`: empty in the hub."""

    cause: Cause
    account: str
    thing: str


class Unlisted(Struct, frozen=True):
    """Lists that could not be read: repositories that fit a pattern, or users and roles of an account.

    `problems`: what stands for each, why, and what to do; `left_out`: how many more. `codes`: of all the errors, each
    once.
    """

    cause: Cause
    version: str
    problems: tuple[str, ...]
    codes: tuple[str, ...]
    left_out: int = 0


class JobFailed(Struct, frozen=True):
    """A job reached its last attempt, and nothing is known of how it ended: its process may have been killed.

    `job`: None where it cannot be read, for the reason in `error`.
    """

    cause: Cause
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
