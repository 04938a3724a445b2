"""People at the deployed hub: who may ask, who may command, and in whose name it is done."""

import json

import pytest

from local.demo.operator import OPERATOR, READER, Terminal, terminal_of
from local.demo.places import CI, REGISTRY, REPOSITORY, REPOSITORY_TARGET
from tests.cli.command import unfolded
from tests.e2e.house import House


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
