"""Builds the use cases with their adapters; the only module that imports both.

One builder per function. A module that only one kind of job needs is imported with the first such job: a cold
reconcile loads neither YAML nor chat. Clients are created once per container, at their first call.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config

from ecr_warden.adapters.aws.accounts import HubAccounts
from ecr_warden.adapters.aws.deadline import HUB_RESERVE, MEMBER_RESERVE, Deadline
from ecr_warden.adapters.aws.queues import SqsJobs
from ecr_warden.adapters.system import LogMetric, SystemClock, new_run_id
from ecr_warden.outside import Environment

if TYPE_CHECKING:
    from ecr_warden.adapters.aws.bucket import StateBucket
    from ecr_warden.adapters.aws.documents import AwsDocuments
    from ecr_warden.adapters.aws.estate_store import S3EstateStore
    from ecr_warden.adapters.aws.journal import DynamoJournal
    from ecr_warden.adapters.aws.last import S3Last
    from ecr_warden.adapters.aws.queues import Redelivery
    from ecr_warden.adapters.aws.records import DynamoWatchRecords
    from ecr_warden.adapters.aws.specs import AwsSpecs
    from ecr_warden.adapters.aws.state import DynamoState
    from ecr_warden.adapters.aws.switch import SsmSwitch
    from ecr_warden.adapters.aws.table import Table
    from ecr_warden.adapters.aws.wiring import AwsWiring
    from ecr_warden.model.finding import ProofRecord
    from ecr_warden.ports.alerts import AlertBus, Channel
    from ecr_warden.ports.hub import CommandRecords
    from ecr_warden.ports.store import Audit, Holds, SweepRecords, Verdicts
    from ecr_warden.report.report import Report
    from ecr_warden.usecases.accept import Accept
    from ecr_warden.usecases.alert import ReportExhausted, SendAlerts
    from ecr_warden.usecases.commands import Commands
    from ecr_warden.usecases.harmful_calls import ReportCalls
    from ecr_warden.usecases.jobs import Dispatch, Work
    from ecr_warden.usecases.pauses import FollowPauses
    from ecr_warden.usecases.prove import Prove
    from ecr_warden.usecases.queries import Queries
    from ecr_warden.usecases.reconcile import Reconcile
    from ecr_warden.usecases.report import MakeReport
    from ecr_warden.usecases.survey import Survey
    from ecr_warden.usecases.sweep import Sweep
    from ecr_warden.usecases.switch import FollowSwitches
    from ecr_warden.usecases.verdicts import JudgeVersions, ReadForVersions
    from ecr_warden.usecases.watch import NoteHeartbeats, Watch

_environment = Environment(os.environ)
_clock = SystemClock()

deadline = Deadline()
"""The end of the invocation; set by its handler."""

# Within a region; a call that hangs times out before deadline.HUB_RESERVE.
HUB_CONFIG = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


class _Lazy:
    """A port that is created at its first use: a run without drift neither reads the stop switch nor publishes."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = cache(make)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def _at_first_use[T](make: Callable[[], T]) -> Callable[[], T]:
    """A builder of a port that is created at its first use."""
    return cache(lambda: cast(T, _Lazy(make)))


@cache
def dispatch() -> "Dispatch":
    """The use case of the function `dispatch`."""
    from ecr_warden.usecases.jobs import Dispatch

    return Dispatch(_jobs(), _environment.required("WARDEN_SPEC_BUCKET"), _environment.required("WARDEN_SPEC_KEY"))


@cache
def work() -> "Work":
    """The use cases of the function `reconcile`."""
    from ecr_warden.usecases.jobs import Work

    return Work(
        accept=_accept,
        sweep=_sweep,
        reconcile=_reconcile,
        survey=_survey,
        prove=_prove,
        read_for_versions=_read_for_versions,
        judge_versions=_judge_versions,
        credentials=_credentials,
        pauses=_pauses,
        switch=_follow_switch,
        heartbeats=_heartbeats,
        alerts=_alert_bus(),
    )


@cache
def redelivery() -> "Redelivery":
    """Sets when a failed job is delivered again."""
    from ecr_warden.adapters.aws.queues import Redelivery

    return Redelivery(_client("sqs"), _environment.required("WARDEN_JOBS_QUEUE_URL"))


@cache
def send_alerts() -> "SendAlerts":
    """The use case of the function `alert` for alerts."""
    from ecr_warden.adapters.aws.incidents import AwsIncidents
    from ecr_warden.usecases.alert import SendAlerts

    queue_url = _environment.required("WARDEN_INCIDENTS_QUEUE_URL")
    return SendAlerts(AwsIncidents(_table(), _client("sqs"), queue_url, _clock), _channels())


