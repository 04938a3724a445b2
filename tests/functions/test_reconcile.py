"""The reconcile handler: a failing message fails alone and comes back soon."""

import itertools
import json
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ecr_warden import bootstrap

from local.testing.messages import Message, batch, reconcile
from tests.contracts.aws import REGION
from tests.functions.conftest import ROOT, SPEC_BUCKET, SPEC_KEY, Deployed, Handler

type Logged = Callable[[], list[dict[str, Any]]]
D1 = "repository/222222222222/eu-central-1/shop/checkout"
USER = "user/111111111111/push-user"
NOT_OURS = [f"repository/222222222222/eu-central-1/other/{number}" for number in range(9)]
ACCEPT = Message('{"schema":1,"kind":"accept-spec","cause":{"kind":"event","id":"e-1"}}', "spec")


@pytest.fixture
def handler(handler_of: Callable[[str], Handler]) -> Handler:
    return handler_of("reconcile")


def received(deployed: Deployed, *messages: Message) -> dict[str, Any]:
    """The messages as the queue gives them out: with handles that can be used."""
    for number, message in enumerate(messages):
        deployed.sqs.send_message(
            QueueUrl=deployed.jobs_url,
            MessageBody=message.body,
            MessageGroupId=message.group,
            MessageDeduplicationId=str(number),
        )
    handles = [given["ReceiptHandle"] for given in deployed.taken(deployed.jobs_url)]
    return batch(
        *(Message(one.body, one.group, one.receives, handle) for one, handle in zip(messages, handles, strict=True))
    )


def failed(answer: Any) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def accepted(handler: Handler, deployed: Deployed) -> None:
    """Accept the seed's spec; its jobs stay in the queue, hidden."""
    body = (ROOT / "examples" / "seed" / "access.yaml").read_bytes()
    deployed.s3.put_object(Bucket=SPEC_BUCKET, Key=SPEC_KEY, Body=body)
    assert failed(handler(batch(ACCEPT))) == []
    assert deployed.accept_held()
    assert failed(handler(batch(ACCEPT))) == []
    deployed.sqs.purge_queue(QueueUrl=deployed.jobs_url)


def registry_ecr() -> Any:
    """A client of account 222222222222."""
    arn = "arn:aws:iam::222222222222:role/somebody"
    given = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"]
    keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    return boto3.Session(*keys, region_name=REGION).client("ecr")


def test_one_bad_body_of_five_fails_alone(handler: Handler, deployed: Deployed) -> None:
    good = [reconcile(target) for target in NOT_OURS[:4]]
    event = received(deployed, *good[:2], Message("{no json", "bad"), *good[2:])
    assert failed(handler(event)) == ["m2"]
    assert deployed.hidden("jobs.fifo")["{no json"] == 5


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
def test_an_unparseable_message_fails_and_the_next_one_runs(
    handler: Handler, deployed: Deployed, logged: Logged, body: str
) -> None:
    event = received(deployed, Message(body, "bad"), reconcile(NOT_OURS[0]))
    assert failed(handler(event)) == ["m0"]
    assert [line["message"] for line in logged()] == ["failed", "done"]


def test_a_failed_message_is_redelivered_later_with_each_receive(handler: Handler, deployed: Deployed) -> None:
    broken = Message("{", "bad", receives=3)
    assert failed(handler(received(deployed, broken))) == ["m0"]
    assert deployed.hidden("jobs.fifo")["{"] == 20


def test_the_rest_of_a_failed_group_is_handed_back_too(handler: Handler, deployed: Deployed, logged: Logged) -> None:
    second = reconcile(NOT_OURS[0])
    event = received(deployed, Message("{", "one"), Message(second.body, "one"), reconcile(NOT_OURS[1]))
    assert failed(handler(event)) == ["m0", "m1"]
    assert deployed.hidden("jobs.fifo")[second.body] == 5
    assert [line["message"] for line in logged()] == ["failed", "done"]


def test_a_message_on_its_last_attempt_runs_although_its_group_failed(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    last = Message(reconcile(NOT_OURS[0]).body, "one", receives=5)
    assert failed(handler(received(deployed, Message("{", "one", receives=5), last))) == ["m0"]
    assert [line["message"] for line in logged()] == ["failed", "done"]


def test_a_target_that_somebody_else_writes_comes_back_at_once_with_its_whole_group(
    handler: Handler, deployed: Deployed
) -> None:
    """Seconds count: their version is live. The third and fourth receive would wait for 20 and 40 s."""
    ecr, users, begun = registry_ecr(), itertools.count(), threading.Event()
    ecr.create_repository(repositoryName="shop/checkout")

    def open_again(**_: object) -> None:
        if not begun.is_set():
            return
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::222222222222:user/u{next(users)}"}}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Action": "ecr:BatchGetImage"}]}
        ecr.set_repository_policy(repositoryName="shop/checkout", policyText=json.dumps(policy))

    # Before the first client: accepting the spec reads the accounts too, and clients are kept.
    bootstrap._session()._core.register("after-call.ecr.GetRepositoryPolicy", open_again)
    accepted(handler, deployed)
    begun.set()
    open_again()
    jobs = [reconcile(D1, str(number)) for number in range(3)]
    event = received(deployed, *(Message(job.body, job.group, receives=3 + n % 2) for n, job in enumerate(jobs)))
    assert failed(handler(event)) == ["m0", "m1", "m2"]
    assert set(deployed.hidden("jobs.fifo").values()) == {1}
    assert next(users) > 3, "somebody else wrote in each try"


def test_a_batch_that_fails_as_a_whole_is_not_an_error_of_the_function(handler: Handler, deployed: Deployed) -> None:
    event = received(deployed, Message("{", "a"), Message("[", "b"))
    assert failed(handler(event)) == ["m0", "m1"]


def test_a_message_with_an_expired_handle_is_still_returned_as_failed(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    assert failed(handler(batch(Message("{", "a")))) == ["m0"]
    assert [line["message"] for line in logged()] == ["failed", "not brought back"]


def test_a_missing_policy_is_written_and_journalled_once(handler: Handler, deployed: Deployed) -> None:
    accepted(handler, deployed)
    ecr = registry_ecr()
    ecr.create_repository(repositoryName="shop/checkout")
    for _ in range(2):
        assert failed(handler(batch(reconcile(D1)))) == []
    assert "pull-user-1" in ecr.get_repository_policy(repositoryName="shop/checkout")["policyText"]
    assert deployed.results() == ["converged"], "a run without drift keeps no journal"


def test_no_log_line_holds_a_document_a_credential_or_a_url(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    accepted(handler, deployed)
    registry_ecr().create_repository(repositoryName="shop/checkout")
    handler(batch(reconcile(D1), reconcile(USER), Message('{"secret": "{', "bad")))
    text = json.dumps(logged())
    assert "shop/checkout" in text
    for never in ("Statement", "ASIA", "AKIA", "http", "the-external-id", "secret"):
        assert never not in text, never
