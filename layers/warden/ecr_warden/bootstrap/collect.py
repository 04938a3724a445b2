"""The function `collect`: what is read of the accounts, for a comparison with the spec, an audit or a verdict."""

from ecr_warden.bootstrap.estate import EstateAdapters
from ecr_warden.bootstrap.observability import logger
from ecr_warden.collect.survey import Survey
from ecr_warden.collect.sweep import Sweep
from ecr_warden.collect.version_readings import ReadForVersions
from ecr_warden.collect.watch import NoteHeartbeats, Watch
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import (
    Attempt,
    CollectJob,
    NoteHeartbeat,
    ReadForVersion,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.hub.measured import Measures


def work(on: EstateAdapters, job: CollectJob, attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case SweepAll() | SweepIdentities() | SweepRepositories():
            jobs = sweep(on).sweep(job, attempt)
            if isinstance(job, SweepAll):
                _measure(on)
            return f"{len(jobs)} jobs"
        case SurveyIdentities() | SurveyRegistry():
            return survey(on).take(job, attempt)
        case NoteHeartbeat():
            return NoteHeartbeats(on.accepted_specs, on.watch_records, on.clock).note(job)
        case ReadForVersion():
            return read_for_versions(on).read(job, attempt)


def _measure(on: EstateAdapters) -> None:
    """Measure what waits; the sweep has begun, whether or not that can be read."""
    try:
        on.emit(Measures(on.accepted_specs, on.sweep_records, on.holds, on.log, on.waiting, on.clock).take())
    except PortError as error:
        logger().warning("not measured", extra={"error": f"{error!s:.1000}"})


def sweep(on: EstateAdapters) -> Sweep:
    """The use case for sweeps."""
    return Sweep(
        on.accepted_specs,
        on.state,
        on.jobs,
        on.sweep_records,
        on.clock,
        survey(on),
        Watch(on.wiring, on.estate_store, on.watch_records, on.alerts, on.emit, on.clock),
        on.alerts,
    )


def survey(on: EstateAdapters) -> Survey:
    """The use case for surveys."""
    return Survey(on.accepted_specs, on.reader, on.estate_store, on.jobs, on.clock)


def read_for_versions(on: EstateAdapters) -> ReadForVersions:
    """The use case for what a verdict needs."""
    return ReadForVersions(on.holds, on.verdicts, survey(on), on.jobs, on.has_time)
