"""A job to the use case that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from ecr_warden.model.job import (
    AcceptSpec,
    Attempt,
    Job,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
    TellOwnChange,
)
from ecr_warden.ports.specs import CompiledUnusable

if TYPE_CHECKING:
    from ecr_warden.ports.alerts import AlertBus
    from ecr_warden.usecases.accept import Accept
    from ecr_warden.usecases.reconcile import Reconcile
    from ecr_warden.usecases.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Work:
    """Each use case is built when its first job comes: most containers never see a spec."""

    accept: "Callable[[], Accept]"
    sweep: "Callable[[], Sweep]"
    reconcile: "Callable[[], Reconcile]"
    alerts: "AlertBus"

    def __call__(self, job: Job, attempt: Attempt) -> str:
        """Do the job and say what came of it, for the log; raises what the use case raises."""
        try:
            return self._do(job, attempt)
        except CompiledUnusable as error:
            # The first job that comes after an upgrade, or a step back, has the accepted version compiled again.
            if self.accept().compile_again(error) is None:
                raise
            return self._do(job, attempt)

    def _do(self, job: Job, attempt: Attempt) -> str:
        match job:
            case AcceptSpec():
                answer = self.accept()(job)
                return type(answer).__name__ if answer else "unchanged"
            case SweepAll() | SweepIdentities() | SweepRepositories():
                return f"{len(self.sweep()(job, attempt))} jobs"
            case ReconcileTarget():
                return self.reconcile()(job, attempt) or "not ours"
            case TellOwnChange():
                from ecr_warden.model.alert import OwnChanged  # noqa: PLC0415 - few jobs are of this kind

                self.alerts.publish(OwnChanged(job.cause, job.account, job.thing))
                return "told"
            case _:
                assert_never(job)
