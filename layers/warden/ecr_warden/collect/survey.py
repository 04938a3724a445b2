"""Reads pieces of the estate and keeps them, because of an event or in a sweep.

What has changed is audited: by the job's cause, so that people learn of both in one message.
"""

from collections.abc import Callable, Collection, Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from ecr_warden.collect.estate import EstateReader, EstateStore, Needed, Piece, Reading, ReportedCall, policy_times
from ecr_warden.core.clock import Clock
from ecr_warden.core.failures import RetryLater
from ecr_warden.core.job import (
    FIRST_AND_LAST,
    Attempt,
    AuditAccess,
    Cause,
    CauseKind,
    SurveyIdentities,
    SurveyPart,
    SurveyRegistry,
)
from ecr_warden.core.queue import Jobs
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.sweeps import parts_of

SETTLED = timedelta(seconds=5)
"""A reading that began this long after a change shows it: IAM's changes are not visible everywhere at once."""
POLICIES_KEPT = timedelta(hours=24)
"""The age at which the policy of a repository is read again even if no event names it, and one of AWS's.

The text of a version of AWS's never changes: it is read again in case somebody wrote another one into the bucket.
"""

CALLS_KEPT, MOST_CALLS = timedelta(hours=1), 100
"""How long, and how many calls of a part are kept: the latest."""

type Json = Mapping[str, Any]


class Survey(Struct, frozen=True):
    """The use case over its ports; it reads accounts, and writes nothing but the kept pieces."""

    specs: AcceptedSpecs
    reader: EstateReader
    store: EstateStore
    jobs: Jobs
    clock: Clock

    def take(self, job: SurveyPart, attempt: Attempt = FIRST_AND_LAST) -> str:
        """Read a piece and keep it, have it audited if it has changed, and return what was done, for the log.

        An error that may be over within a minute is raised as RetryLater, and nothing is kept, unless this is the last
        attempt. Raises PortError if the piece cannot be kept.
        """
        accepted, part = self.specs.accepted(), job.part
        if accepted is None or part not in parts_of(accepted):
            return "not in the spec"
        self._note(job)
        last = self.store.get(part)
        if last is not None and shows(_read_at(last, job), job.cause):
            return "surveyed since"
        if last is not None and isinstance(job, SurveyRegistry) and job.repository:
            return self._keep(self._with_repository(job, last, attempt), last, job.cause)
        last = None  # a large account's piece takes hundreds of megabytes: never three of them at once
        return self.keep(part, self.clock.now(), self.read(part), job.cause, attempt)

    def _note(self, job: SurveyPart) -> None:
        """Keep who called what: the audit of a change tells by that whose call it may have been.

        The last of each kind: nobody pushes others' calls out by making the same one again and again.
        """
        if job.cause.kind is not CauseKind.EVENT:
            return
        now, made = self.clock.now(), ReportedCall(job.cause, job.target)
        known = (one for one in self.store.calls(job.part) if now - one.cause.happened(now) < CALLS_KEPT)
        others = [one for one in known if _kind(one) != _kind(made)]
        self.store.note(job.part, [*others, made][-MOST_CALLS:])

    def read(self, part: str, named: Collection[str] = (), is_due: Callable[[str], bool] = lambda _: False) -> Reading:
        """Read a part as it is now, but for policies of repositories that were read not long ago.

        `named`: repositories that are read also where they are not listed; `is_due`: of which repositories the policy
        is read in any case. Raises PortError if what is kept cannot be looked at.
        """
        account, _, region = part.partition("/")
        now = self.clock.now()
        if not region:
            return self.reader.identities(account, self.store.texts(now - POLICIES_KEPT))
        last = self.store.get(part)
        older = {} if last is None else {name: one for name, one in _policies(last, now).items() if not is_due(name)}
        reading = self.reader.registry(account, region, {name: one["policy"] for name, one in older.items()}, named)
        return replace(reading, entry=_dated(reading.entry, {name: one["policyReadAt"] for name, one in older.items()}))

    def keep(self, part: str, began: datetime, reading: Reading, cause: Cause, attempt: Attempt) -> str:
        """Keep what was read of a part since `began`, as `take` does."""
        piece = self._piece(part, began, reading, attempt)
        # Surveys of events and of sweeps do not wait for each other: this one may have begun first and end last.
        last = self.store.get(part)
        if last is not None and last.began > began:
            return "surveyed since"
        return self._keep(piece if last is None else _with_later(piece, last), last, cause)

    def _keep(self, piece: Piece, last: Piece | None, cause: Cause) -> str:
        self.store.put(piece)
        # What a run left is news to an audit although nothing has changed since the survey of the change.
        if last is not None and last.entry == piece.entry and cause.kind is not CauseKind.RUN:
            return "unchanged"
        self.jobs.enqueue([AuditAccess(cause, piece.part)])
        return "changed"

    def _piece(self, part: str, began: datetime, reading: Reading, attempt: Attempt) -> Piece:
        entry = _read(reading, attempt)
        for policy, text in reading.texts.items():
            self.store.put_text(policy, text)
        return Piece(part, began, entry)

    def fresh(self, part: str, since: datetime, attempt: Attempt) -> None:
        """Read a part anew for a verdict, whether the accepted version has it or not, unless it was since then.

        No policy is taken from an earlier reading. Raises RetryLater, or a PortError if the piece cannot be kept.
        """
        last = self.store.get(part)
        if last is not None and min((last.began, *policy_times(last).values())) > since:
            return
        began, last = self.clock.now(), None
        piece = self._piece(part, began, self.read(part, is_due=lambda _: True), attempt)
        last = self.store.get(part)
        self.store.put(piece if last is None else _with_later(piece, last))

    def _policy(self, target: RepositoryTarget) -> Reading:
        [(_, reading)] = self.reader.some(Needed(repositories=(target,)))
        return reading

    def _with_repository(self, job: SurveyRegistry, last: Piece, attempt: Attempt) -> Piece:
        """The kept piece with one repository as it is now."""
        target = RepositoryTarget(job.account, job.region, job.repository)
        now = self.clock.now()
        found = _dated(_read(self._policy(target), attempt), {target.name: now.isoformat()})
        last = self.store.get(last.part) or last  # a survey of the whole registry may have ended meanwhile
        others = {name: one for name, one in _repositories(last.entry).items() if name != target.name}
        repositories = others | _repositories(found)
        entry = {**last.entry, "repositories": [repositories[name] for name in sorted(repositories)]}
        if unread := [*last.entry.get("unread", ()), *(one for one in found.get("unread", ()))]:
            entry["unread"] = [one for number, one in enumerate(unread) if one not in unread[:number]]
        return Piece(last.part, last.began, entry)


