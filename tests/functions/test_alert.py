"""The alert handler: announcements from the bus, and incidents that are due."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ecr_warden.core.alert import Alert, alert_to_json
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.repair.alerts import OwnChanged
from ecr_warden.versions.alerts import SpecAccepted
from local.testing.messages import Message, batch
from tests.functions.conftest import Deployed, Handler
from tests.template.cfn import HUB, say

type Logged = Callable[[], list[dict[str, Any]]]
SPEC = Cause(CauseKind.SPEC, "v2")
CUT = OwnChanged(Cause(CauseKind.EVENT, "e-1", "events:DeleteRule"), "222222222222", "rule ecr-warden-forward-iam")
ACCEPTED = SpecAccepted(SPEC, "v2", "v1", ("repository/222222222222/eu-central-1/shop/checkout",), ())
FLUSH = Message(json.dumps({"schema": 1, "incident": "spec/v2"}), queue="ecr-warden-incidents")


def broken(body: str) -> Message:
    return Message(body, queue="ecr-warden-incidents")


@pytest.fixture
def handler(handler_of: Callable[[str], Handler]) -> Handler:
    return handler_of("alert")


def announced(alert: Alert) -> dict[str, Any]:
    at = "2026-11-24T10:00:00Z"
    return {"source": "ecr-warden", "detail-type": "SpecRefused", "time": at, "detail": alert_to_json(alert)}


def test_an_urgent_alert_is_sent_at_once(handler: Handler, deployed: Deployed) -> None:
    handler(announced(CUT))
    (mail,) = deployed.mails()
    assert "rule ecr-warden-forward-iam" in mail


def test_collected_alerts_are_sent_in_one_message_when_it_is_due(handler: Handler, deployed: Deployed) -> None:
    handler(announced(ACCEPTED))
    handler(announced(ACCEPTED))
    handler(batch(FLUSH))
    assert deployed.mails() == [], "it is gathered for 20 seconds"
    deployed.clock.later(21)
    handler(batch(FLUSH))
    assert len(deployed.mails()) == 1
    handler(batch(FLUSH))
    assert deployed.mails() == [], "a flush that is delivered twice sends nothing twice"


@pytest.mark.parametrize("body", ["{", "[]", '{"schema": 9, "incident": "spec/v2"}', '{"schema": 1}'])
def test_a_malformed_flush_is_an_error_so_that_it_ends_in_the_failure_queue(
    handler: Handler, deployed: Deployed, body: str
) -> None:
    with pytest.raises(CodecError):
        handler(batch(broken(body)))


def test_a_malformed_flush_does_not_hold_back_other_incidents(handler: Handler, deployed: Deployed) -> None:
    handler(announced(ACCEPTED))
    deployed.clock.later(21)
    assert handler(batch(broken("{"), FLUSH, broken("[]"))) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]
    }
    assert len(deployed.mails()) == 1


@pytest.mark.parametrize(("receives", "seconds"), [(1, 20), (2, 40), (5, 320), (7, 720)])
def test_a_failed_flush_is_retried_after_a_window_and_then_after_twice_as_long(
    handler: Handler, deployed: Deployed, receives: int, seconds: int
) -> None:
    deployed.sqs.send_message(QueueUrl=deployed.incidents_url, MessageBody="{")
    [taken] = deployed.taken(deployed.incidents_url)
    with pytest.raises(CodecError):
        handler(batch(Message("{", receives=receives, handle=taken["ReceiptHandle"], queue="ecr-warden-incidents")))
    assert deployed.hidden("incidents") == {"{": seconds}


def test_an_announcement_that_is_not_understood_is_an_error(handler: Handler) -> None:
    with pytest.raises(CodecError):
        handler({"detail": {"schema": 9}})


def test_of_a_message_its_first_line_alone_is_logged_once_it_is_sent_as_the_dashboard_reads_it(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    query = say(HUB.properties("Dashboard")["DashboardBody"])
    [said] = re.findall(r"filter message = '([^']+)'", query)
    [fields] = re.findall(r"fields @timestamp, ([a-z_, ]+) \|", query)
    handler(announced(CUT))
    lines = logged()
    [line] = [one for one in lines if one["message"] == said]
    assert [line[name] for name in fields.split(", ")] == ["critical", "open", line["first_line"]]
    (mail,) = deployed.mails()
    assert line["first_line"] in mail
    assert "A caller who can change it" in mail
    assert "A caller who can change it" not in json.dumps(lines)
