"""The hub at work in this process: its own handlers on moto, queues that redeliver, and the people who read."""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import batched, count
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.aws.system import SystemClock
from ecr_warden.bootstrap import common
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.job import Queue, job_from_text
from ecr_warden.hub.request import Question, request_to_text
from ecr_warden.notify.incident import GATHER, QUIET
from ecr_warden.notify.incident_event import INCIDENT
from ecr_warden.notify.notify import DIGEST_SECONDS
from ecr_warden.repair.aws_documents import AwsDocuments
from ecr_warden.repair.diff import diff
from local.aws.realistic_moto import RealisticMoto
from local.testing.forgetting import forget_messages, forget_repairs
from local.testing.messages import Message, batch
from local.testing.seed import compiled
from tests.contracts.aws import REGION, Call, Wire, new_session, with_models
from tests.functions.conftest import DEAD, EXHAUSTED, JOBS, QUEUES, SPEC_BUCKET, SPEC_KEY, TIME, Deployed, Handler
from tests.receives import FLUSH_RECEIVES, LATER_RECEIVES, MAX_RECEIVES

CI, HOME = "111111111111", "222222222222"
SPEC = """\
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - name: shop/checkout
    account: registry
    pull: [ci:user/pull-user-1]
    push: [{role: ecr-pusher, by: [ci:user/push-user-1]}]
  - name: shop/cart
    account: registry
    pull: [ci:user/pull-user-2]
    push: [{role: cart-pusher, by: [ci:user/push-user-2]}]
documents:
  - kind: identity-policy
    account: ci
    user: old-ci
    name: own
    exclusive: true
    document: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "ecr:GetAuthorizationToken", Resource: "*"}]}
settings: {mode: enforce}
"""
_CART = SPEC[SPEC.index("  - name: shop/cart") : SPEC.index("documents:")]
OTHER_SPEC = SPEC.replace(_CART, '  - {name: "lib/*", account: registry, pull: [ci:user/pull-user-2]}\n')


def _allowing(**what: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **what}]})


ALL = _allowing(Action="*", Resource="*")
OPEN_TRUST = _allowing(Principal={"AWS": f"arn:aws:iam::{HOME}:root"}, Action="sts:AssumeRole")
WHAT_IS_REPORTED = {
    "repository": "ecr:SetRepositoryPolicy",
    "role": "iam:UpdateAssumeRolePolicy",
    "user": "iam:PutUserPolicy",
}


def key_of(name: str) -> str:
    """The target of a name in SPEC."""
    if "/" in name:
        return f"repository/{HOME}/{REGION}/{name}"
    return f"role/{HOME}/{name}" if name.endswith("-pusher") else f"user/{CI}/{name}"


def running(
    deployed: Deployed, handler_of: Callable[[str], Handler], logged: Callable[[], list[dict[str, Any]]]
) -> "Running":
    """The handlers, and everything around them, on a moto that behaves as AWS does."""
    session = common.session()
    with_models(session._session)
    moto = RealisticMoto()
    wire = Wire(session)
    moto.hook(session)
    return Running(deployed, handler_of, logged, wire, moto)


