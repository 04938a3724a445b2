"""Alerts on the bus: never too large for an event, whatever was found in an account."""

import json
from copy import replace
from typing import Any

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Finding, FindingGroup, FindingKind
from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.notify.aws_bus import EventBridgeAlertBus
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.notify.shorter import TEXT
from ecr_warden.repair.alerts import (
    RunEnded,
)
from ecr_warden.repair.run_ended import run_ended
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from iam_access.document.document import Document, parse_document
from iam_access.text.printable import cut
from tests.contracts.hubs import MotoHub
from tests.contracts.runs import EVENT, NOW, ended, repair, report

LIMIT = 256 * 1024
CAUSE = Cause(CauseKind.SPEC, "v2")
BUS = "outcomes"


def published(hub: MotoHub, alert: Alert) -> list[dict[str, Any]]:
    """Publish and return the entries that were sent."""
    client = hub.client("events")
    client.create_event_bus(Name=BUS)
    EventBridgeAlertBus(lambda: client, BUS).publish(alert)
    return [
        entry for call in hub.wire.calls if call.action == "events:PutEvents" for entry in call.parameters["Entries"]
    ]


def publish(hub: MotoHub, alert: Alert) -> dict[str, Any]:
    """Publish and return the one entry that was sent."""
    (entry,) = published(hub, alert)
    return entry


def hostile(index: int) -> Document:
    """As large as a repository's policy may be, and hard to compress."""
    users = [f"arn:aws:iam::999999999999:user/{index}-{number:040}" for number in range(100)]
    statement = {"Effect": "Allow", "Principal": {"AWS": users}, "Action": "ecr:*"}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def test_alert_arrives_unchanged(hub: MotoHub) -> None:
    entry = publish(hub, ended())
    assert alert_from_json(json.loads(entry["Detail"])) == ended()
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("ecr-warden", "Run", BUS)


@pytest.mark.thorough
@pytest.mark.parametrize("changes", [8, 25, 60, 250])
def test_run_of_any_size_fits_and_still_says_what_was_done(hub: MotoHub, changes: int) -> None:
    made = ended("r1", *(repair(hostile(index), index) for index in range(changes)))
    entry = publish(hub, made)
    assert sum(len(value.encode()) for value in entry.values()) < LIMIT
    sent = alert_from_json(json.loads(entry["Detail"]))
    assert isinstance(sent, RunEnded)
    assert (sent.run_id, sent.cause, sent.result, sent.changes) == ("r1", EVENT, made.result, made.changes)
    assert [one.address for one in sent.differences] == [one.address for one in made.differences]
    for one, whole in zip(sent.differences, made.differences, strict=True):
        assert one.access and len(one.access) + one.left_out == len(whole.access)


def test_run_that_cannot_be_described_is_published_all_the_same(hub: MotoHub) -> None:
    """An action that is not text stands for a bug not found yet; what it is about is counted."""
    made = report("r1", repair(hostile(0)))
    [drift] = made.plan.drifts
    change = drift.change
    assert change is not None
    gained = tuple(replace(permission, action=7) for permission in change.gained)  # type: ignore[arg-type]
    drift = replace(drift, access=replace(change, gained=gained))
    detail = json.loads(publish(hub, run_ended(replace(made, plan=replace(made.plan, drifts=(drift,)))))["Detail"])
    [difference] = detail["differences"]
    assert detail["severity"] == "critical"
    assert (difference.get("access"), difference["leftOut"]) == (None, len(gained) + len(change.lost))


def test_accepted_spec_of_any_size_fits_and_says_how_much_was_left_out(hub: MotoHub) -> None:
    keys = tuple(f"repository/222222222222/eu-central-1/team/service-{number:05}" for number in range(6000))
    entry = publish(hub, SpecAccepted(CAUSE, "v2", "v1", keys, keys))
    assert sum(len(value.encode()) for value in entry.values()) < LIMIT
    sent = alert_from_json(json.loads(entry["Detail"]))
    assert isinstance(sent, SpecAccepted)
    assert sent.changed[0] == keys[0]
    assert set(sent.changed) < set(keys)
    whole = [len(its) + more for its, more in zip((sent.changed, sent.warnings), sent.left_out, strict=True)]
    assert whole == [6000, 6000]


def test_refused_spec_of_any_size_fits(hub: MotoHub) -> None:
    entry = publish(hub, SpecRefused(CAUSE, "v2", "v1", ("E1 " + "ü" * 20_000,) * 50))
    assert sum(len(value.encode()) for value in entry.values()) < LIMIT
    assert isinstance(alert_from_json(json.loads(entry["Detail"])), SpecRefused)


def test_an_audit_that_ends_more_than_an_event_holds_is_several_so_that_each_finding_has_its_end(hub: MotoHub) -> None:
    """Roles whose paths have all 512 characters: what is cut is another finding."""
    found = [
        Finding(FindingKind.EXTRA, "repository/x", "push", f"arn:aws:iam::999999999999:role/{'a' * 512}/{number}")
        for number in range(600)
    ]
    groups = tuple(FindingGroup(one, ("push",), ("repository/x",), NOW) for one in found)
    entries = published(hub, AccessAudited(EVENT, "v1", groups[:3], groups, unread=("y" * 2000,) * 200))
    assert all(sum(len(value.encode()) for value in entry.values()) < LIMIT for entry in entries)
    sent = [alert_from_json(json.loads(entry["Detail"])) for entry in entries]
    audits = [one for one in sent if isinstance(one, AccessAudited)]
    assert [group.finding.deed for one in audits for group in one.appeared] == [one.deed for one in found[:3]]
    assert [group.finding.deed for one in audits for group in one.ended] == [one.deed for one in found]


def test_bus_that_rejects_an_entry_is_an_error(hub: MotoHub) -> None:
    client = hub.client("events")
    hub.wire.fail("events:PutEvents", "AccessDeniedException", "not authorized to perform: events:PutEvents")
    with pytest.raises(PortError, match="events:PutEvents"):
        EventBridgeAlertBus(lambda: client, BUS).publish(replace(ended(), attempt=2))


@pytest.mark.thorough
def test_an_audit_of_very_many_long_and_foreign_chains_is_announced(hub: MotoHub) -> None:
    """Each role is free to assume the next: nobody may keep an outsider out of the messages by that."""
    text = "\U0001f4a5" * 1000  # twelve characters of JSON each
    chain = tuple(f"arn:aws:iam::222222222222:role/{'p' * 500}/{number}" for number in range(1000))
    finding = Finding(
        FindingKind.EXTRA,
        "repository/222222222222/eu-central-1/shop/checkout",
        "pull",
        "account 999999999999",
        chain,
        conditions=(text,) * 30,
        because=(text,) * 30,
        remedy=text,
        foreign=True,
    )
    groups = tuple(
        FindingGroup(replace(finding, principal=f"role {number}{text}"), ("pull",) * 9, (finding.place,) * 200, NOW)
        for number in range(200)
    )
    unread = (text,) * 200
    entry, *_ = published(hub, AccessAudited(CAUSE, "v2", groups, groups, unread=unread, failure=text))
    assert len(entry["Detail"]) < LIMIT
    sent = alert_from_json(json.loads(entry["Detail"]))
    assert isinstance(sent, AccessAudited)
    assert len(sent.appeared) + sent.left_out[0] == len(groups)
    first = sent.appeared[0].finding
    assert (first.chain[0], first.chain[-1]) == (cut(chain[0], TEXT), cut(chain[-1], TEXT))
    assert "992 more" in first.chain
