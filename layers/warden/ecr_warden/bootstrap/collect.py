"""The function `collect`: what is read of the accounts, for a comparison with the spec, an audit or a verdict."""

from functools import cache

from ecr_warden.aws.system import count_sweep
from ecr_warden.bootstrap import accounts, common, holding, inventory, queues, stores
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.survey import Survey
from ecr_warden.collect.sweep import Sweep
from ecr_warden.collect.version_readings import ReadForVersions
from ecr_warden.collect.watch import NoteHeartbeats, Watch
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


def work(job: CollectJob, attempt: Attempt) -> str:
    """Do the job and return its result for the log; raises what the use case raises."""
    match job:
        case SweepAll() | SweepIdentities() | SweepRepositories():
            return f"{len(_sweep().sweep(job, attempt))} jobs"
        case SurveyIdentities() | SurveyRegistry():
            return _survey().take(job, attempt)
        case NoteHeartbeat():
            return NoteHeartbeats(stores.accepted_specs(), inventory.watch_records(), common.clock).note(job)
        case ReadForVersion():
            return _read_for_versions().read(job, attempt)


@cache
def _sweep() -> Sweep:
    alerts, clock = stores.alert_bus(), common.clock
    watch = Watch(inventory.wiring(), inventory.estate_store(), inventory.watch_records(), alerts, count_sweep, clock)
    return Sweep(
        stores.accepted_specs(),
        stores.state(),
        queues.jobs(),
        stores.sweep_records(),
        clock,
        _survey(),
        watch,
        alerts,
    )


@cache
def _survey() -> Survey:
    reader = AwsEstateReader(accounts.documents().accounts, common.deadline)
    return Survey(stores.accepted_specs(), reader, inventory.estate_store(), queues.jobs(), common.clock)


@cache
def _read_for_versions() -> ReadForVersions:
    return ReadForVersions(holding.holds(), holding.verdicts(), _survey(), queues.jobs(), common.has_time)
