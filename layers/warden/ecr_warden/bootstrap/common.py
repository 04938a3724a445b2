"""What several functions are built on: the environment, clients, and the adapters of the hub's own stores.

Each is created once per container.
"""

import os
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.aws.deadline import HUB_RESERVE, MEMBER_RESERVE, Deadline
from ecr_warden.aws.queues import SqsJobs
from ecr_warden.aws.system import SystemClock
from ecr_warden.core.job import Queue
from ecr_warden.core.outside import Environment

if TYPE_CHECKING:
    from ecr_warden.aws.bucket import StateBucket
    from ecr_warden.aws.progress import DynamoProgress
    from ecr_warden.aws.queues import Redelivery, SqsDeadLetters
    from ecr_warden.aws.table import Table
    from ecr_warden.collect.aws_estate_store import S3EstateStore
    from ecr_warden.collect.aws_wires import DynamoWatchRecords
    from ecr_warden.collect.aws_wiring import AwsWiring
    from ecr_warden.core.alert import AlertBus
    from ecr_warden.repair.aws_documents import AwsDocuments
    from ecr_warden.state.aws_journal import DynamoJournal
    from ecr_warden.state.aws_specs import AwsSpecs
    from ecr_warden.state.aws_state import DynamoState
    from ecr_warden.state.aws_switch import SsmSwitch
    from ecr_warden.state.commands import CommandRecords
    from ecr_warden.state.decisions import Audit
    from ecr_warden.state.hold import Holds
    from ecr_warden.state.sweeps import SweepRecords
    from ecr_warden.versions.ports import Verdicts

environment = Environment(os.environ)
clock = SystemClock()

deadline = Deadline()
"""The end of the invocation; set by its handler."""

# Within a region; a call that hangs times out before deadline.HUB_RESERVE.
HUB_CONFIG = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)

_QUEUE_URLS = {
    Queue.REPAIR: "WARDEN_JOBS_QUEUE_URL",
    Queue.ACCEPT: "WARDEN_ACCEPT_QUEUE_URL",
    Queue.COLLECT: "WARDEN_COLLECT_QUEUE_URL",
    Queue.AUDIT: "WARDEN_AUDIT_QUEUE_URL",
}


def has_time() -> bool:
    """Whether there is time for another decision of a proof."""
    return not deadline.is_within(MEMBER_RESERVE)


@cache
def jobs() -> SqsJobs:
    """The queues to which the function may send."""
    urls = {queue: environment.optional(name) for queue, name in _QUEUE_URLS.items()}
    return SqsJobs(partial(client, "sqs"), {queue: url for queue, url in urls.items() if url})


@cache
def redelivery(queue: Queue) -> "Redelivery":
    """Sets when a failed job of the function's own queue is delivered again."""
    from ecr_warden.aws.queues import Redelivery

    return Redelivery(client("sqs"), environment.required(_QUEUE_URLS[queue]))


@cache
def exhausted(queue: Queue) -> "SqsDeadLetters":
    """Where a job of the function's own queue goes that failed on its last attempt."""
    from ecr_warden.aws.queues import SqsDeadLetters

    url = environment.required(_QUEUE_URLS[queue])
    return SqsDeadLetters(client("sqs"), f"{url.removesuffix('.fifo')}-exhausted.fifo")


@cache
def progress(queue: Queue) -> "DynamoProgress":
    """What is remembered of the function's own queue."""
    from ecr_warden.aws.progress import DynamoProgress

    return DynamoProgress(table(), clock, queue)


@cache
def documents() -> "AwsDocuments":
    """The accounts' documents."""
    from ecr_warden.repair.aws_documents import AwsDocuments

    return AwsDocuments(
        HubAccounts(session(), environment.required("WARDEN_EXTERNAL_ID"), clock, deadline=deadline), deadline
    )


@cache
def specs() -> "AwsSpecs":
    """The spec's versions."""
    from ecr_warden.state.aws_specs import AwsSpecs

    return AwsSpecs(
        s3=client("s3"),
        table=table(),
        spec_bucket=environment.required("WARDEN_SPEC_BUCKET"),
        spec_key=environment.required("WARDEN_SPEC_KEY"),
        state_bucket=environment.required("WARDEN_STATE_BUCKET"),
        owner=environment.required("WARDEN_HUB_ACCOUNT"),
    )


