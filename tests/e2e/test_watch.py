"""The watcher is watched: what blinds or stops it is announced, by its event, by the sweep, and when it has ended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.demo.operator import READER, terminal_of
from local.demo.places import CI, REGION, REGISTRY, TRAIL_REGION
from local.demo.stage import TRAIL
from local.testing.waiting import until
from tests.e2e.house import EMAIL, House, Moment

SWEEP, FORWARD = "ecr-warden-sweep", "ecr-warden-forward-ecr"
FORWARD = "ecr-warden-forward-ecr"
BUCKET = f"ecr-warden-spec-{CI}-{REGION}"


def _published(house: House, since: Moment, kind: str) -> list[Any]:
    """The alerts of a kind that were published; incident events have none, and the messages of a sweep come later."""
    details = [
        json.loads(entry["detail"])
        for call in house.stage.aws.calls(since.mark)
        if call.action == "PutEvents" and ":assumed-role/ecr-warden-" in call.principal
        for entry in call.parameters["entries"]
    ]
    return [detail for detail in details if detail.get("kind") == kind]


def _wires(alerts: list[Any]) -> list[tuple[str, list[tuple[str, str]], list[str]]]:
    """Of each alert its part, what is wrong, and what is as it should be again."""
    return [
        (
            alert["part"],
            [(wire["name"], wire["state"]) for wire in alert["broken"]],
            [wire["name"] for wire in alert["ended"]],
        )
        for alert in alerts
    ]


def test_an_undisturbed_hub_announces_nothing_and_its_heartbeats_arrive(house: House) -> None:
    since = house.now()
    for account, region in ((CI, TRAIL_REGION), (REGISTRY, TRAIL_REGION), (REGISTRY, REGION)):
        house.stage.aws.fire_schedule(account, region, "ecr-warden-heartbeat")
    until(lambda: len(_heard(house)) == 3, what="three heartbeats")
    house.sweep()
    house.sweep()
    assert _published(house, since, "wiring-changed") == _published(house, since, "own-changed") == []


def _heard(house: House) -> list[str]:
    client = house.stage.aws.client(CI, "dynamodb", REGION)
    asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "HEARTBEAT"}}}
    items = client.query(TableName=house.stage.hub["Table"], ConsistentRead=True, **asked)["Items"]
    return [item["sk"]["S"] for item in items if item["heard"]["BOOL"]]


def _forwarding(house: House, *, on: bool) -> None:
    events = house.stage.aws.client(REGISTRY, "events", REGION)
    (events.enable_rule if on else events.disable_rule)(Name=FORWARD)


def _trail(house: House, *, on: bool) -> None:
    trail = house.stage.aws.client(REGISTRY, "cloudtrail", REGION)
    (trail.start_logging if on else trail.stop_logging)(Name=TRAIL)


def _notification(house: House, *, on: bool) -> None:
    settings: dict[str, Any] = {"EventBridgeConfiguration": {}} if on else {}
    s3 = house.stage.aws.client(CI, "s3", REGION)
    s3.put_bucket_notification_configuration(Bucket=house.stage.hub["SpecBucket"], NotificationConfiguration=settings)


HERE = f"of {REGISTRY} in {REGION}"
CUTS: dict[str, tuple[Callable[..., None], str, str, str]] = {
    "the forwarding rule": (
        _forwarding,
        f"ecr-warden's own rule {FORWARD} in {REGION} was disabled",
        f"{REGISTRY}/{REGION}",
        f"rule {FORWARD} {HERE}",
    ),
    "the trail": (_trail, f"trail {TRAIL} in {REGION} was stopped", f"{REGISTRY}/{REGION}", f"trail {HERE}"),
    "the bucket's notification": (_notification, "", "hub", f"notification of s3://{BUCKET} to EventBridge"),
}


@pytest.mark.parametrize("name", CUTS)
def test_what_is_switched_off_is_announced_once_and_again_when_it_is_on(house: House, name: str) -> None:
    switch, by_event, part, wire = CUTS[name]
    since = house.now()
    switch(house, on=False)
    try:
        if by_event:
            house.hears(since, by_event)
        house.sweep()
        house.sweep()
        found = [one for one in _wires(_published(house, since, "wiring-changed")) if one[0] == part]
        state = "missing" if part == "hub" else "disabled"
        assert found == [(part, [(wire, state)], [])]
    finally:
        switch(house, on=True)
    house.sweep()
    house.sweep()
    found = [one for one in _wires(_published(house, since, "wiring-changed")) if one[0] == part]
    assert found[1:] == [(part, [], [wire])]


DEPLOYMENT = f"""
version: 1
hub: {{account: ci, region: {REGION}}}
accounts:
  ci: {{id: "{CI}", writes: identities}}
  registry: {{id: "{REGISTRY}", regions: [{REGION}], writes: all}}
alerts: {{email: {EMAIL}}}
"""


def test_doctor_says_what_is_off_and_the_command_that_switches_it_on(house: House, tmp_path: Path) -> None:
    """With no more rights than to ask the hub, which looks at everything."""
    file, dora = tmp_path / "ecr-warden.yaml", terminal_of(house.stage, "dora", READER)
    file.write_text(DEPLOYMENT)
    house.sweep()
    fine = dora.run("doctor", str(file))
    assert (fine.returncode, fine.stdout.splitlines()[-1]) == (0, "all is well"), fine.stdout + fine.stderr
    _trail(house, on=False)
    try:
        house.sweep()
        ran = dora.run("doctor", str(file))
    finally:
        _trail(house, on=True)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (2, "1 wrong, 0 warnings, 0 unknown"), ran.stdout
    assert f"aws cloudtrail start-logging --region {REGION} --name {TRAIL}\n" in ran.stdout
    house.sweep()
    assert dora.run("doctor", str(file)).returncode == 0
