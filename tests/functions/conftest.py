"""The handlers in this process on moto, from environment to clients, with nothing replaced."""

import importlib.util
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from ecr_warden.aws.system import SystemClock
from ecr_warden.aws.table import Table
from ecr_warden.bootstrap import common
from ecr_warden.core.codec.base import loads
from ecr_warden.core.job import Actor, Job, Queue, job_from_json
from ecr_warden.state.aws_holds import DynamoHolds
from ecr_warden.state.hold import Decision, Verdict
from tests.contracts.aws import REGION, moto, with_models

if TYPE_CHECKING:
    from tests.functions.running import Running

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
SPEC_BUCKET, SPEC_KEY = "ecr-warden-spec-111111111111-eu-central-1", "access.yaml"
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
TIME = 100_000  # milliseconds, as template.yaml gives reconcile
QUEUES = {queue: queue.sqs_name for queue in Queue}
EXHAUSTED = {queue: queue.exhausted for queue in Queue}
JOBS, DEAD = QUEUES[Queue.REPAIR], "ecr-warden-jobs-dlq"


@dataclass(slots=True)
class Context:
    """Lambda's context; `left`: milliseconds, as the test counts them."""

    left: float = TIME
    function_name: str = "ecr-warden"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:111111111111:function:ecr-warden"
    aws_request_id: str = "00000000-0000-4000-b000-000000000001"

    def get_remaining_time_in_millis(self) -> float:
        return self.left


