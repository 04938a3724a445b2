"""How each repository of the spec stands, from what the hub remembers: InSync, Audited and Fresh.

`status` asks for it at any time; an audit keeps it, so that each condition says since when it holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta
from functools import cached_property, partial

from msgspec import Struct

from ecr_warden.audit.finding import (
    AuditRecord,
    Certainty,
    Condition,
    ConditionStatus,
    FindingKind,
    RepositoryHealth,
    SeenFinding,
)
from ecr_warden.audit.finding_changes import grouped
from ecr_warden.audit.finding_texts import sentence
from ecr_warden.audit.unread import lines
from ecr_warden.collect.estate import StoredPiece
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec, TargetSpec
from ecr_warden.core.lasting import ago
from ecr_warden.core.part import part_of
from ecr_warden.core.pause import Pause, pause_of
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, target_arn
from ecr_warden.state.fight import fights
from ecr_warden.state.state import State, TargetRecord
from ecr_warden.state.sweeps import SweepRecord
from ecr_warden.state.target_status import Standing, TargetStatus
from iam_access.document.document import Document
from iam_access.document.glob import Glob
from iam_access.document.variables import literal_glob
from iam_access.gather import gather
from iam_access.text.printable import count, first, show_time

_NAMED = 3
_RATE = re.compile(r"rate\(([0-9]{1,5}) (minute|hour|day)s?\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# A sweep that is slow, or retried after an error, is not overdue yet; nor is one that was just missed.
_GRACE = timedelta(minutes=10)
# When a cron expression is due is not worked out here.
_LONGEST_CRON = timedelta(days=1)
# They concern the repositories of their registry.
_OF_REGISTRY = (FindingKind.REGISTRY, FindingKind.REPLICATION)


def interval_of(schedule: str) -> timedelta:
    """From one sweep to the next, by the schedule of the sweeps."""
    found = _RATE.fullmatch(schedule)
    return int(found[1]) * _UNITS[found[2]] if found else _LONGEST_CRON


def longest_gap(schedule: str) -> timedelta:
    """How long after a sweep the next one is overdue."""
    return stuck_after(schedule) + (interval_of(schedule) if _RATE.fullmatch(schedule) else timedelta())


def stuck_after(schedule: str) -> timedelta:
    """How long nothing is done of a queue that has jobs before they are stuck: each tick puts one on every queue."""
    return interval_of(schedule) + (_GRACE if _RATE.fullmatch(schedule) else timedelta())


def statuses(
    targets: Iterable[Target],
    state: State,
    sweeps: Mapping[str, SweepRecord],
    accepted: CompiledSpec,
    now: datetime,
) -> dict[str, TargetStatus]:
    """What is remembered of each target, by key; `sweeps`: by part. Raises PortError."""
    known = {target.key: target for target in targets}
    records, by_pattern = state.records([*known.values()]), state.pattern_pauses()

    def status(target: Target) -> TargetStatus:
        record = records.get(target.key, TargetRecord())
        pause = pause_of(target, record.pause, by_pattern, now)
        known = _status(target, record, pause, sweeps.get(part_of(target)), accepted)
        return replace(known, fights=fights(record.repairs))

    return {key: status(target) for key, target in known.items()}


def _status(
    target: Target, record: TargetRecord, pause: Pause | None, sweep: SweepRecord | None, accepted: CompiledSpec
) -> TargetStatus:
    """The status of a target, from whichever read it last: a run of it, or a sweep of its part.

    A sweep knows only whether a target differed, not how.
    """
    left = "" if record.opened is None else record.opened.effect
    known = TargetStatus(str(target), record.last, pause, record.open_run, record.reported is not None, left=left)
    if sweep is None or (record.last is not None and record.last.at >= sweep.at):
        return known
    run_id, result = (record.last.run_id, record.last.result) if record.last is not None else ("", None)
    if sweep.version != accepted.version:
        # It compared with another version, and could read what it calls fine.
        was_read = result is Result.UNKNOWN and target.key in sweep.fine
        return replace(known, last=LastSeen(sweep.at, run_id)) if was_read else known
    if target.key in sweep.fine:
        return replace(known, last=LastSeen(sweep.at, run_id, Result.IN_SYNC), trouble=False, left="")
    if target.key in sweep.due:
        return replace(known, last=LastSeen(sweep.at, run_id, result), trouble=True, due=True)
    return known


class Involved(Struct, frozen=True, dict=True):
    """Who is involved in the access to each repository of a spec."""

    accepted: CompiledSpec

    def of(self, repository: RepositoryTarget) -> tuple[Target, ...]:
        """The repository, and the roles and users that its grants need.

        Its policy names who pulls, and the policies of push roles name it; a role's trust policy names who may use it.
        """
        found: dict[str, Target] = {}
        waiting: list[Target] = [repository, *self._push_roles(target_arn(repository))]
        while waiting:
            target = waiting.pop()
            spec = self.accepted.spec_of(target)
            if target.key not in found and spec is not None:
                found[target.key] = target
                waiting += spec.principals.values()
        return tuple(found.values())

    def parts(self, repository: RepositoryTarget) -> frozenset[str]:
        """The parts of the estate that decide who has access to it."""
        return frozenset((repository.account, *map(part_of, self.of(repository))))

    def _push_roles(self, arn: str) -> Iterator[Target]:
        named, patterns = self._by_resource
        yield from named.get(arn, ())
        yield from (role for pattern, roles in patterns for role in roles if pattern.matches(arn))

    @cached_property
    def _by_resource(self) -> tuple[Mapping[str, list[Target]], list[tuple[Glob, list[Target]]]]:
        """The push roles by the repositories that their policies name: by ARN, and by pattern."""
        roles = (spec for spec in self.accepted.targets.values() if isinstance(spec.target, RoleTarget))
        found = gather((name, spec.target) for spec in roles for name in dict.fromkeys(_resources(spec)))
        patterns = [(literal_glob(name), roles) for name, roles in found.items() if "*" in name or "?" in name]
        return found, patterns


def _resources(spec: TargetSpec) -> Iterator[str]:
    """The ARNs that a role's identity policies name as resources."""
    for address, document in spec.granted.items():
        if address.kind is AddressKind.IDENTITY_POLICY and isinstance(document, Document):
            for statement in document.statements:
                values = statement.resources.values if statement.resources is not None else ()
                yield from (value for value in values if value.startswith("arn:"))


