"""From events to jobs, and from jobs to the use cases that do them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from ecr_warden.model.job import (
    AcceptSpec,
    Attempt,
    Cause,
    FollowClock,
    FollowPause,
    FollowSwitch,
    Job,
    JudgeVersion,
    NoteHeartbeat,
    ProveAccess,
    ReadForVersion,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.ports.errors import CompiledUnusable
from ecr_warden.ports.hub import Jobs

if TYPE_CHECKING:
    from ecr_warden.ports.alerts import AlertBus
    from ecr_warden.triggers.trigger import Ignored
    from ecr_warden.usecases.accept import Accept
    from ecr_warden.usecases.harmful_calls import ReportCalls
    from ecr_warden.usecases.pauses import FollowPauses
    from ecr_warden.usecases.prove import Prove
    from ecr_warden.usecases.reconcile import Reconcile
    from ecr_warden.usecases.survey import Survey
    from ecr_warden.usecases.sweep import Sweep
    from ecr_warden.usecases.switch import FollowSwitches
    from ecr_warden.usecases.verdicts import JudgeVersions, ReadForVersions
    from ecr_warden.usecases.watch import NoteHeartbeats


def reconcile_jobs(cause: Cause, targets: Iterable[Target]) -> tuple[ReconcileTarget, ...]:
    """A job for each target: repositories first, then roles and users, so that access ends first where the images are.

    This is the order of sending; the queue preserves it only within a target (docs/adr/0011).
    """

    def order(target: Target) -> tuple[int, str]:
        rank = 0 if isinstance(target, RepositoryTarget) else 1 if isinstance(target, RoleTarget) else 2
        return rank, target.key

    return tuple(ReconcileTarget(cause, target) for target in sorted(targets, key=order))


class Dispatch(Struct, frozen=True):
    """From an event to jobs: it names targets and decides nothing else. Bucket and key: of the spec."""

    jobs: Jobs
    spec_bucket: str
    spec_key: str

    def __call__(self, event: object) -> "tuple[Job, ...] | Ignored":
        """Enqueue the event's jobs, or return why it is ignored; raises TriggerError for anything but an event."""
        from ecr_warden.triggers.decide import SpecPlace, decide  # noqa: PLC0415 - the other jobs need no triggers
        from ecr_warden.triggers.trigger import Ignored  # noqa: PLC0415

        decision = decide(event, SpecPlace(self.spec_key, self.spec_bucket.__eq__))
        if isinstance(decision, Ignored):
            return decision
        self.jobs.enqueue(decision.jobs)
        return decision.jobs


class Work(Struct, frozen=True):
    """From a job to its use case, built when its first job comes: most containers never see a spec."""

    accept: "Callable[[], Accept]"
    sweep: "Callable[[], Sweep]"
    reconcile: "Callable[[], Reconcile]"
    survey: "Callable[[], Survey]"
    prove: "Callable[[], Prove]"
    read_for_versions: "Callable[[], ReadForVersions]"
    judge_versions: "Callable[[], JudgeVersions]"
    credentials: "Callable[[], ReportCalls]"
    pauses: "Callable[[], FollowPauses]"
    switch: "Callable[[], FollowSwitches]"
    heartbeats: "Callable[[], NoteHeartbeats]"
    alerts: "AlertBus"

    def __call__(self, job: Job, attempt: Attempt) -> str:
        """Do the job and return its result for the log; raises what the use case raises."""
        try:
            return self._do(job, attempt)
        except CompiledUnusable as error:
            # The first job after an upgrade or a rollback compiles the accepted version again.
            if self.accept().compile_again(error) is None:
                raise
            return self._do(job, attempt)

    def _do(self, job: Job, attempt: Attempt) -> str:  # noqa: PLR0912 - a case for each kind
        match job:
            case AcceptSpec():
                answer = self.accept()(job)
                return type(answer).__name__ if answer else "unchanged"
            case SweepAll() | SweepIdentities() | SweepRepositories():
                return f"{len(self.sweep()(job, attempt))} jobs"
            case ReconcileTarget():
                return self.reconcile()(job, attempt) or "no target"
            case SurveyIdentities() | SurveyRegistry():
                return self.survey()(job, attempt)
            case ProveAccess():
                return self.prove()(job)
            case ReportCall():
                return self.credentials()(job)
            case FollowPause():
                return self.pauses()(job, attempt)
            case FollowSwitch():
                return self.switch()(job)
            case NoteHeartbeat():
                return self.heartbeats()(job)
            case ReportOwnChange():
                from ecr_warden.model.alert import OwnChanged  # noqa: PLC0415 - few jobs are of this kind

                self.alerts.publish(OwnChanged(job.cause, job.account, job.thing))
                return "reported"
            case ReadForVersion():
                return self.read_for_versions()(job, attempt)
            case JudgeVersion():
                return self.judge_versions()(job)
            case FollowClock():
                return "nobody asked"
            case _:
                assert_never(job)
