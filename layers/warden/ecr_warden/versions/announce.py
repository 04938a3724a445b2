"""What is announced and recorded of versions of the spec: at least once, because it is kept only afterwards."""

from collections.abc import Sequence
from copy import replace
from itertools import repeat

from msgspec import Struct

from ecr_warden.access_spec import Problem
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Actor, AuditAccess, Cause, CauseKind, SweepAll, reconcile_jobs
from ecr_warden.core.queue import Jobs
from ecr_warden.state.history import HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.state.hold import Hold, HoldState
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused, SpecRestored
from ecr_warden.versions.changes import changed_patterns, changed_targets, newly_removed_patterns
from ecr_warden.versions.next_version import WHY_SETTLED
from iam_access.text.printable import cut, few, first

PROBLEMS_REPORTED = 50
PROBLEMS_RECORDED = 4

type Texts = tuple[tuple[str, ...], int]
"""Sentences, and how many more there are."""


def in_words(problems: Sequence[Problem], file_name: str) -> Texts:
    """The first problems as `validate` prints them."""
    shown, left_out = few(problems, PROBLEMS_REPORTED)
    return tuple(problem.at(file_name) for problem in shown), left_out


class AnnounceVersions(Struct, frozen=True):
    """The use case over its ports."""

    jobs: Jobs
    alerts: AlertBus
    log: HistoryLog
    clock: Clock

    def in_force(self, by: Cause, before: CompiledSpec | None, spec: CompiledSpec, warnings: Texts) -> SpecAccepted:
        """Enqueue what a version changes against the one `before`, and announce it; without, everything is changed."""
        changed = changed_targets(before, spec)
        patterns = changed_patterns(before, spec)
        left = newly_removed_patterns(spec)
        cause = Cause(CauseKind.SPEC, spec.version, at=by.at, actor=by.actor)
        self.jobs.enqueue(reconcile_jobs(cause, changed))
        if before is None or patterns or left:
            # Of the first nothing is known yet; and only AWS knows which repositories fit.
            self.jobs.enqueue([SweepAll(cause)])
        self.jobs.enqueue([AuditAccess(cause)])
        announcement = SpecAccepted(
            cause=by,
            version=spec.version,
            replaces=before.version if before else None,
            changed=(
                *(target.key for target in changed),
                *dict.fromkeys(pattern.target.key for pattern in (*patterns, *(pattern.pattern for pattern in left))),
            ),
            warnings=warnings[0],
            left_out=(0, warnings[1]),
        )
        self.alerts.publish(announcement)
        self._record(HistoryKind.SPEC_ACCEPTED, spec.version, by.actor, _effect(announcement))
        return announcement

    def refused(
        self, cause: Cause, version: str, enforced: str | None, problems: Texts, *, misplaced: bool = False
    ) -> SpecRefused:
        """Announce that a version, or a file under another key, is refused; `enforced`: the version that stays."""
        refusal = SpecRefused(cause, version, enforced, *problems, misplaced=misplaced)
        self.alerts.publish(refusal)
        texts = (*(cut(problem, 300) for problem in refusal.problems), *repeat("", refusal.left_out))
        self._record(HistoryKind.SPEC_REFUSED, version, cause.actor, "; ".join(first(texts, PROBLEMS_RECORDED)))
        return refusal

    def restored(self, cause: Cause, version: str) -> None:
        """Announce that the accepted version is the bucket's current one again."""
        self.alerts.publish(SpecRestored(cause, version))

    def hold(self, cause: Cause, hold: Hold) -> HoldOpened | None:
        """Announce that a version waits, which is returned, or what became of it."""
        shown = replace(hold, asked=None)
        if hold.state is not HoldState.WAITING:
            self.alerts.publish(HoldSettled(cause, shown))
            self._record(HistoryKind.HOLD_ENDED, hold.id, cause.actor, f"{hold.what}: {WHY_SETTLED[hold.state]}")
            return None
        opened = HoldOpened(cause if hold.asked is None else hold.asked.cause, shown)
        self.alerts.publish(opened)
        self._record(HistoryKind.HELD, hold.id, opened.cause.actor, "; ".join((hold.what, *hold.reasons)))
        return opened

    def _record(self, kind: HistoryKind, subject: str, by: Actor | None, text: str) -> None:
        self.log.record(HistoryEntry(kind, self.clock.now(), subject, by, text))


def _effect(accepted: SpecAccepted) -> str:
    replaces = f"replaces {accepted.replaces}" if accepted.replaces else "the first"
    counts = {
        "changed": len(accepted.changed),
        "warnings": len(accepted.warnings) + accepted.left_out[1],
    }
    return ", ".join([replaces, *(f"{count} {what}" for what, count in counts.items() if count)])
