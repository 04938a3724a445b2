"""The hub's own table, buckets, queues and bus: in memory, and on moto."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.aws.bucket import StateBucket
from ecr_warden.aws.queues import SqsJobs
from ecr_warden.aws.table import Table
from ecr_warden.collect.aws_estate_store import S3EstateStore
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.core.job import Job, Queue, job_from_json
from ecr_warden.notify.aws_incidents import AwsIncidents, incident_key
from ecr_warden.notify.aws_outbox import waiting
from ecr_warden.state.aws_commands import DynamoCommandRecords
from ecr_warden.state.aws_history import DynamoHistory
from ecr_warden.state.aws_holds import DynamoHolds, DynamoVerdicts
from ecr_warden.state.aws_journal import DynamoJournal
from ecr_warden.state.aws_objects import S3Objects
from ecr_warden.state.aws_specs import AwsSpecs
from ecr_warden.state.aws_state import DynamoState
from ecr_warden.state.aws_sweeps import DynamoSweepRecords
from ecr_warden.state.aws_switch import DynamoSwitchRecord, SsmSwitch
from ecr_warden.state.specs import SpecVersion
from ecr_warden.state.tree_writer import KeptSpecs
from local.testing.memory.estate import MemoryEstateStore
from local.testing.memory.hub import (
    ManualClock,
    MemoryIncidents,
    MemoryJobs,
    MemorySpecs,
    MemorySwitch,
)
from local.testing.memory.state import (
    MemoryAudits,
    MemoryCommandRecords,
    MemoryHistory,
    MemoryHolds,
    MemoryJournal,
    MemoryState,
    MemorySweepRecords,
    MemorySwitchRecord,
    MemoryVerdicts,
    MemoryWatchRecords,
)
from tests.contracts.aws import REGION, Wire

TABLE, SPEC_BUCKET, STATE_BUCKET, SPEC_KEY = "ecr-warden", "spec", "state", "access.yaml"
OWNER = "111111111111"
PARAMETER = "/ecr-warden/writes"


@dataclass(slots=True)
class MemoryHub:
    """In memory; both have the same ports, and the same methods for what people and queues do at their other side."""

    clock: ManualClock = field(default_factory=ManualClock)
    state: MemoryState = field(init=False)
    specs: MemorySpecs = field(default_factory=MemorySpecs)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    switch: MemorySwitch = field(default_factory=MemorySwitch)
    incidents: MemoryIncidents = field(init=False)
    journal: MemoryJournal = field(init=False)
    calls: MemoryCommandRecords = field(default_factory=MemoryCommandRecords)
    sweep_records: MemorySweepRecords = field(default_factory=MemorySweepRecords)
    watch_records: MemoryWatchRecords = field(default_factory=MemoryWatchRecords)
    log: MemoryHistory = field(default_factory=MemoryHistory)
    switch_record: MemorySwitchRecord = field(default_factory=MemorySwitchRecord)
    holds: MemoryHolds = field(default_factory=MemoryHolds)
    verdicts: MemoryVerdicts = field(default_factory=MemoryVerdicts)
    audits: MemoryAudits = field(default_factory=MemoryAudits)
    estate: MemoryEstateStore = field(init=False)

    def __post_init__(self) -> None:
        self.estate = MemoryEstateStore(self.clock)
        self.incidents = MemoryIncidents(self.clock)
        self.state = MemoryState(self.clock)
        self.journal = MemoryJournal(self.state)

    def upload(self, data: bytes) -> str:
        """Put a spec into the bucket; returns its version."""
        version = f"v{len(data)}"
        if self.specs.file is not None:
            self.specs.older = (*self.specs.older, self.specs.file)
        self.specs.file = SpecVersion(version, data)
        return version

    def unload(self) -> None:
        """Delete the spec from the bucket."""
        self.specs.file = None

    def misname(self, key: str) -> None:
        """Put something into the spec's bucket under another key."""
        self.specs.strays = (*self.specs.strays, key)

    def unversion(self) -> None:
        """Have the spec's bucket keep no versions from now on."""
        self.specs.versioned = False

    def outdate(self) -> None:
        """Have the accepted version be compiled by another version of ecr-warden."""
        self.specs.outdated = True

    def sent(self) -> list[Job]:
        """The jobs in the queues, queue by queue, in order."""
        self.jobs.sent.sort(key=lambda job: [*Queue].index(job.queue))
        return self.jobs.sent

    def throw(self, position: str) -> None:
        """Put the stop switch into a position."""
        self.switch.enabled = position.strip() == "enabled"

    def waiting(self, channel: str) -> Sequence[datetime]:
        return self.incidents.waiting(channel)

    def flushes(self) -> list[str]:
        """The incidents that were asked to be flushed since the last look."""
        flushes, self.incidents.flushes = self.incidents.flushes, []
        return [key for key, _ in flushes]