@cache
def flush_redelivery() -> "Redelivery":
    """Sets when an incident that could not be flushed is flushed again."""
    from ecr_warden.adapters.aws.queues import Redelivery

    return Redelivery(_client("sqs"), _environment.required("WARDEN_INCIDENTS_QUEUE_URL"))


@cache
def report_exhausted() -> "ReportExhausted":
    """The use case of the function `alert` for jobs that failed on their last attempt."""
    from ecr_warden.adapters.aws.queues import SqsDeadLetters
    from ecr_warden.usecases.alert import ReportExhausted

    kept = SqsDeadLetters(_client("sqs"), _environment.required("WARDEN_JOBS_DEAD_LETTERS_URL"))
    return ReportExhausted(send_alerts(), kept)


@cache
def queries() -> "Queries":
    """The use cases of the function `answer`."""
    from ecr_warden.usecases.queries import Queries
    from ecr_warden.usecases.status import StatusQuery

    specs, documents, state, switch, audit = _specs(), _documents(), _state(), _switch(), _audit()
    return Queries(
        specs=specs,
        documents=documents,
        state=state,
        journal=_journal(),
        command_records=_command_records(),
        switch=switch,
        clock=_clock,
        status=StatusQuery(
            specs=specs,
            documents=documents,
            state=state,
            sweep_records=_sweep_records(),
            switch=switch,
            wiring=_wiring(),
            watch_records=_watch_records(),
            audit=audit,
            estate=_estate_store(),
            proofs=_proofs(),
            holds=_holds(),
            clock=_clock,
        ),
        audit=audit,
        holds=_holds(),
        estate=_estate_store(),
        reports=_reports(),
        is_out_of_time=lambda: deadline.is_within(MEMBER_RESERVE),
    )


@cache
def commands() -> "Commands":
    """The use case of the function `control`."""
    from ecr_warden.adapters.aws.callers import StsCallers
    from ecr_warden.adapters.aws.schedules import EventBridgeSchedules
    from ecr_warden.usecases.commands import Commands
    from ecr_warden.usecases.pauses import PauseTimes

    region = _environment.required("AWS_REGION")
    callers = StsCallers(_client("sts"), region, _environment.required("WARDEN_HUB_ACCOUNT"), _clock)
    schedules = EventBridgeSchedules(
        _client("scheduler"),
        group=_environment.required("WARDEN_SCHEDULE_GROUP"),
        role_arn=_environment.required("WARDEN_SCHEDULE_ROLE"),
        queue_arn=_environment.required("WARDEN_JOBS_QUEUE_ARN"),
        clock=_clock,
    )
    return Commands(
        specs=_specs(),
        state=_state(),
        command_records=_command_records(),
        jobs=_jobs(),
        pause_times=PauseTimes(schedules),
        alerts=_alert_bus(),
        callers=callers,
        audit=_audit(),
        holds=_holds(),
        clock=_clock,
    )


def _channels() -> "dict[str, Channel]":
    from ecr_warden.adapters.channels.sns import SnsChannel
    from ecr_warden.adapters.channels.webhook import WebhookChannel, open_secret

    channels: dict[str, Channel] = {"e-mail": SnsChannel(_client("sns"), _environment.required("WARDEN_ALERT_TOPIC"))}
    reference = _environment.optional("WARDEN_WEBHOOK")
    if reference:
        secret = open_secret(reference, _client, _clock)
        channels["chat"] = WebhookChannel(secret, forget=secret.forget)
    return channels


@cache
def _accept() -> "Accept":
    from ecr_warden.usecases.accept import Accept
    from ecr_warden.usecases.holds import KeepHolds
    from ecr_warden.usecases.offers import Consider

    specs, holds, audit, alerts = _specs(), _holds(), _audit(), _alert_bus()
    consider = Consider(
        specs=specs,
        jobs=_jobs(),
        holds=holds,
        verdicts=_verdicts(),
        keep=KeepHolds(holds, alerts, audit, _clock),
        clock=_clock,
        patience=_environment.seconds("WARDEN_VERDICT_PATIENCE"),
    )
    return Accept(specs, _jobs(), alerts, audit, _clock, _environment.required("WARDEN_SPEC_KEY"), consider)


@cache
def _read_for_versions() -> "ReadForVersions":
    from ecr_warden.usecases.verdicts import ReadForVersions

    return ReadForVersions(_holds(), _verdicts(), _survey(), _jobs(), _has_time)


