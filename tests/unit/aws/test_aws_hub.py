"""What only the hub on AWS does: fetching once, versions, groups of the queue, answers of the table."""

from datetime import timedelta
from functools import partial

import pytest

from ecr_warden.aws.queues import deduplication_id
from ecr_warden.core.failures import LeaseHeld, PermissionMissing, PortError, Throttled
from ecr_warden.core.job import Queue
from ecr_warden.core.run import Debts
from ecr_warden.core.spec_failures import SpecUnversioned
from ecr_warden.core.target import UserTarget
from ecr_warden.state.specs import SpecsInForce
from ecr_warden.state.state import Learned
from local.testing.seed import CHECKOUT, CI
from tests.contracts.aws import Call
from tests.contracts.hubs import SPEC_BUCKET, TABLE, MotoHub
from tests.contracts.runs import open_run, report
from tests.contracts.test_jobs import ALL
from tests.contracts.test_specs import compiled


def test_version_accepted_elsewhere_is_noticed(hub: MotoHub) -> None:
    other = hub.specs_of_another_container()
    other.accept(compiled("v1"), over=SpecsInForce())
    assert hub.specs.accepted() == compiled("v1")
    other.accept(compiled("v2"), over=other.standing())
    assert hub.specs.accepted() == compiled("v2")


def test_accepted_version_is_fetched_once(hub: MotoHub) -> None:
    hub.specs.accept(compiled("v1"), over=SpecsInForce())
    hub.wire.calls.clear()
    for _ in range(3):
        hub.specs.accepted()
    assert hub.wire.actions.count("s3:GetObject") == 1


def test_bucket_without_versions_is_refused_with_the_remedy(hub: MotoHub) -> None:
    hub.s3.put_bucket_versioning(Bucket=SPEC_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    hub.s3.put_object(Bucket=SPEC_BUCKET, Key="access.yaml", Body=b"version: 1\n")
    with pytest.raises(SpecUnversioned, match="versioning"):
        hub.specs.current()


def test_a_message_has_the_group_of_its_job_and_on_a_fifo_queue_the_deduplication_id(hub: MotoHub) -> None:
    hub.jobs.enqueue(ALL)
    for queue, url in hub.queue_urls.items():
        received = iter(partial(hub.received, url), [])
        attributes = [message["Attributes"] for messages in received for message in messages]
        sent = [job for job in ALL if job.queue is queue]
        assert [found["MessageGroupId"] for found in attributes] == [job.group for job in sent]
        dropped = [None if queue is Queue.REPAIR else deduplication_id(job) for job in sent]
        assert [found.get("MessageDeduplicationId") for found in attributes] == dropped


def test_spec_bucket_that_may_not_be_read_is_not_a_missing_spec(hub: MotoHub) -> None:
    hub.upload(b"version: 1")
    hub.wire.fail("s3:GetObject", "AccessDenied", "Access Denied", 403)
    with pytest.raises(PermissionMissing):
        hub.specs.current()


CANCELLED = {
    "ConditionalCheckFailed": (LeaseHeld, True),
    "TransactionConflict": (Throttled, True),
    "ThrottlingError": (Throttled, True),
    "ProvisionedThroughputExceeded": (Throttled, True),
    "ValidationError": (PortError, False),
    "ItemCollectionSizeLimitExceeded": (PortError, False),
}


@pytest.mark.parametrize("reason", CANCELLED)
def test_cancelled_journal_entry_says_why(hub: MotoHub, reason: str) -> None:
    error, retryable = CANCELLED[reason]
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [None, {reason}]"
    hub.wire.fail("dynamodb:TransactWriteItems", "TransactionCanceledException", message)
    with pytest.raises(PortError) as caught:
        hub.state.open_run(lease, open_run(), Debts())
    assert type(caught.value) is error
    assert caught.value.retryable is retryable


def test_journal_is_one_transaction_with_the_target_s_record(hub: MotoHub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.wire.calls.clear()
    hub.state.open_run(lease, open_run(), Debts())
    hub.state.close_run(lease, report(), Debts())
    assert hub.wire.actions == ["dynamodb:TransactWriteItems"] * 2


def test_table_that_never_answers_completely_is_asked_only_a_few_times(hub: MotoHub) -> None:
    owner = UserTarget(CI, "u")
    lease, _ = hub.state.acquire(owner, "r1")
    hub.state.release(lease, Learned(reported=None, unique_id="AIDA1"))
    hub.wire.answer(
        "dynamodb:BatchGetItem", lambda call: {"Responses": {}, "UnprocessedKeys": call.parameters["RequestItems"]}
    )
    hub.wire.calls.clear()
    with pytest.raises(Throttled):
        hub.state.records([owner])
    assert len(hub.wire.calls) <= 10


def test_an_alert_that_was_written_in_other_bytes_is_dropped_once_it_was_sent(hub: MotoHub) -> None:
    hub.incidents.add("i", ["an alert"])
    table = hub.client("dynamodb")
    [item] = [item for item in table.scan(TableName=TABLE)["Items"] if "alert" in item]
    table.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    table.put_item(TableName=TABLE, Item=item | {"sk": {"S": "ALERT#of-other-bytes"}})
    hub.incidents.drop("i", hub.incidents.close("i"))
    assert hub.incidents.close("i") == {}


def test_an_incident_that_could_not_be_opened_has_its_first_alert_still_to_come(hub: MotoHub) -> None:
    hub.wire.fail("sqs:SendMessage", "ServiceUnavailable")
    with pytest.raises(PortError):
        hub.incidents.open("i", seconds=20)
    hub.wire.faults.clear()
    assert hub.incidents.open("i", seconds=20)


def test_incident_that_was_never_flushed_is_opened_again(hub: MotoHub) -> None:
    hub.incidents.open("i", seconds=20)
    assert hub.flushes() == ["i"]
    hub.clock.advance(timedelta(seconds=41))
    hub.incidents.open("i", seconds=20)
    assert hub.flushes() == ["i"]


def test_flush_comes_after_the_requested_seconds(hub: MotoHub) -> None:
    hub.incidents.open("i", seconds=20)
    (sent,) = [call for call in hub.wire.calls if call.action == "sqs:SendMessage"]
    assert sent.parameters["DelaySeconds"] == 20


def test_two_calls_at_once_take_two_turns_and_the_third_has_none(hub: MotoHub) -> None:
    """Both read that both turns are free; the table gives each to one of them."""
    others = [0, 0]

    def beaten(call: Call) -> None:
        if others and call.parameters["Item"]["sk"]["S"] == "TURN#0":
            others.pop()
            assert hub.incidents.turn("chat", most=2, seconds=60) == 0

    hub.wire.faults["dynamodb:PutItem"] = beaten
    assert hub.incidents.turn("chat", most=2, seconds=60) == 60
    taken = [item for item in hub.client("dynamodb").scan(TableName=TABLE)["Items"] if "TURN" in item["sk"]["S"]]
    assert len(taken) == 2


def test_an_incident_that_the_version_before_opened_is_flushed_and_then_opened_anew(hub: MotoHub) -> None:
    hub.incidents.add("i", ["an alert"])
    hub.incidents.open("i", seconds=20)
    table = hub.client("dynamodb")
    [opened] = [item for item in table.scan(TableName=TABLE)["Items"] if item["sk"]["S"] == "OPEN"]
    before = {name: value for name, value in opened.items() if name != "due"}
    table.put_item(TableName=TABLE, Item=before | {"follows": {"BOOL": True}})
    assert [text for text, _ in hub.incidents.close("i").values()] == ["an alert"]
    assert hub.incidents.open("i", seconds=20)
