"""People at the deployed hub: who may ask, who may command, and in whose name it is done."""

import json
import re
import time
from typing import Any

import pytest

from local.demo.chat import Message
from local.demo.operator import OPERATOR, READER, Terminal, terminal_of
from local.demo.places import CI, REGION, REGISTRY, REPOSITORY, REPOSITORY_TARGET
from local.testing.waiting import until
from tests.cli.command import unfolded
from tests.e2e.house import EMAIL, House, Moment


@pytest.fixture(scope="session")
def alice(deployed: House) -> Terminal:
    """An operator."""
    return terminal_of(deployed.stage, "alice", OPERATOR)


@pytest.fixture(scope="session")
def bob(deployed: House) -> Terminal:
    """A reader."""
    return terminal_of(deployed.stage, "bob", READER)


@pytest.mark.journey
def test_a_user_who_may_only_ask_can_ask_and_command_nothing_and_sees_whom_no_e_mail_reaches(
    house: House, bob: Terminal
) -> None:
    moment = house.now()
    asked = bob.run("status")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert asked.stdout.startswith("all 5 targets are as the spec says, and nobody else has access")
    for verb in ("plan", "check"):
        right = bob.run(verb)
        assert right.returncode == 0, right.stdout + right.stderr
    let_in = " ".join(bob.run("who-can", "push", "shop/checkout").stdout.split())
    assert "ci:user/push-user as registry:role/ecr-warden/ecr-pusher" in let_in
    refused = bob.run("pause", "all", "--for", "1h", "--reason", "a holiday")
    assert refused.returncode == 1
    assert "you may not call ecr-warden-control" in refused.stderr
    assert "ecr-warden-operator" in refused.stderr
    assert house.messages(moment, "paused") == []

    _change_our_read_role(house)
    _unsubscribe_from_the_alarms(house, bob)


def _change_our_read_role(house: House) -> None:
    """Twenty quick changes by one principal are two messages; one more for each 20 s until the last is counted."""
    iam, role = house.stage.aws.client(REGISTRY, "iam"), {"RoleName": "ecr-warden-read", "PolicyName": "more"}
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}})
    since, began = house.now(), time.monotonic()
    for _ in range(10):
        iam.put_role_policy(**role, PolicyDocument=document)
        iam.delete_role_policy(**role)
    until(lambda: len(_reported(house, since)) == 20, what="the report of each change")
    # At least: delivery is at least once.
    until(
        lambda: sum(map(_changes, house.messages(since, OWN))) >= 20,
        what="messages that count all changes",
        instead=lambda: [message.text for message in house.messages(since, "")],
    )
    took = time.monotonic() - began
    assert len(house.messages(since, OWN)) <= 2 + took // 20
    house.quiet.wait(since.mark)


OWN = "ecr-warden works through"


def _reported(house: House, since: Moment) -> list[Any]:
    calls = house.stage.aws.calls(since.mark)
    entries = [entry for call in calls if call.action == "PutEvents" for entry in call.parameters["entries"]]
    return [entry for entry in entries if json.loads(entry["detail"]).get("kind") == "own-changed"]


def _changes(message: Message) -> int:
    """How many changes of the role a message counts, beside whatever else it has collected."""
    counted = re.search(r"works through was changed in account \d+, (\d+) times", message.text)
    return int(counted[1]) if counted else 1


def _unsubscribe_from_the_alarms(house: House, bob: Terminal) -> None:
    """As SNS does two days after too many e-mails, or whoever reads the list."""
    sns, topic = house.stage.aws.client(CI, "sns", REGION), house.stage.hub["AlarmTopicArn"]
    assert topic.endswith(":ecr-warden-alarms")
    [subscribed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscribed["Endpoint"] == EMAIL
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    try:
        asked = bob.run("status")
        assert asked.returncode == 2
        assert "the e-mail subscription of ecr-warden-alarms is not in force" in unfolded(asked.stdout)
    finally:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=EMAIL)
    asked = bob.run("status")
    assert "e-mail subscription" not in unfolded(asked.stdout)


@pytest.mark.journey
def test_a_tamper_outlives_a_pause_and_is_repaired_when_it_is_resumed_in_the_name_of_who_did_it(
    house: House, alice: Terminal
) -> None:
    moment = house.now()
    paused = alice.run("pause", REPOSITORY, "--for", "1h", "--reason", "ticket 4711")
    assert paused.returncode == 0, paused.stderr
    house.tamper()
    house.sweep()
    assert not house.is_right()
    assert house.product_writes(moment) == []
    house.hears(moment, "ticket 4711", messages=2)
    status = alice.run("status")
    assert (status.returncode, "paused by alice until" in status.stdout) == (2, True), status.stdout
    verified = alice.run("check", "--target", REPOSITORY)
    assert (verified.returncode, "differs     repository/" in verified.stdout) == (2, True), verified.stdout
    planned = alice.run("plan")
    assert (planned.returncode, "not carried out for now: paused by" in planned.stdout) == (2, True), planned.stdout

    resumed = alice.run("resume", "all", "--json")
    assert resumed.returncode == 0, resumed.stderr
    [run] = json.loads(resumed.stdout)["runs"]
    assert (run["target"], run["result"]) == (REPOSITORY_TARGET, "converged")
    assert house.is_right()
    shown = alice.run("history", run["runId"]).stdout
    assert "By: registry:user/mallory" in " ".join(shown.split())
    assert "Ended by: command resume by alice" in " ".join(shown.split())
    house.quiet.wait(moment.mark)
    assert len(house.product_writes(moment)) == 1