@dataclass
class MotoHub:
    """On moto."""

    clock: ManualClock = field(default_factory=ManualClock)
    wire: Wire = field(default_factory=Wire)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION) -> Any:
        session: Any = self.wire.session  # the stubs know each service by a literal
        if (service, region) not in self._clients:
            self._clients[service, region] = session.client(service, region)
        return self._clients[service, region]

    @cached_property
    def table(self) -> Table:
        return Table(self._dynamodb, TABLE)

    @cached_property
    def _dynamodb(self) -> Any:
        dynamodb = self.client("dynamodb")
        keys = ("pk", "HASH"), ("sk", "RANGE")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )
        return dynamodb

    @cached_property
    def state(self) -> DynamoState:
        return DynamoState(self.table, self.clock)

    @cached_property
    def journal(self) -> DynamoJournal:
        return DynamoJournal(self.table)

    @cached_property
    def sweep_records(self) -> DynamoSweepRecords:
        return DynamoSweepRecords(self.table)

    @cached_property
    def switch_record(self) -> DynamoSwitchRecord:
        return DynamoSwitchRecord(self.table)

    @cached_property
    def watch_records(self) -> DynamoWatchRecords:
        return DynamoWatchRecords(self.table)

    @cached_property
    def log(self) -> DynamoHistory:
        return DynamoHistory(self.table, self.clock)

    @cached_property
    def holds(self) -> DynamoHolds:
        return DynamoHolds(self.table, self.clock)

    @cached_property
    def verdicts(self) -> DynamoVerdicts:
        return DynamoVerdicts(self.table, self.clock)

    @cached_property
    def state_bucket(self) -> StateBucket:
        return StateBucket(self.s3, STATE_BUCKET, OWNER)

    @cached_property
    def audits(self) -> S3Audits:
        return S3Audits(self.state_bucket)

    @cached_property
    def estate(self) -> S3EstateStore:
        return S3EstateStore(self.state_bucket)

    @cached_property
    def calls(self) -> DynamoCommandRecords:
        return DynamoCommandRecords(self.table, self.clock)

    @cached_property
    def specs(self) -> AwsSpecs:
        return self.specs_of_another_container()

    def specs_of_another_container(self) -> AwsSpecs:
        objects = S3Objects(self.s3, STATE_BUCKET, OWNER)
        return AwsSpecs(
            s3=self.s3,
            table=self.table,
            spec_bucket=SPEC_BUCKET,
            spec_key=SPEC_KEY,
            owner=OWNER,
            objects=objects,
            tree=KeptSpecs(objects),
        )

    @cached_property
    def s3(self) -> Any:
        s3 = self.client("s3")
        for bucket in (SPEC_BUCKET, STATE_BUCKET):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return s3

    def upload(self, data: bytes) -> str:
        return str(self.s3.put_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY, Body=data).get("VersionId", "null"))

    def unload(self) -> None:
        self.s3.delete_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY)

    def misname(self, key: str) -> None:
        self.s3.put_object(Bucket=SPEC_BUCKET, Key=key, Body=b"version: 1")

    def unversion(self) -> None:
        self.s3.put_bucket_versioning(Bucket=SPEC_BUCKET, VersioningConfiguration={"Status": "Suspended"})

    def outdate(self) -> None:
        key = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
        row = self._dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
        compiled = loads(self.s3.get_object(Bucket=STATE_BUCKET, Key=f"compiled/{row['compiled']['S']}")["Body"].read())
        body = dumps(compiled | {"schema": 1, "mode": "another schema"}).encode()
        row["compiled"] = {"S": hashlib.sha256(body).hexdigest()}
        self.s3.put_object(Bucket=STATE_BUCKET, Key=f"compiled/{row['compiled']['S']}", Body=body)
        self._dynamodb.put_item(TableName=TABLE, Item=row)
        self.__dict__.pop("specs", None)  # another container

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def queue_urls(self) -> dict[Queue, str]:
        def made(queue: Queue) -> str:
            kind = {"FifoQueue": "true"} if queue.sqs_name.endswith(".fifo") else {}
            return str(self.sqs.create_queue(QueueName=queue.sqs_name, Attributes=kind)["QueueUrl"])

        return {queue: made(queue) for queue in Queue}

    @cached_property
    def jobs(self) -> SqsJobs:
        return SqsJobs(lambda: self.sqs, self.queue_urls)

    def sent(self) -> list[Job]:
        jobs: list[Job] = []
        for url in self.queue_urls.values():
            while messages := self.received(url):
                jobs += [job_from_json(loads(message["Body"])) for message in messages]
        return jobs

    def received(self, queue_url: str) -> list[Any]:
        """At most ten messages, deleted at once."""
        answer = self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages: list[Any] = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    @cached_property
    def ssm(self) -> Any:
        return self.client("ssm")

    @cached_property
    def switch(self) -> SsmSwitch:
        return SsmSwitch(lambda: self.ssm, PARAMETER)

    def throw(self, position: str) -> None:
        self.ssm.put_parameter(Name=PARAMETER, Type="String", Value=position, Overwrite=True)

    @cached_property
    def incidents(self) -> AwsIncidents:
        queue_url = self.sqs.create_queue(QueueName="incidents")["QueueUrl"]
        return AwsIncidents(self.table, self.sqs, queue_url, self.clock)

    def waiting(self, channel: str) -> Sequence[datetime]:
        return waiting(self.table, channel)

    def flushes(self) -> list[str]:
        """Taken from the wire: what a delayed message does until its time is the queue's business."""
        calls = [call for call in self.wire.calls if call.action == "sqs:SendMessage"]
        self.wire.calls.clear()
        return [incident_key(call.parameters["MessageBody"]) for call in calls]


type Hub = MemoryHub | MotoHub