def _kind(call: ReportedCall) -> object:
    return call.target, call.cause.action, call.cause.actor and call.cause.actor.principal


def survey_of(part: str, cause: Cause) -> SurveyPart:
    """The job that surveys a part, as state.sweeps names parts."""
    account, _, region = part.partition("/")
    return SurveyRegistry(cause, account, region) if region else SurveyIdentities(cause, account)


def _read_at(last: Piece, job: SurveyPart) -> datetime:
    """When what the job is about was read: a repository's policy may be older than its piece."""
    if isinstance(job, SurveyRegistry) and job.repository:
        known = _repositories(last.entry).get(job.repository, {})
        return datetime.fromisoformat(known.get("policyReadAt", last.began.isoformat()))
    return last.began


def shows(read_at: datetime, cause: Cause) -> bool:
    """Whether something was read so long after the event that it shows what the event reports."""
    at = cause.time if cause.kind is CauseKind.EVENT else None
    return at is not None and read_at > at + SETTLED


def _read(reading: Reading, attempt: Attempt) -> Json:
    """What was read; raises RetryLater if trying again may read more."""
    if reading.passing is not None and not attempt.is_last:
        raise RetryLater(str(reading.passing), retryable=True) from reading.passing
    return reading.entry


def _repositories(entry: Json) -> dict[str, Json]:
    return {one["repositoryName"]: one for one in entry["repositories"]}


def _policies(last: Piece, now: datetime) -> dict[str, Json]:
    """The entries of the last piece whose policies need not be read again, each with the time of its reading."""
    dated = _dated(last.entry, dict.fromkeys(_repositories(last.entry), last.began.isoformat()))
    return {
        name: one
        for name, one in _repositories(dated).items()
        if "policy" in one and now - datetime.fromisoformat(one["policyReadAt"]) < POLICIES_KEPT
    }


def _with_later(piece: Piece, kept: Piece) -> Piece:
    """A piece with the policies that were read, one by one, since it was begun."""
    if "repositories" not in piece.entry:
        return piece
    began = piece.began.isoformat()
    later = {name: one for name, one in _repositories(kept.entry).items() if one.get("policyReadAt", "") > began}
    repositories = _repositories(piece.entry) | later
    return replace(piece, entry={**piece.entry, "repositories": [repositories[name] for name in sorted(repositories)]})


def _dated(entry: Json, read_at: Mapping[str, str]) -> Json:
    """The entry with the times of policies that were read earlier than the rest."""

    def dated(one: Json) -> Json:
        name = one["repositoryName"]
        return {"policyReadAt": read_at[name], **one} if name in read_at and "policy" in one else one

    return {**entry, "repositories": [dated(one) for one in entry["repositories"]]}