class AuditedAccess(Struct, frozen=True, dict=True):
    """The condition `Audited` of the spec's repositories, by the record of an audit."""

    involved: Involved
    record: AuditRecord | None
    now: datetime

    @property
    def accepted(self) -> CompiledSpec:
        """The spec that it is about."""
        return self.involved.accepted

    def of(self, repository: RepositoryTarget) -> Condition:
        """The condition, without regard to how long ago the audit was."""
        record, unknown = self.record, partial(Condition, ConditionStatus.UNKNOWN)
        if record is None:
            return unknown("NotAudited", "there was no audit yet", self.now)
        if record.failure:
            return unknown("AuditFailed", f"the last audit failed: {record.failure}", record.at)
        if record.version != self.accepted.version:
            return unknown("AnotherVersion", f"the last audit is of version {record.version} of the spec", record.at)
        parts, found = self.involved.parts(repository), self._concerning(repository)
        certain = [seen for seen in found if seen.finding.certainty is not Certainty.UNKNOWN]
        if certain:
            reason = "".join(word.capitalize() for word in certain[0].finding.kind.split("-"))
            return Condition(
                ConditionStatus.FALSE, reason, _sentences(certain), min(seen.first_seen for seen in certain)
            )
        if found:
            return unknown("Undecided", _sentences(found), min(seen.first_seen for seen in found))
        if unread := [
            one for one in record.unread if (str(repository) in one.opens if one.opens else one.place in parts)
        ]:
            return unknown("Unread", f"could not be read: {'; '.join(first(lines(unread), _NAMED))}", record.at)
        if record.left_out:
            message = f"{count(record.left_out, 'finding')} are not kept, and may concern it"
            return unknown("TooManyFindings", message, record.at)
        return Condition(
            ConditionStatus.TRUE,
            "Audited",
            "exactly those whom the spec names can pull and push, by the policies that could be read",
            record.at,
        )

    def _concerning(self, repository: RepositoryTarget) -> list[SeenFinding]:
        whole = [
            seen
            for seen in self._by_place.get(part_of(repository), ())
            if seen.finding.kind in _OF_REGISTRY or (seen.finding.kind is FindingKind.UPSTREAM and seen.finding.foreign)
        ]
        fitting = [seen for seen in whole if literal_glob(seen.finding.scope or "*").matches(repository.name)]
        return [*fitting, *self._by_place.get(str(repository), ())]

    @cached_property
    def _by_place(self) -> Mapping[str, list[SeenFinding]]:
        findings = self.record.findings if self.record is not None else ()
        return gather((seen.finding.place, seen) for seen in findings)


