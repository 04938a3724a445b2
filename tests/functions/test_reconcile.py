"""The reconcile handler: a message whose job fails comes back soon."""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from ecr_warden.aws.redelivery import ATTEMPTS
from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.delivery import progress
from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.job import AcceptSpec, Attempt, Queue, job_to_json
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.state import Learned
from local.testing.messages import Message, batch, reconcile
from tests.contracts.aws import REGION
from tests.functions.conftest import EXHAUSTED, JOBS, ROOT, SPEC_BUCKET, SPEC_KEY, Deployed, Handler
from tests.receives import MAX_RECEIVES

type Logged = Callable[[], list[dict[str, Any]]]
D1 = "repository/222222222222/eu-central-1/shop/checkout"
USER = "user/111111111111/push-user"
NOT_OURS = [f"repository/222222222222/eu-central-1/other/{number}" for number in range(9)]
ACCEPT = Message('{"schema":1,"kind":"accept-spec","cause":{"kind":"event","id":"e-1"}}', "spec")


@pytest.fixture
def handler(handler_of: Callable[[str], Handler]) -> Handler:
    return handler_of("reconcile")


def received(deployed: Deployed, message: Message) -> dict[str, Any]:
    """The message as the queue gives it out: with a handle that can be used."""
    deployed.sqs.send_message(QueueUrl=deployed.jobs_url, MessageBody=message.body, MessageGroupId=message.group)
    [given] = deployed.taken(deployed.jobs_url)
    return batch(replace(message, handle=given["ReceiptHandle"]))


def failed(answer: Any) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.fixture
def accepted(handler_of: Callable[[str], Handler], deployed: Deployed) -> Callable[[], None]:
    """Accepts the seed's spec; none of its jobs is done."""

    def accept() -> None:
        body = (ROOT / "examples" / "seed" / "access.yaml").read_bytes()
        deployed.s3.put_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY, Body=body)
        for _ in range(2):
            assert failed(handler_of("accept")(batch(ACCEPT))) == []
            deployed.accept_held()
        deployed.purge()

    return accept


def registry_ecr() -> Any:
    """A client of account 222222222222."""
    arn = "arn:aws:iam::222222222222:role/somebody"
    given = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"]
    keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    return boto3.Session(*keys, region_name=REGION).client("ecr")


@pytest.mark.parametrize(
    "body",
    [
        '{"schema": 99, "kind": "accept-spec", "cause": {"kind": "event", "id": "e"}}',
        '{"schema": 1, "kind": "drop-everything", "cause": {"kind": "event", "id": "e"}}',
        "[]",
        '"text"',
        '{"schema": 1, "kind": "reconcile-target", "target": "repository/../x", "cause": {"kind": "event", "id": "e"}}',
    ],
)
def test_an_unparseable_message_fails_and_comes_back(
    handler: Handler, deployed: Deployed, logged: Logged, body: str
) -> None:
    assert failed(handler(received(deployed, Message(body, "bad")))) == ["m0"]
    assert [line["message"] for line in logged()] == ["failed"]
    assert deployed.hidden(JOBS)[body] == 5


def test_a_failed_message_is_redelivered_later_with_each_receive(handler: Handler, deployed: Deployed) -> None:
    broken = Message("{", "bad", receives=3)
    assert failed(handler(received(deployed, broken))) == ["m0"]
    assert deployed.hidden(JOBS)["{"] == 20