class LaterClock:
    """The system's clock, later by as much as a test says."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def later(self, seconds: int) -> None:
        """Let time pass."""
        self.by += timedelta(seconds=seconds)


type Handler = Callable[..., Any]

_services = itertools.count()


class Deployed:
    """What template.yaml makes, as far as handlers need it, and what came out at its other ends."""

    def __init__(self) -> None:
        self.context, self.clock = Context(), LaterClock()
        self.containers: dict[str, Handler] = {}
        self.sqs, self.s3 = boto3.client("sqs"), boto3.client("s3")
        self.dynamodb, self.ssm = boto3.client("dynamodb"), boto3.client("ssm")
        sns, events = boto3.client("sns"), boto3.client("events")
        self.urls = {queue: self._made(name) for queue, name in QUEUES.items()}
        self.jobs_url = self.urls[Queue.REPAIR]
        for name in EXHAUSTED.values():
            self._made(name)
        self.dead_url = self._made(DEAD)
        self.incidents_url = self.sqs.create_queue(QueueName="incidents")["QueueUrl"]
        self.mail_url = self.sqs.create_queue(QueueName="mail")["QueueUrl"]
        self.topic = sns.create_topic(Name="alerts")["TopicArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn(self.mail_url))
        self.bus = events.create_event_bus(Name="outcomes")["EventBusArn"]
        self.ssm.put_parameter(Name="/writes", Type="String", Value="enabled")
        for bucket in (SPEC_BUCKET, "state"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.dynamodb.create_table(
            TableName="ecr-warden",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )

    def _made(self, name: str) -> str:
        attributes: Any = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    @property
    def environment(self) -> dict[str, str]:
        """The functions' variables."""
        return {
            "AWS_REGION": "eu-central-1",
            "WARDEN_TABLE": "ecr-warden",
            "WARDEN_SPEC_BUCKET": SPEC_BUCKET,
            "WARDEN_SPEC_KEY": SPEC_KEY,
            "WARDEN_STATE_BUCKET": "state",
            "WARDEN_JOBS_QUEUE_URL": self.jobs_url,
            "WARDEN_ACCEPT_QUEUE_URL": self.urls[Queue.ACCEPT],
            "WARDEN_COLLECT_QUEUE_URL": self.urls[Queue.COLLECT],
            "WARDEN_AUDIT_QUEUE_URL": self.urls[Queue.AUDIT],
            "WARDEN_INCIDENTS_QUEUE_URL": self.incidents_url,
            "WARDEN_JOBS_DEAD_LETTERS_URL": self.dead_url,
            "WARDEN_OUTCOMES_BUS": self.bus,
            "WARDEN_WRITES_PARAMETER": "/writes",
            "WARDEN_EXTERNAL_ID": "the-external-id",
            "WARDEN_SESSION_CUTOFF_MARGIN": "60",
            "WARDEN_VERDICT_PATIENCE": "900",
            "WARDEN_SWEEP_SCHEDULE": "rate(15 minutes)",
            "WARDEN_PAGERDUTY": "",
            "WARDEN_WEBHOOK": "",
            "WARDEN_ALERT_TOPIC": self.topic,
            "WARDEN_ALERT_EMAIL": "team@example.com",
            "WARDEN_HUB_ACCOUNT": "111111111111",
            "WARDEN_STACK": "arn:aws:cloudformation:eu-central-1:111111111111:stack/ecr-warden/1",
        }

    def accept_held(self) -> bool:
        """A person accepts whatever waits; whether anything did."""
        clock = SystemClock()
        holds = DynamoHolds(Table(self.dynamodb, "ecr-warden"), clock)
        waiting = [hold for hold in holds.waiting() if hold.decision is None]
        for hold in waiting:
            holds.decide(hold, Decision(f"command-{hold.id}", Verdict.ACCEPT, ALICE, clock.now()))
        return bool(waiting)

    def taken(self, url: str) -> list[dict[str, Any]]:
        """The visible messages of a queue, as received."""
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages: list[Any] = answer.get("Messages", [])
        return messages

    def hidden(self, queue: str) -> dict[str, int]:
        """For how many seconds each message of a queue is still invisible, by its body."""
        now = time.time() * 1000
        messages = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues[queue]._messages
        return {message.body: round((message.visible_at - now) / 1000) for message in messages}

    def jobs(self) -> list[Job]:
        """The jobs in the queues, each in its own; they are taken from there."""
        jobs: list[Job] = []
        for queue, url in self.urls.items():
            for message in self.taken(url):
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                jobs.append(job_from_json(loads(message["Body"])))
                assert jobs[-1].queue is queue
        return jobs

    def purge(self) -> None:
        """Forget all jobs."""
        for url in self.urls.values():
            self.sqs.purge_queue(QueueUrl=url)

    def results(self) -> list[str]:
        """The results of all runs that the journal knows."""
        items = self.dynamodb.scan(TableName="ecr-warden")["Items"]
        runs = [item for item in items if item["pk"]["S"].startswith("TARGET#") and item["sk"]["S"].startswith("RUN#")]
        return [run["result"]["S"] for run in runs]

    def mails(self) -> list[str]:
        """The messages that the topic got."""
        return [json.loads(message["Body"])["Message"] for message in self.taken(self.mail_url)]

    def _arn(self, url: str) -> str:
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Deployed]:
    """An AWS with the hub's stores, and a process as new as a container; what is logged is captured from here on."""
    with moto(monkeypatch):
        made = Deployed()
        # A new service has a new logger, which writes to this test's standard output.
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"test-{next(_services)}")
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        _forget()
        with_models(common.session()._session)
        yield made
        _forget()


def _forget() -> None:
    common.deadline.begin(Context().get_remaining_time_in_millis)
    common.HubAdapters.client.cache_clear()
    made = [module for name, module in sys.modules.items() if name.startswith("ecr_warden.bootstrap.")]
    for module in made:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def handler_of(deployed: Deployed) -> Callable[[str], Handler]:
    """Loads functions/<name>/app.py afresh, with the first event: its logger keeps the output that it finds then."""

    def loaded(name: str) -> Handler:
        if name in deployed.containers:
            return deployed.containers[name]
        found = importlib.util.spec_from_file_location(f"{name}_app", ROOT / "functions" / name / "app.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        if name == "alert":
            module.ADAPTERS.clock = deployed.clock
        handler: Handler = module.handler
        deployed.containers[name] = handler
        return handler

    return lambda name: lambda event: loaded(name)(event, deployed.context)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The log lines since the last look; of metrics tests/usecases/test_measured.py."""

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in found if "_aws" not in line]

    return lines


@pytest.fixture
def running(
    deployed: Deployed, handler_of: Callable[[str], Handler], logged: Callable[[], list[dict[str, Any]]]
) -> "Running":
    """The hub at work in this process."""
    from tests.functions import running as at_work  # noqa: PLC0415 - it needs what is above

    return at_work.running(deployed, handler_of, logged)