@cache
def table() -> "Table":
    """The hub's table."""
    from ecr_warden.aws.table import Table

    return Table(client("dynamodb"), environment.required("WARDEN_TABLE"))


@cache
def state() -> "DynamoState":
    """What is remembered of targets."""
    from ecr_warden.state.aws_state import DynamoState

    return DynamoState(table(), clock)


@cache
def journal() -> "DynamoJournal":
    """The journal of runs."""
    from ecr_warden.state.aws_journal import DynamoJournal

    return DynamoJournal(table())


@cache
def audit_log() -> "Audit":
    """The audit log."""
    from ecr_warden.state.aws_decisions import DynamoAudit

    return DynamoAudit(table(), clock)


@cache
def holds() -> "Holds":
    """What waits for a person."""
    from ecr_warden.versions.aws_holds import DynamoHolds

    return DynamoHolds(table(), clock)


@cache
def verdicts() -> "Verdicts":
    """What was read and judged for verdicts."""
    from ecr_warden.versions.aws_holds import DynamoVerdicts

    return DynamoVerdicts(table(), clock)


@cache
def sweep_records() -> "SweepRecords":
    """The records of sweeps."""
    from ecr_warden.state.aws_sweeps import DynamoSweepRecords

    return DynamoSweepRecords(table())


@cache
def switch() -> "SsmSwitch":
    """The stop switch."""
    from ecr_warden.state.aws_switch import SsmSwitch

    return SsmSwitch(partial(client, "ssm"), environment.required("WARDEN_WRITES_PARAMETER"))


@cache
def command_records() -> "CommandRecords":
    """The commands, and the answers to them."""
    from ecr_warden.state.aws_commands import DynamoCommandRecords

    return DynamoCommandRecords(table(), clock)


@cache
def alert_bus() -> "AlertBus":
    """The bus that leads to people."""
    from ecr_warden.notify.aws_bus import EventBridgeAlertBus

    return EventBridgeAlertBus(partial(client, "events"), environment.required("WARDEN_OUTCOMES_BUS"))


@cache
def state_bucket() -> "StateBucket":
    """The bucket of compiled specs, of the estate, and of the last proof and report."""
    from ecr_warden.aws.bucket import StateBucket

    bucket, owner = environment.required("WARDEN_STATE_BUCKET"), environment.required("WARDEN_HUB_ACCOUNT")
    return StateBucket(client("s3"), bucket, owner)


@cache
def estate_store() -> "S3EstateStore":
    """The pieces of the estate."""
    from ecr_warden.collect.aws_estate_store import S3EstateStore

    return S3EstateStore(state_bucket())


@cache
def wiring() -> "AwsWiring":
    """What can blind or stop ecr-warden."""
    from ecr_warden.collect.aws_wiring import AwsWiring
    from ecr_warden.collect.wiring import HubPlace

    return AwsWiring(
        events=client("events"),
        s3=client("s3"),
        functions=client("lambda"),
        cloudformation=client("cloudformation"),
        accounts=documents().accounts,
        place=HubPlace(
            account=environment.required("WARDEN_HUB_ACCOUNT"),
            region=environment.required("AWS_REGION"),
            bucket=environment.required("WARDEN_SPEC_BUCKET"),
            external_id=environment.required("WARDEN_EXTERNAL_ID"),
            stack=environment.required("WARDEN_STACK"),
        ),
    )


@cache
def watch_records() -> "DynamoWatchRecords":
    """What the last sweeps found of the wiring."""
    from ecr_warden.collect.aws_wires import DynamoWatchRecords

    return DynamoWatchRecords(table())


@cache
def session() -> boto3.Session:
    """The container's one session."""
    return boto3.Session()


@cache
def client(service: Any) -> Any:
    """A client of one of the hub's own services."""
    made = session().client(service, config=HUB_CONFIG)
    deadline.guard(made, HUB_RESERVE)
    return made
