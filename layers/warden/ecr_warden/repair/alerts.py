"""Alerts about repairs, pauses, the stop switch, the ends of grants, and calls that repair nothing."""

from enum import StrEnum

from ecr_warden.core.alert import AlertBase
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Actor, Job, PauseMoment, Queue
from ecr_warden.core.result import Severity
from ecr_warden.core.target import Target
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.state.fight import Fight


class EndMoment(StrEnum):
    """The times at which people hear of the end of a grant."""

    WEEK = "week"
    DAY = "day"
    ENDED = "ended"


class GrantsEnd(AlertBase, frozen=True, tag="grants-end"):
    """Grants of the accepted spec end in a week or in a day, or have ended; `grants`: each in words, with its end."""

    moment: EndMoment
    version: str
    grants: tuple[str, ...]
    left_out: Count = 0


class TargetsPaused(AlertBase, frozen=True, tag="paused"):
    """A command paused `targets`, given by their keys, and whatever comes to fit `patterns`."""

    targets: tuple[str, ...]
    reason: str
    until: Moment
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class TargetsResumed(AlertBase, frozen=True, tag="resumed"):
    """A command ended the pauses of `targets`, given by their keys, and of whatever comes to fit `patterns`."""

    targets: tuple[str, ...]
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class PauseReached(AlertBase, frozen=True, tag="pause-reached"):
    """A pause has lasted another day, or has ended.

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


class WritesSwitched(AlertBase, frozen=True, tag="writes-switched"):
    """The stop switch was changed, or has stopped all writes for another day.

    `stopped`: why nothing is written, "" if writes are on. `changes`: the latest first, `left_out` more. `since`: when
    the last announcement was, if this one only repeats it.
    """

    stopped: str
    changes: tuple[SwitchTurn, ...] = ()
    since: Moment | None = None
    left_out: Count = 0


COMPILED_SPEC = "compiled spec"


class OwnChanged(AlertBase, frozen=True, tag="own-changed"):
    """One of ecr-warden's own resources was changed; `thing`: `role ecr-warden-read`, `account`: empty in the hub."""

    account: str
    thing: str


class HarmfulCall(AlertBase, frozen=True, tag="harmful-call"):
    """A call that changes no document, on what the spec names: a user's credential, or how long images last.

    `target`, `account`, `region`: as of the job (ReportCall).
    """

    target: Target | None
    account: str = ""
    region: str = ""


class JobFailed(AlertBase, frozen=True, tag="job-failed"):
    """A job failed on its last attempt; the cause is unknown, because its process may have been killed.

    `job`: None if it cannot be parsed, for the reason in `error`; `queue`: where it waited.
    """

    job: Job | None
    error: str = ""
    queue: Queue = Queue.REPAIR


class FightMoment(StrEnum):
    """What people hear of a fight."""

    BEGAN = "began"
    ENDED = "ended"


class FightNoticed(AlertBase, frozen=True, tag="fight"):
    """Somebody keeps restoring a version of a document, or has stopped doing so.

    `drift`: that version against the spec's; None at the end. `severity`: of the repair by which it was noticed.
    """

    moment: FightMoment
    fight: Fight
    drift: Drift | None = None
    accounts: tuple[str, ...] = ()
    run_id: str = ""
    severity: Severity = Severity.INFO