def test_a_message_whose_last_attempt_fails_is_handed_over_to_be_reported(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    assert failed(handler(received(deployed, Message("{", "one", receives=5)))) == []
    assert [line["message"] for line in logged()] == ["failed"]
    url = deployed.sqs.get_queue_url(QueueName=EXHAUSTED[Queue.REPAIR])["QueueUrl"]
    [given_up] = deployed.taken(url)
    assert given_up["Body"] == "{"


def test_a_last_attempt_that_cannot_be_handed_over_is_tried_again(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    deployed.sqs.delete_queue(QueueUrl=deployed.sqs.get_queue_url(QueueName=EXHAUSTED[Queue.REPAIR])["QueueUrl"])
    assert failed(handler(received(deployed, Message("{", "one", receives=5)))) == ["m0"]
    assert [line["message"] for line in logged()] == ["failed", "not given up"]
    assert deployed.hidden(JOBS)["{"] == 60


def test_a_lease_that_another_run_holds_costs_no_attempt(
    accepted: Callable[[], None], handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    """For as long as a killed run's lease lasts; then each of the five attempts is left."""
    accepted()
    registry_ecr().create_repository(repositoryName="shop/checkout")
    target = RepositoryTarget("222222222222", "eu-central-1", "shop/checkout")
    lease, _ = StateAdapters().state.acquire(target, "killed")
    held = range(1, 39)
    logged()
    for receives in held:
        waiting = replace(reconcile(D1), receives=receives, id="waiting")
        assert failed(handler(batch(waiting))) == ["waiting"]
    assert {line["message"] for line in logged()} == {"waits", "not brought back"}
    assert len(held) + ATTEMPTS < MAX_RECEIVES
    StateAdapters().state.release(lease, Learned(reported=None))
    assert progress(StateAdapters(), Queue.REPAIR).attempt("waiting", len(held) + 1) == Attempt(1, is_last=False)
    assert failed(handler(batch(replace(reconcile(D1), receives=len(held) + 1, id="waiting")))) == []
    assert deployed.results() == ["converged"]


@pytest.mark.parametrize(("receives", "seconds"), [(1, 1), (20, 1), (21, 5)])
def test_a_held_lease_is_looked_at_again_after_a_second_and_after_five_when_it_lasts(
    accepted: Callable[[], None], handler: Handler, deployed: Deployed, receives: int, seconds: int
) -> None:
    """20 receives of a second and 18 of five are as long as a lease lasts."""
    accepted()
    StateAdapters().state.acquire(RepositoryTarget("222222222222", "eu-central-1", "shop/checkout"), "another")
    assert failed(handler(received(deployed, replace(reconcile(D1), receives=receives)))) == ["m0"]
    assert list(deployed.hidden(JOBS).values()) == [seconds]


def test_a_job_of_another_queue_is_refused(handler: Handler, deployed: Deployed, logged: Logged) -> None:
    assert failed(handler(batch(ACCEPT))) == ["m0"]
    assert logged()[0]["error"] == "CodecError: a job of the queue ecr-warden-accept.fifo"
    assert deployed.jobs() == []


def test_what_another_version_compiled_is_compiled_again_by_accept_and_the_repair_waits_for_that(
    accepted: Callable[[], None], handler: Handler, handler_of: Callable[[str], Handler], deployed: Deployed
) -> None:
    accepted()
    registry_ecr().create_repository(repositoryName="shop/checkout")
    for stored in deployed.s3.list_objects_v2(Bucket="state")["Contents"]:
        deployed.s3.delete_object(Bucket="state", Key=stored["Key"])
    deployed.containers.clear()  # another container
    assert failed(handler(received(deployed, reconcile(D1)))) == ["m0"]
    [asked] = [job for job in deployed.jobs() if job.queue is Queue.ACCEPT]
    assert isinstance(asked, AcceptSpec)
    assert asked.cause.actor is None, "the event's caller has nothing to do with what accept finds"
    assert failed(handler_of("accept")(batch(Message(dumps(job_to_json(asked)), "spec")))) == []
    deployed.containers.clear()
    assert failed(handler(batch(replace(reconcile(D1), receives=2)))) == []
    assert deployed.results() == ["converged"]


def test_that_jobs_were_done_is_noted_at_most_once_a_minute(handler: Handler, deployed: Deployed) -> None:
    def noted() -> str:
        key = {"pk": {"S": "QUEUE#jobs"}, "sk": {"S": "FINISHED"}}
        return deployed.dynamodb.get_item(TableName="ecr-warden", Key=key).get("Item", {}).get("at", {}).get("S", "")

    handler(batch(Message("{", "bad")))
    assert noted() == "", "a job that failed is not done"
    handler(batch(reconcile(NOT_OURS[0])))
    first = noted()
    assert first
    handler(batch(reconcile(NOT_OURS[1])))
    assert noted() == first


def test_a_target_that_somebody_else_writes_comes_back_at_once(
    accepted: Callable[[], None], handler: Handler, deployed: Deployed
) -> None:
    """Seconds count: their version is live. The third receive would wait for 20 s."""
    ecr, users, begun = registry_ecr(), itertools.count(), threading.Event()
    ecr.create_repository(repositoryName="shop/checkout")

    def open_again(**_: object) -> None:
        if not begun.is_set():
            return
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::222222222222:user/u{next(users)}"}}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Action": "ecr:BatchGetImage"}]}
        ecr.set_repository_policy(repositoryName="shop/checkout", policyText=json.dumps(policy))

    # Before the first client: accepting the spec reads the accounts too, and clients are kept.
    common.session().events.register("after-call.ecr.GetRepositoryPolicy", open_again)
    accepted()
    begun.set()
    open_again()
    assert failed(handler(received(deployed, replace(reconcile(D1), receives=3)))) == ["m0"]
    assert list(deployed.hidden(JOBS).values()) == [1]
    assert next(users) > 3, "somebody else wrote in each try"


def test_no_log_line_holds_a_document_a_credential_or_a_url(
    accepted: Callable[[], None], handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    accepted()
    registry_ecr().create_repository(repositoryName="shop/checkout")
    for message in (reconcile(D1), reconcile(USER), Message('{"secret": "{', "bad")):
        handler(batch(message))
    text = json.dumps(logged())
    assert "shop/checkout" in text
    for never in ("Statement", "ASIA", "AKIA", "http", "the-external-id", "secret"):
        assert never not in text, never
