"""A run of one target: what is journalled before its first write, how it ended, and what it leaves to the next."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct

from ecr_warden.core.address import Address
from ecr_warden.core.codec.base import forms
from ecr_warden.core.desired import Mode
from ecr_warden.core.job import Cause
from ecr_warden.core.lasting import Opened
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.value import Count, Moment, Value


class _Outcome(Value, frozen=True, tag_field="outcome"):
    change: Change


class Applied(_Outcome, frozen=True, tag="applied"):
    """The change was written."""


class Skipped(_Outcome, frozen=True, tag="skipped"):
    """Not tried: the stop switch, a pause, a lost lease, or an earlier change of the plan that failed."""

    reason: str


class Conflict(_Outcome, frozen=True, tag="conflict"):
    """The live document was not the one that the plan was made from: nothing was written."""


class Failed(_Outcome, frozen=True, tag="failed"):
    """AWS refused."""

    code: str
    message: str
    retryable: bool
    """The same write may succeed in a minute."""
    remedy: str = ""
    """What a person can do."""


type Outcome = Applied | Skipped | Conflict | Failed


class RunReport(Value, frozen=True, tag_field="kind", tag="run"):
    """One run of one target, from the first reading to verification: what the journal keeps of it."""

    run_id: str
    cause: Cause
    mode: Mode
    result: Result
    plan: Plan
    outcomes: tuple[Outcome, ...]
    started_at: Moment
    finished_at: Moment
    accounts: tuple[str, ...] = ()
    """Those that the spec names; principals in any other are outsiders."""
    attempt: Count = 1
    final: bool = True
    """False if the job will be retried and nothing was written."""
    intruder: bool = False
    """The event came from a session of the write role that no run of ours opened."""
    contested: Count = 0
    """How often in a row somebody else wrote between reading and writing, if the job gave up because of it."""
    again: bool = False
    """It narrowed a document for at least the third time within a minute."""
    of_fight: bool = False
    """It only repaired what somebody keeps restoring, and let in nobody from outside: the messages on the fight count
    it."""
    of_version: bool = False
    """It wrote what no run had written there yet: a version of the spec gives it."""
    opened: Opened = Opened()
    """What it found."""
    goes_on: Moment | None = None
    """Until when, at the latest, sessions go on that were opened through a trust policy that it narrowed."""
    uses: Mapping[str, str] = {}
    """What whoever uses a role can do by it, by the names of the roles that the target is or may assume."""
    severity: Severity | None = None
    """Of the whole report. The journal may have to leave out what makes it severe, because an attacker can make the
    content of an account exceed any size limit."""

    @property
    def applied(self) -> tuple[Change, ...]:
        """The changes that were written."""
        return tuple(outcome.change for outcome in self.outcomes if isinstance(outcome, Applied))

    @property
    def narrowed_only(self) -> frozenset[Address]:
        """The documents of which it wrote the part that takes access away, and held the rest."""
        return frozenset(hold.drift.address for hold in self.plan.held) & {change.address for change in self.applied}


class OpenRun(Value, frozen=True):
    """What the journal has before the first write: enough to finish and report the run if its process dies."""

    run_id: str
    cause: Cause
    mode: Mode
    plan: Plan
    started_at: Moment


class Debts(Struct, frozen=True):
    """What earlier runs of a target left to do."""

    sessions: Sessions | None = None
    """Those that may have been opened through a trust policy that was narrowed; unless AWS services alone may assume
    the role, they have to be denied until the last of them has expired."""
    sessions_ended: bool = False
    """The cut-off has been written, so if it is absent, somebody deleted it."""
    recreated_principals: tuple[str, ...] = ()
    """ARNs of users or roles that were recreated since the target's documents were last written."""
    revoked_until: datetime | None = None
    """The date of the last `AWSRevokeOlderSessions` that was ahead of the clock and was left: one a day."""


class LastSeen(Value, frozen=True):
    """When a run last read a target, and its result; None if the run did not end."""

    at: Moment
    run_id: str = ""
    result: Result | None = None


class RunEntry(Value, frozen=True):
    """A journal entry in lists of runs. `result`, `finished_at`: None while the run is open."""

    run_id: str
    target: str
    cause: Cause
    started_at: Moment
    result: Result | None = None
    written: Count = 0
    """How many writes succeeded."""
    finished_at: Moment | None = None

    @classmethod
    def of(cls, run: OpenRun | RunReport) -> "RunEntry":
        """A run's entry."""
        entry = cls(run.run_id, str(run.plan.target), run.cause, run.started_at)
        if isinstance(run, OpenRun):
            return entry
        return replace(entry, result=run.result, written=len(run.applied), finished_at=run.finished_at)


entry_to_json, entry_from_json = forms("journal entry", RunEntry)
