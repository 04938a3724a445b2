"""People at the deployed hub: who may ask, who may command, and in whose name it is done."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ecr_warden.core.target import parse_target
from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.hub.codec_requests import request_to_text
from ecr_warden.state.commands import Apply
from local.demo.operator import OPERATOR, READER, Terminal, terminal_of
from local.demo.places import CI, REGION, REGISTRY, REPOSITORY, REPOSITORY_TARGET
from local.testing.waiting import until
from tests.cli.command import unfolded
from tests.e2e.house import House
from tests.e2e.roles import credentials_of

CONTROL = f"arn:aws:lambda:{REGION}:{CI}:function:ecr-warden-control"
ENTER = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/ecr-warden-"


@pytest.fixture(scope="session")
def alice(deployed: House) -> Terminal:
    """An operator."""
    return terminal_of(deployed.stage, "alice", OPERATOR)


@pytest.fixture(scope="session")
def bob(deployed: House) -> Terminal:
    """A reader."""
    return terminal_of(deployed.stage, "bob", READER)


@pytest.mark.journey
def test_a_user_who_may_only_ask_can_ask_and_command_nothing(house: House, bob: Terminal) -> None:
    moment = house.now()
    asked = bob.run("status")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert asked.stdout.startswith("all 5 targets are as the spec says, and nobody else has access")
    for options in ((), ("--short",)):
        right = bob.run("plan", *options, "--hub")
        assert right.returncode == 0, right.stdout + right.stderr
    let_in = unfolded(bob.run("grants").stdout)
    assert f"push  arn:aws:iam::{CI}:user/push-user through role/{REGISTRY}/ecr-pusher" in let_in
    refused = bob.run("pause", "all", "--for", "1h", "--reason", "a holiday")
    assert refused.returncode == 1
    assert "you may not call ecr-warden-control" in refused.stderr
    assert "ecr-warden-operator" in refused.stderr
    assert house.messages(moment, "paused") == []


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
    verified = alice.run("plan", "--short", "--hub", REPOSITORY)
    assert (verified.returncode, "differs     repository/" in verified.stdout) == (2, True), verified.stdout
    planned = alice.run("plan", "--hub")
    assert (planned.returncode, "not carried out for now: paused by" in planned.stdout) == (2, True), planned.stdout

    resumed = alice.run("resume", "all", "--json")
    assert resumed.returncode == 0, resumed.stderr
    [run] = json.loads(resumed.stdout)["runs"]
    assert (run["target"], run["result"]) == (REPOSITORY_TARGET, "converged")
    assert house.is_right()
    shown = alice.run("history", run["runId"]).stdout
    assert f"command resume by user arn:aws:iam::{CI}:user/alice" in shown
    house.quiet.wait(moment.mark)
    assert len(house.product_writes(moment)) == 1


def test_a_tamper_in_a_pause_is_repaired_at_the_tick_after_its_end(house: House, alice: Terminal) -> None:
    moment, until_ = house.now(), datetime.now(UTC) + timedelta(seconds=5)
    paused = alice.run("pause", REPOSITORY, "--until", until_.isoformat(), "--reason", "ticket 4712")
    assert paused.returncode == 0, paused.stderr
    assert "at the next tick after that, the hub compares" in paused.stdout
    house.tamper()
    assert not house.is_right()
    until(lambda: datetime.now(UTC) > until_, what="the end of the pause")
    house.stage.fire_sweep()
    house.hears(moment, "the pause of 1 target has ended")
    until(house.is_right, what="the repair at the end of the pause")
    house.quiet.wait(moment.mark)
    assert len(house.product_writes(moment)) == 1


def test_what_is_stopped_by_the_switch_is_not_applied_either(house: House, alice: Terminal) -> None:
    house.writes("stopped")
    moment = house.now()
    house.tamper()
    applied = alice.run("apply", REPOSITORY)
    assert applied.returncode == 2
    assert "reported" in applied.stdout
    assert house.product_writes(moment) == []
    house.writes("enabled")
    assert alice.run("apply", REPOSITORY).returncode == 0
    assert house.is_right()


def _command(person: Terminal, number: int) -> tuple[str, dict[str, str]]:
    text = request_to_text(Apply(f"forged-{number:04}", (parse_target(REPOSITORY_TARGET),)))
    keys = Credentials(person.person.keys.key, person.person.keys.secret)
    return text, dict(make_proof(keys, region=REGION, hub=CONTROL, request=text))


def _send(person: Terminal, event: dict[str, Any]) -> Any:
    answer = person.person.client("lambda").invoke(FunctionName="ecr-warden-control", Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer
    return json.loads(answer["Payload"].read())


def test_a_signature_is_valid_once_for_one_request_to_one_hub(house: House, alice: Terminal, bob: Terminal) -> None:
    text, proof = _command(alice, 1)
    assert _send(alice, {"request": text, "proof": proof})["caller"] == f"arn:aws:iam::{CI}:user/alice"
    assert _send(alice, {"request": text, "proof": proof})["error"]["code"] == "call-repeated"
    other, _ = _command(alice, 2)
    keys = Credentials(alice.person.keys.key, alice.person.keys.secret)
    elsewhere = dict(make_proof(keys, region=REGION, hub=CONTROL.replace("ecr-warden", "another"), request=other))
    forged = dict(make_proof(Credentials(keys.access_key, "guessed"), region=REGION, hub=CONTROL, request=other))
    for name, wrong in {"of another request": proof, "for another hub": elsewhere, "by a guess": forged}.items():
        assert _send(alice, {"request": other, "proof": wrong})["error"]["code"] == "caller-unproved", name
    assert _send(alice, {"request": other})["error"]["code"] == "caller-unproved"
    # Who carries a request is IAM's business, who signed it is the hub's.
    _, signed_by_bob = _command(bob, 2)
    assert _send(alice, {"request": other, "proof": signed_by_bob})["caller"].endswith(":user/bob")


@pytest.mark.parametrize(("function", "enters"), [("ecr-warden-answer", {"read"}), ("ecr-warden-control", set())])
def test_neither_function_enters_the_write_role_and_control_enters_none(
    house: House, function: str, enters: set[str]
) -> None:
    sts = credentials_of(house, function).client("sts")
    for role in ("read", "write"):
        named = {"SourceIdentity": "ecrw-1"} if role == "write" else {}
        try:
            sts.assume_role(RoleArn=f"{ENTER}{role}", RoleSessionName="ecrw-1", ExternalId="demo-external-id", **named)
            entered = True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            entered = False
        assert entered == (role in enters), role


def test_control_deletes_nothing_and_lists_nothing(house: House) -> None:
    """Which rows it writes is for tests/template: the emulator knows no dynamodb:LeadingKeys."""
    table = credentials_of(house, "ecr-warden-control").client("dynamodb")
    target = {"pk": {"S": f"TARGET#{REPOSITORY_TARGET}"}, "sk": {"S": "STATE"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        table.delete_item(TableName="ecr-warden", Key=target)
    with pytest.raises(ClientError, match="AccessDenied"):
        table.scan(TableName="ecr-warden")
    table.update_item(TableName="ecr-warden", Key=target, UpdateExpression="REMOVE paused")