class Health(Struct, frozen=True, dict=True):
    """What conditions are worked out from.

    `sweeps`, `kept`: the last sweep and survey of each part.
    """

    involved: Involved
    statuses: Mapping[str, TargetStatus]
    """Of the targets that are involved, by key."""
    record: AuditRecord | None
    """Of the last audit."""
    sweeps: Mapping[str, SweepRecord]
    kept: Mapping[str, StoredPiece]
    gap: timedelta
    """The longest allowed time after both."""
    now: datetime

    def of(self, repository: RepositoryTarget) -> RepositoryHealth:
        """The conditions of a repository of the spec; what did not change holds since it was kept."""
        parts = sorted(self.involved.parts(repository))
        before = self.record.health.get(str(repository)) if self.record is not None else None
        return RepositoryHealth(
            _since(before.in_sync if before else None, self._in_sync(self.involved.of(repository))),
            _since(before.audited if before else None, self._audited(repository)),
            _since(before.fresh if before else None, self._fresh(parts)),
        )

    def access(self, repository: RepositoryTarget) -> Condition:
        """Whether exactly those have access whom the spec names: unknown too if that was audited too long ago."""
        health = self.of(repository)
        if health.audited.status is not ConditionStatus.TRUE or health.fresh.status is ConditionStatus.TRUE:
            return health.audited
        return Condition(ConditionStatus.UNKNOWN, health.fresh.reason, health.fresh.message, health.fresh.since)

    @property
    def left(self) -> tuple[TargetStatus, ...]:
        """The targets that a run left otherwise than the spec says, and that no audit has looked at since."""
        audited_at = None if self.record is None else self.record.audited_at
        return tuple(status for status in self.statuses.values() if status.is_left_since(audited_at))

    def _audited(self, repository: RepositoryTarget) -> Condition:
        """By the audit, and by what runs have left since."""
        involved, found = {str(target) for target in self.involved.of(repository)}, self._access.of(repository)
        left = [status.left for status in self.left if status.target in involved]
        if left and found.status is ConditionStatus.TRUE:
            return Condition(ConditionStatus.FALSE, "LeftByRun", "; ".join(first(left, _NAMED)), self.now)
        return found

    @cached_property
    def _access(self) -> AuditedAccess:
        return AuditedAccess(self.involved, self.record, self.now)

    def _in_sync(self, targets: Iterable[Target]) -> Condition:
        statuses = (self.statuses[target.key] for target in targets)
        by_standing = gather((status.standing, status) for status in statuses)
        for standing, reason, verdict in _VERDICTS:
            if found := by_standing.get(standing):
                named = ", ".join(first([target_status.target for target_status in found], _NAMED))
                return Condition(verdict, reason, f"{standing}: {named}", self._looked(found))
        found = by_standing.get(Standing.OK, [])
        return Condition(
            ConditionStatus.TRUE,
            "InSync",
            f"{count(len(found), 'target')} as the spec says: the repository and who is granted access",
            self._looked(found),
        )

    def _looked(self, found: Iterable[TargetStatus]) -> datetime:
        return max((status.last.at for status in found if status.last is not None), default=self.now)

    def _fresh(self, parts: Iterable[str]) -> Condition:
        looked = {part: list(self._looks_at(part)) for part in parts}
        if missing := [
            f"{part} was never {what}" for part, looks in looked.items() for what, at in looks if at is None
        ]:
            return Condition(ConditionStatus.UNKNOWN, "NeverRead", "; ".join(first(missing, _NAMED)), self.now)
        looks = [(at, part, what) for part, pairs in looked.items() for what, at in pairs if at is not None]
        at, part, what = min(looks)
        message = f"{part} was last {what} {ago((self.now - at).total_seconds())}, at {show_time(at)}"
        if self.now - at > self.gap:
            return Condition(ConditionStatus.FALSE, "Overdue", message, at + self.gap)
        return Condition(ConditionStatus.TRUE, "Fresh", f"all of it was swept and read since {show_time(at)}", at)

    def _looks_at(self, part: str) -> Iterator[tuple[str, datetime | None]]:
        sweep, kept = self.sweeps.get(part), self.kept.get(part)
        yield "swept", sweep.at if sweep is not None else None
        yield "surveyed", kept.at if kept is not None else None


_VERDICTS = (
    (Standing.DIFFERS, "Drifted", ConditionStatus.FALSE),
    (Standing.UNKNOWN, "Unreadable", ConditionStatus.UNKNOWN),
    (Standing.PENDING, "NotYetRead", ConditionStatus.UNKNOWN),
)


def _sentences(found: Iterable[SeenFinding]) -> str:
    return "; ".join(first(map(sentence, grouped(found)), _NAMED))


def _since(before: Condition | None, now: Condition) -> Condition:
    if before is None or before.status is not now.status:
        return now
    return Condition(now.status, now.reason, now.message, before.since)
