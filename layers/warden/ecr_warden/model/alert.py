"""Alerts, and the message that people get.

`left_out` in an alert: how many entries its list omits. alerting/kinds words each kind.
"""

from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.drift import Drift
from ecr_warden.model.fight import Fight
from ecr_warden.model.finding import FindingGroup
from ecr_warden.model.hold import Hold
from ecr_warden.model.job import Actor, Cause, Job, PauseMoment, Queue
from ecr_warden.model.run import RunReport, Severity
from ecr_warden.model.target import Target
from ecr_warden.model.value import Count, Moment, Value
from ecr_warden.model.watch import Wire


class _Alert(Value, frozen=True, tag_field="kind"):
    cause: Cause


class SpecRefused(_Alert, frozen=True, tag="spec-refused"):
    """A version of the spec was refused; `problems` as `validate` prints them, `enforced`: the version that stays."""

    version: str
    enforced: str | None
    problems: tuple[str, ...]
    left_out: Count = 0


class SpecAccepted(_Alert, frozen=True, tag="spec-accepted"):
    """A version became the accepted one.

    `changed`: keys of the targets whose desired state it changed; `released`: keys of the removed
    targets that keep their documents. `left_out`: of the changed, the released and the warnings.
    """

    version: str
    replaces: str | None
    changed: tuple[str, ...]
    released: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[Count, Count, Count] = (0, 0, 0)


class EndMoment(StrEnum):
    """The times at which people hear of the end of a grant."""

    WEEK = "week"
    DAY = "day"
    ENDED = "ended"


class GrantsEnd(_Alert, frozen=True, tag="grants-end"):
    """Grants of the accepted spec end in a week or in a day, or have ended; `grants`: each in words, with its end."""

    moment: EndMoment
    version: str
    grants: tuple[str, ...]
    left_out: Count = 0


class HoldOpened(_Alert, frozen=True, tag="held"):
    """Something waits for a person."""

    hold: Hold


class HoldSettled(_Alert, frozen=True, tag="hold-settled"):
    """Somebody decided on a hold, or it ended otherwise; the hold says how."""

    hold: Hold


class TargetsPaused(_Alert, frozen=True, tag="paused"):
    """A command paused `targets`, given by their keys, and whatever comes to fit `patterns`."""

    targets: tuple[str, ...]
    reason: str
    until: Moment
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class TargetsResumed(_Alert, frozen=True, tag="resumed"):
    """A command ended the pauses of `targets`, given by their keys, and of whatever comes to fit `patterns`."""

    targets: tuple[str, ...]
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class PauseReached(_Alert, frozen=True, tag="pause-reached"):
    """A pause is half over, has lasted another day, or has ended.

    `targets`: the keys of those that it still held; `patterns`: likewise.
    """

    moment: PauseMoment
    targets: tuple[str, ...]
    reason: str
    until: Moment
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class SwitchTurn(Value, frozen=True):
    """One change of the stop switch. `stops`: nothing is written from then on; `by`: None if unknown."""

    at: Moment
    stops: bool
    by: Actor | None


class WritesSwitched(_Alert, frozen=True, tag="writes-switched"):
    """The stop switch was changed, or has stopped all writes for another day.

    `stopped`: why nothing is written, "" if writes are on. `changes`: the latest first, `left_out` more. `since`: when
    the last announcement was, if this one only repeats it.
    """

    stopped: str
    changes: tuple[SwitchTurn, ...] = ()
    since: Moment | None = None
    left_out: Count = 0


COMPILED_SPEC = "compiled spec"


class OwnChanged(_Alert, frozen=True, tag="own-changed"):
    """One of ecr-warden's own resources was changed; `thing`: `role ecr-warden-read`, `account`: empty in the hub."""

    account: str
    thing: str


class HarmfulCall(_Alert, frozen=True, tag="harmful-call"):
    """A call that changes no document, on what the spec names: a user's credential, or how long images last."""

    target: Target


class Unlisted(_Alert, frozen=True, tag="unlisted"):
    """Lists that could not be read: repositories that match a pattern, or users and roles of an account.

    `problems`: for each list its place, why, and what to do; `codes`: the error codes, each once.
    """

    version: str
    problems: tuple[str, ...]
    codes: tuple[str, ...]
    left_out: Count = 0


class EventMissed(_Alert, frozen=True, tag="event-missed"):
    """A sweep found drift, and no event has reported one of the calls that can have made it.

    `calls`: their names; `found`: when the sweep began.
    """

    target: Target
    calls: tuple[str, ...]
    found: Moment


class WiringChanged(_Alert, frozen=True, tag="wiring-changed"):
    """A sweep found the wiring of a part of it, or of the hub, other than the sweep before.

    `broken`: wires that are not on, or not known to be; `ended`: wires that are on again. `left_out`: of each.
    """

    part: str
    broken: tuple[Wire, ...] = ()
    ended: tuple[Wire, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)


class JobFailed(_Alert, frozen=True, tag="job-failed"):
    """A job failed on its last attempt; the cause is unknown, because its process may have been killed.

    `job`: None if it cannot be parsed, for the reason in `error`; `queue`: where it waited.
    """

    job: Job | None
    error: str = ""
    queue: Queue = Queue.REPAIR


class AccessProved(_Alert, frozen=True, tag="access-proved"):
    """A proof differs from the one before: in what it found, or because it failed.

    `appeared`, `ended`: the gravest first; `left_out`: of each. `is_first`: there was none before. `unread`: what could
    not be read, and `unread_left_out` more; `failure`: why nothing could be proved, "" if it was.
    """

    version: str
    appeared: tuple[FindingGroup, ...] = ()
    ended: tuple[FindingGroup, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
    is_first: bool = False
    unread: tuple[str, ...] = ()
    unread_left_out: Count = 0
    failure: str = ""


class FightMoment(StrEnum):
    """What people hear of a fight."""

    BEGAN = "began"
    ENDED = "ended"


class Fought(_Alert, frozen=True, tag="fight"):
    """Somebody keeps restoring a version of a document, or has stopped doing so.

    `drift`: that version against the spec's; None at the end. `severity`: of the repair by which it was noticed.
    """

    moment: FightMoment
    fight: Fight
    drift: Drift | None = None
    accounts: tuple[str, ...] = ()
    run_id: str = ""
    severity: Severity = Severity.INFO


type Alert = (
    RunReport
    | Fought
    | SpecRefused
    | SpecAccepted
    | GrantsEnd
    | HoldOpened
    | HoldSettled
    | Unlisted
    | OwnChanged
    | HarmfulCall
    | AccessProved
    | TargetsPaused
    | TargetsResumed
    | PauseReached
    | WritesSwitched
    | WiringChanged
    | EventMissed
    | JobFailed
)


class Field(Struct, frozen=True):
    """A labelled line of a message."""

    label: str
    text: str


class Message(Struct, frozen=True):
    """What a channel renders; all text is plain and unescaped, because each channel escapes in its own way."""

    severity: Severity
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()
