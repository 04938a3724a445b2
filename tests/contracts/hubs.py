"""The hub's own table, buckets, queues and bus: in memory, and on moto."""

import hashlib
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ecr_warden.aws.bucket import StateBucket
from ecr_warden.aws.queues import SqsJobs
from ecr_warden.aws.table import Table
from ecr_warden.bootstrap.answer import AnswerAdapters
from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.core.job import Job, Queue, job_from_json
from ecr_warden.core.outside import Environment
from ecr_warden.notify.aws_incidents import AwsIncidents, incident_key
from ecr_warden.state.aws_specs import AwsSpecs
from ecr_warden.state.aws_switch import DynamoSwitchRecord
from ecr_warden.state.specs import SpecVersion
from local.testing.memory.adapters import MemoryAdapters
from local.testing.memory.hub import ManualClock
from tests.contracts.aws import REGION, Wire

TABLE, SPEC_BUCKET, STATE_BUCKET, SPEC_KEY = "ecr-warden", "spec", "state", "access.yaml"
OWNER = "111111111111"
PARAMETER = "/ecr-warden/writes"
ENVIRONMENT = Environment(
    {
        "WARDEN_HUB_ACCOUNT": OWNER,
        "WARDEN_SPEC_BUCKET": SPEC_BUCKET,
        "WARDEN_SPEC_KEY": SPEC_KEY,
        "WARDEN_STATE_BUCKET": STATE_BUCKET,
        "WARDEN_VERDICT_PATIENCE": "900",
        "WARDEN_WRITES_PARAMETER": PARAMETER,
    }
)


class MemoryHub(MemoryAdapters):
    """In memory; both have the same ports, and the same methods for what people and queues do at their other side."""

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

    def flushes(self) -> list[str]:
        """The incidents that were asked to be flushed since the last look."""
        flushes, self.incidents.flushes = self.incidents.flushes, []
        return [key for key, _ in flushes]


@dataclass(eq=False)
class MotoHub(AnswerAdapters):
    """On moto."""

    environment = ENVIRONMENT
    clock: ManualClock = field(default_factory=ManualClock)
    wire: Wire = field(default_factory=Wire)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION) -> Any:  # type: ignore[override]
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
    def switch_record(self) -> DynamoSwitchRecord:
        return DynamoSwitchRecord(self.table)

    @cached_property
    def state_bucket(self) -> StateBucket:
        return StateBucket(self.s3, STATE_BUCKET, OWNER)

    def specs_of_another_container(self) -> AwsSpecs:
        another = copy(self)
        another.__dict__ |= {"table": self.table, "state_bucket": self.state_bucket}
        another.__dict__.pop("specs", None)
        return another.specs

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

    def throw(self, position: str) -> None:
        self.ssm.put_parameter(Name=PARAMETER, Type="String", Value=position, Overwrite=True)

    @cached_property
    def incidents(self) -> AwsIncidents:
        queue_url = self.sqs.create_queue(QueueName="incidents")["QueueUrl"]
        return AwsIncidents(self.table, self.sqs, queue_url, self.clock)

    def flushes(self) -> list[str]:
        """Taken from the wire: what a delayed message does until its time is the queue's business."""
        calls = [call for call in self.wire.calls if call.action == "sqs:SendMessage"]
        self.wire.calls.clear()
        return [incident_key(call.parameters["MessageBody"]) for call in calls]


type Hub = MemoryHub | MotoHub