@cache
def _judge_versions() -> "JudgeVersions":
    from ecr_warden.usecases.verdicts import JudgeVersions
    from ecr_warden.versions.judge import judge

    return JudgeVersions(_specs(), _holds(), _verdicts(), _estate_store(), _jobs(), _clock, judge, _has_time)


@cache
def _sweep() -> "Sweep":
    from ecr_warden.usecases.sweep import Sweep

    return Sweep(_specs(), _documents(), _state(), _jobs(), _sweep_records(), _clock, _survey(), _watch(), _alert_bus())


@cache
def _watch() -> "Watch":
    from ecr_warden.usecases.watch import Watch

    return Watch(_wiring(), _estate_store(), _watch_records(), _alert_bus(), LogMetric(), _clock)


@cache
def _heartbeats() -> "NoteHeartbeats":
    from ecr_warden.usecases.watch import NoteHeartbeats

    return NoteHeartbeats(_specs(), _watch_records(), _clock)


@cache
def _wiring() -> "AwsWiring":
    from ecr_warden.adapters.aws.wiring import AwsWiring
    from ecr_warden.planning.wiring import HubPlace

    return AwsWiring(
        events=_client("events"),
        s3=_client("s3"),
        functions=_client("lambda"),
        cloudformation=_client("cloudformation"),
        accounts=_documents().accounts,
        place=HubPlace(
            account=_environment.required("WARDEN_HUB_ACCOUNT"),
            region=_environment.required("AWS_REGION"),
            bucket=_environment.required("WARDEN_SPEC_BUCKET"),
            external_id=_environment.required("WARDEN_EXTERNAL_ID"),
            stack=_environment.required("WARDEN_STACK"),
        ),
    )


@cache
def _watch_records() -> "DynamoWatchRecords":
    from ecr_warden.adapters.aws.records import DynamoWatchRecords

    return DynamoWatchRecords(_table())


@cache
def _survey() -> "Survey":
    from ecr_warden.adapters.aws.estate import AwsEstateReader
    from ecr_warden.usecases.survey import Survey

    return Survey(_specs(), AwsEstateReader(_documents().accounts, deadline), _estate_store(), _jobs(), _clock)


@cache
def _state_bucket() -> "StateBucket":
    from ecr_warden.adapters.aws.bucket import StateBucket

    bucket, owner = _environment.required("WARDEN_STATE_BUCKET"), _environment.required("WARDEN_HUB_ACCOUNT")
    return StateBucket(_client("s3"), bucket, owner)


@cache
def _estate_store() -> "S3EstateStore":
    from ecr_warden.adapters.aws.estate_store import S3EstateStore

    return S3EstateStore(_state_bucket())


@cache
def _proofs() -> "S3Last[ProofRecord]":
    from ecr_warden.adapters.aws.last import s3_proofs

    return s3_proofs(_state_bucket())


@cache
def _reports() -> "S3Last[Report]":
    from ecr_warden.adapters.aws.last import s3_reports

    return s3_reports(_state_bucket())


@cache
def _credentials() -> "ReportCalls":
    from ecr_warden.usecases.harmful_calls import ReportCalls

    return ReportCalls(_specs(), _alert_bus())


@cache
def _pauses() -> "FollowPauses":
    from ecr_warden.usecases.pauses import FollowPauses

    return FollowPauses(_specs(), _state(), _command_records(), _jobs(), _alert_bus(), _clock)


@cache
def _follow_switch() -> "FollowSwitches":
    from ecr_warden.adapters.aws.records import DynamoSwitchRecord
    from ecr_warden.usecases.switch import FollowSwitches

    return FollowSwitches(_switch(), DynamoSwitchRecord(_table()), _jobs(), _alert_bus(), _clock)


@cache
def _prove() -> "Prove":
    from ecr_warden.proof.findings import find
    from ecr_warden.usecases.prove import Prove

    return Prove(
        specs=_specs(),
        estate=_estate_store(),
        proofs=_proofs(),
        state=_state(),
        sweep_records=_sweep_records(),
        alerts=_alert_bus(),
        clock=_clock,
        find=partial(find, has_time=_has_time, hub=_environment.required("WARDEN_HUB_ACCOUNT")),
        report=_report,
        schedule=_environment.required("WARDEN_SWEEP_SCHEDULE"),
    )