@dataclass
class Running:
    """`wire` sees and refuses the functions' calls; `somebody` makes calls of others, which are never refused."""

    deployed: Deployed
    handler_of: Callable[[str], Handler]
    logged: Callable[[], list[dict[str, Any]]]
    wire: Wire
    moto: RealisticMoto
    announcements: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sqs = self.deployed.sqs
        sqs.create_queue(QueueName="lost")
        for queue, name in QUEUES.items():
            self._redrive(name, EXHAUSTED[queue], MAX_RECEIVES if queue is Queue.REPAIR else LATER_RECEIVES)
        self._redrive(EXHAUSTED[Queue.REPAIR], DEAD, 3 * MAX_RECEIVES)
        self._redrive("incidents", "lost", FLUSH_RECEIVES)
        self.wire.answer("events:PutEvents", self._announced)  # moto needs a package more to carry events on
        self.wire.answer("events:DescribeRule", lambda _: {"State": "ENABLED"})
        subscribed = {"Protocol": "email", "Endpoint": "team@example.com", "SubscriptionArn": "arn:aws:sns:1"}
        self.wire.answer("sns:ListSubscriptionsByTopic", lambda _: {"Subscriptions": [subscribed]})
        trail = {"Name": "all", "TrailARN": "arn:all", "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True}
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True}
        self.wire.answer("cloudtrail:DescribeTrails", lambda _: {"trailList": [trail]})
        self.wire.answer("cloudtrail:GetEventSelectors", lambda _: {"EventSelectors": [selector]})
        self.wire.answer("cloudtrail:GetTrailStatus", lambda _: {"IsLogging": True})
        self.somebody(HOME, "iam").create_policy(PolicyName="all", PolicyDocument=ALL)
        self.somebody(CI, "iam").create_policy(PolicyName="all", PolicyDocument=ALL)
        for user in ("pull-user-1", "pull-user-2", "push-user-1", "push-user-2", "old-ci"):
            self.make(user)
        for name in ("shop/checkout", "shop/cart"):
            self.make(name)

    def begin(self) -> None:
        """Accept SPEC, put everything right, and have it proved a first time, before anything goes wrong."""
        self.upload(SPEC.encode())
        self.settle()
        self.sweep()
        self.settle()
        assert self.differing() == []
        self.calm()

    def calm(self) -> None:
        """All trouble ends and is forgotten."""
        self.wire.faults.clear()
        for queue in (DEAD, "lost", "mail"):
            self._take(queue)
        self._queue("incidents")._messages.clear()  # SQS purges a queue once a minute
        forget_repairs(self.deployed.dynamodb, "ecr-warden")
        forget_messages(self.deployed.dynamodb, "ecr-warden")
        self._forget_runs()
        for reported in (self.announcements, self.undelivered, self.errors, self.wire.calls):
            reported.clear()
        self.logged()

    def somebody(self, account: str, service: str) -> Any:
        """A client of somebody with every permission."""
        if (account, service) not in self._clients:
            session = new_session()
            self.moto.hook(session)
            role = f"arn:aws:iam::{account}:role/somebody"
            given = session.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
            for one in ("iam", "ecr"):
                self._clients[account, one] = session.client(
                    one,
                    REGION,
                    aws_access_key_id=given["AccessKeyId"],
                    aws_secret_access_key=given["SecretAccessKey"],
                    aws_session_token=given["SessionToken"],
                )
        return self._clients[account, service]

    # What happens to it

    def ask(self, question: Question) -> dict[str, Any]:
        """Ask the function `answer`."""
        reply: dict[str, Any] = self.handler_of("answer")({"request": request_to_text(question)})
        return reply

    def upload(self, data: bytes | None) -> None:
        """Upload a version of the spec; None deletes it."""
        if data is None:
            self.deployed.s3.delete_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY)
        else:
            self.deployed.s3.put_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY, Body=data)
        self.send({"kind": "accept-spec", "cause": self._cause("spec")}, "spec")

    def tamper(self, *names: str) -> None:
        """Change everything that a target holds, and have CloudTrail report it."""
        for name in names:
            match key_of(name).partition("/")[0]:
                case "repository":
                    ecr = self.somebody(HOME, "ecr")
                    with suppress(ecr.exceptions.RepositoryPolicyNotFoundException):
                        ecr.delete_repository_policy(repositoryName=name)
                case "role":
                    self._tamper_role(self.somebody(HOME, "iam"), name)
                case _:
                    iam = self.somebody(CI, "iam")
                    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
                        iam.delete_user_policy(UserName=name, PolicyName=policy)
                    iam.put_user_policy(UserName=name, PolicyName="ecr-warden-x", PolicyDocument=ALL)
                    if name == "old-ci":
                        iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::{CI}:policy/all")
            self.report(name)

    def _tamper_role(self, iam: Any, name: str) -> None:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=OPEN_TRUST)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.put_role_policy(RoleName=name, PolicyName="x", PolicyDocument=ALL)
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::{HOME}:policy/all")
        iam.delete_role_permissions_boundary(RoleName=name)
        iam.update_role(RoleName=name, MaxSessionDuration=43200)

    def remove(self, name: str) -> None:
        """Delete a user or repository with all it holds."""
        if "/" in name:
            self.somebody(HOME, "ecr").delete_repository(repositoryName=name, force=True)
            return
        iam = self.somebody(CI, "iam")
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        iam.delete_user(UserName=name)

    def make(self, name: str) -> None:
        """Create a user or repository."""
        if "/" in name:
            self.somebody(HOME, "ecr").create_repository(repositoryName=name)
        else:
            self.somebody(CI, "iam").create_user(UserName=name)

    def report(self, name: str) -> None:
        """CloudTrail reports a call on a target."""
        key = key_of(name)
        cause = {**self._cause("event"), "action": WHAT_IS_REPORTED[key.partition("/")[0]]}
        self.send({"kind": "reconcile-target", "target": key, "cause": cause}, key)

    def sweep(self) -> None:
        """The schedule's time has come; like dispatch it looks for a new file too."""
        self.send({"kind": "accept-spec", "cause": self._cause("sweep")}, "spec")
        self.send({"kind": "sweep-all", "cause": self._cause("sweep")}, "sweep-0")

    def send(self, job: Mapping[str, Any] | str, group: str) -> None:
        """A message into the queue of its job; what is none, into that of the repairs."""
        body = job if isinstance(job, str) else json.dumps({"schema": 1, **job})
        queue = Queue.REPAIR
        with suppress(CodecError):
            queue = job_from_text(body).queue
        ids: Any = {} if queue is Queue.REPAIR else {"MessageDeduplicationId": str(next(self._ids))}
        self.deployed.sqs.send_message(
            QueueUrl=self.deployed.urls[queue], MessageBody=body, MessageGroupId=group, **ids
        )

    def _cause(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, "id": f"cause-{next(self._ids)}", "at": datetime.now(UTC).isoformat()}

    # What AWS does

    def deliver(self) -> None:
        """Run each visible job once, and send the alerts that result."""
        for queue, name in QUEUES.items():
            self._deliver(name, queue.function)
        self.send_alerts()

    def deliver_once(self) -> None:
        """Each repair that is visible now is done once."""
        self._deliver_batch(JOBS, "reconcile")

    def lose(self, queue: str, times: int) -> None:
        """A queue's messages are received so often by processes that are killed."""
        url = self.deployed.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        for _ in range(times):
            while self.deployed.taken(url):
                pass
            for message in self._queue(queue)._messages:
                message.change_visibility(0)

    def send_alerts(self) -> None:
        """Announcements reach the alert function, and what it gathers is said; what fails comes twice more."""
        announcements, self.announcements[:] = list(self.announcements), []
        for detail in announcements:
            event = {"time": self.deployed.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), "detail": json.loads(detail)}
            if all(self._call("alert", event) is _FAILED for _ in range(3)):
                self.undelivered.append(detail)
        for name in EXHAUSTED.values():
            self._deliver(name, "alert")
        self.later(_GATHERED)

    def later(self, seconds: int) -> None:
        """Time passes for the function that writes to people, and what is due by then is delivered to it."""
        self.deployed.clock.later(seconds)
        for message in self._queue("incidents")._messages:
            message.delayed_until -= seconds * 1000
            message.change_visibility(max(0, round(message.visible_at / 1000 - time.time() - seconds)))
        self._deliver("incidents", "alert")

    def be_quiet(self) -> None:
        """Nothing happens for so long that what came again is over for good."""
        self.later(math.ceil(QUIET.total_seconds()) + 1)

    def flush_again_soon(self) -> None:
        """What the alert function failed on is delivered again before a minute has passed."""
        now = time.time() * 1000
        for message in self._queue("incidents")._messages:
            if message.delayed_until <= now:
                message.change_visibility(0)
        self._deliver("incidents", "alert")

    def settle(self) -> None:
        """Time passes until all is done or put away, and said; what is held is accepted.

        A channel is tried twice more. What is said of an incident once it is quiet, or to remind people, comes later.
        """
        for _ in range(100):  # proofs that fail do so ten times each, one after the other
            for name in (*_POLLED, "incidents"):
                for message in self._queue(name)._messages:
                    message.change_visibility(0)
            self.deliver()
            if any(self._queue(name)._messages for name in _POLLED):
                continue
            if not self.deployed.accept_held():
                break
            self.send({"kind": "accept-spec", "cause": self._cause("caller")}, "spec")
        else:
            raise AssertionError("the queues never empty")
        for _ in range(2 * DIGEST_SECONDS // _GATHERED + 1):
            self.later(_GATHERED)

    def redrive(self) -> None:
        """An operator has what was put away delivered again."""
        for dead, name in ((DEAD, JOBS), ("lost", "incidents")):
            for message in self._take(dead):
                url = self.deployed.sqs.get_queue_url(QueueName=name)["QueueUrl"]
                self.deployed.sqs.send_message(QueueUrl=url, MessageBody=message["Body"])

    def _announced(self, call: Call) -> dict[str, Any]:
        # The rule of the alerts leaves incident events out.
        alerts = [entry for entry in call.parameters["Entries"] if entry["DetailType"] != INCIDENT]
        self.announcements += [entry["Detail"] for entry in alerts]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in call.parameters["Entries"]]}

    def _deliver(self, queue: str, function: str) -> None:
        """Each message once, however long a slow machine takes: one that comes back within a second waits."""
        seen: set[str] = set()
        while new := self._deliver_batch(queue, function) - seen:
            seen |= new

    def _deliver_batch(self, queue: str, function: str) -> set[str]:
        """The messages that were delivered."""
        if not self._queue(queue)._messages:
            return set()
        url = self.deployed.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found = self.deployed.taken(url)
        # Jobs come one at a time, and messages to people in batches.
        for part in batched(found, 10 if function == "alert" else 1, strict=False):
            messages = [
                Message(
                    one["Body"],
                    one["Attributes"].get("MessageGroupId", ""),
                    int(one["Attributes"]["ApproximateReceiveCount"]),
                    one["ReceiptHandle"],
                    queue,
                    one["MessageId"],
                )
                for one in part
            ]
            answer = self._call(function, batch(*messages))
            failed = {one["MessageId"] for one in part}
            if answer is not _FAILED:
                failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            for one in part:
                if one["MessageId"] not in failed:
                    self.deployed.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return {one["MessageId"] for one in found}

    def _call(self, function: str, event: Any) -> Any:
        self.deployed.context.left = TIME
        try:
            return self.handler_of(function)(event)
        except Exception as error:
            self.errors.append(f"{function}: {error}")
            return _FAILED

    # What comes of it

    def heard(self) -> str:
        """All mails since the last look."""
        return "\n".join(json.loads(message["Body"])["Message"] for message in self._take("mail"))

    def journalled(self, name: str) -> list[str]:
        """The results of the runs of a target that the journal keeps, oldest first."""
        key = {":pk": {"S": f"TARGET#{key_of(name)}"}, ":run": {"S": "RUN#"}}
        condition = "pk = :pk AND begins_with(sk, :run)"
        items = self.deployed.dynamodb.query(
            TableName="ecr-warden", KeyConditionExpression=condition, ExpressionAttributeValues=key
        )["Items"]
        return [item["result"]["S"] for item in items if "result" in item]

    def put_away(self, queue: str) -> list[str]:
        """The bodies in a failure queue."""
        return [message.body for message in self._queue(queue)._messages]

    def differing(self, text: str = SPEC) -> list[str]:
        """What is not as a file says, read past all faults."""
        now = datetime.now(UTC)
        specs = compiled(text).targets.values()
        return sorted({spec.target.name for spec in specs if diff(spec, self._documents.read(spec), now=now)})

    @cached_property
    def _documents(self) -> AwsDocuments:
        session = new_session()
        self.moto.hook(session)
        return AwsDocuments(HubAccounts(session, "the-external-id", SystemClock()))

    def _take(self, queue: str) -> list[Any]:
        url = self.deployed.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        taken: list[Any] = []
        while found := self.deployed.taken(url):
            for message in found:
                self.deployed.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken += found
        return taken

    def _forget_runs(self) -> None:
        """Empty the journal: moto copies and sorts a whole table for each call."""
        table = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables["ecr-warden"]
        for items in table.items.values():
            for key in [key for key in items if key.value.startswith("RUN#")]:
                del items[key]

    def _queue(self, name: str) -> Any:
        return get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues[name]

    def _redrive(self, source: str, dead: str, receives: int = MAX_RECEIVES) -> None:
        url = self.deployed.sqs.get_queue_url(QueueName=source)["QueueUrl"]
        policy = {"deadLetterTargetArn": self._queue(dead).queue_arn, "maxReceiveCount": receives}
        self.deployed.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})


_FAILED = object()
_POLLED = (*QUEUES.values(), *EXHAUSTED.values())
_GATHERED = math.ceil(GATHER.total_seconds()) + 1