@cache
def _report() -> "MakeReport":
    from ecr_warden.report.make import make_report
    from ecr_warden.usecases.report import MakeReport

    return MakeReport(
        specs=_specs(),
        journal=_journal(),
        audit=_audit(),
        holds=_holds(),
        reports=_reports(),
        clock=_clock,
        make=partial(make_report, has_time=_has_time),
        hub=_environment.required("WARDEN_HUB_ACCOUNT"),
    )


def _has_time() -> bool:
    """Whether there is time for another decision of a proof."""
    return not deadline.is_within(MEMBER_RESERVE)


@cache
def _reconcile() -> "Reconcile":
    from ecr_warden.usecases.reconcile import Reconcile

    return Reconcile(
        specs=_specs(),
        documents=_documents(),
        state=_state(),
        jobs=_jobs(),
        sweep_records=_sweep_records(),
        alerts=_alert_bus(),
        switch=_switch(),
        command_records=_command_records(),
        clock=_clock,
        new_run_id=new_run_id,
        cutoff_margin=_environment.seconds("WARDEN_SESSION_CUTOFF_MARGIN"),
    )


@cache
def _documents() -> "AwsDocuments":
    from ecr_warden.adapters.aws.documents import AwsDocuments

    return AwsDocuments(
        HubAccounts(_session(), _environment.required("WARDEN_EXTERNAL_ID"), _clock, deadline=deadline), deadline
    )


@cache
def _specs() -> "AwsSpecs":
    from ecr_warden.adapters.aws.specs import AwsSpecs

    return AwsSpecs(
        s3=_client("s3"),
        table=_table(),
        spec_bucket=_environment.required("WARDEN_SPEC_BUCKET"),
        spec_key=_environment.required("WARDEN_SPEC_KEY"),
        state_bucket=_environment.required("WARDEN_STATE_BUCKET"),
        owner=_environment.required("WARDEN_HUB_ACCOUNT"),
    )


@cache
def _table() -> "Table":
    from ecr_warden.adapters.aws.table import Table

    return Table(_client("dynamodb"), _environment.required("WARDEN_TABLE"))


@cache
def _state() -> "DynamoState":
    from ecr_warden.adapters.aws.state import DynamoState

    return DynamoState(_table(), _clock)


@cache
def _journal() -> "DynamoJournal":
    from ecr_warden.adapters.aws.journal import DynamoJournal

    return DynamoJournal(_table())


@_at_first_use
def _audit() -> "Audit":
    from ecr_warden.adapters.aws.records import DynamoAudit

    return DynamoAudit(_table(), _clock)


@_at_first_use
def _holds() -> "Holds":
    from ecr_warden.adapters.aws.holds import DynamoHolds

    return DynamoHolds(_table(), _clock)


@_at_first_use
def _verdicts() -> "Verdicts":
    from ecr_warden.adapters.aws.holds import DynamoVerdicts

    return DynamoVerdicts(_table(), _clock)


@_at_first_use
def _sweep_records() -> "SweepRecords":
    from ecr_warden.adapters.aws.records import DynamoSweepRecords

    return DynamoSweepRecords(_table())


@cache
def _switch() -> "SsmSwitch":
    from ecr_warden.adapters.aws.switch import SsmSwitch

    return SsmSwitch(_client("ssm"), _environment.required("WARDEN_WRITES_PARAMETER"))


@_at_first_use
def _command_records() -> "CommandRecords":
    from ecr_warden.adapters.aws.records import DynamoCommandRecords

    return DynamoCommandRecords(_table(), _clock)


@cache
def _jobs() -> SqsJobs:
    return SqsJobs(_client("sqs"), _environment.required("WARDEN_JOBS_QUEUE_URL"))


@cache
def _alert_bus() -> "AlertBus":
    bus = _environment.required("WARDEN_OUTCOMES_BUS")

    def make() -> "AlertBus":
        from ecr_warden.adapters.aws.alert_bus import EventBridgeAlertBus

        return EventBridgeAlertBus(_client("events"), bus)

    return cast("AlertBus", _Lazy(make))


@cache
def _session() -> "_BareSession":
    return _BareSession()


class _BareSession:
    """The part of boto3.Session that is used: the rest costs every container 14 ms and 2 MB."""

    def __init__(self) -> None:
        self._core = botocore.session.Session()

    def client(self, service: Any, **arguments: Any) -> Any:
        """As boto3.Session.client."""
        return self._core.create_client(service, **arguments)


@cache
def _client(service: Any) -> Any:
    def make() -> Any:
        client = _session().client(service, config=HUB_CONFIG)
        deadline.guard(client, HUB_RESERVE)
        return client

    return _Lazy(make)
