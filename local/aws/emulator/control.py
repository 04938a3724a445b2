"""The loopback control endpoint /_local/: the calls made, faults, schedules, forged events."""

import json
import os
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from local.aws.behaviour.switches import switches_from_json
from local.aws.emulator.bridges import delivery
from local.aws.emulator.fault_table import FaultTable
from local.aws.emulator.ledger import Ledger
from local.aws.emulator.modules import PINNED, eventbridge, responses, signature
from local.aws.emulator.wire import Reply
from local.aws.emulator.world import MinistackWorld
from local.aws.faults import fault_from_json, fault_to_json

type Query = dict[str, list[str]]


class Control:
    """Answers control requests; every answer is JSON."""

    def __init__(self, ledger: Ledger, faults: FaultTable, world: MinistackWorld) -> None:
        self._ledger, self._faults, self._world = ledger, faults, world
        signature(eventbridge, "_tick_scheduled_rules")
        signature(eventbridge, "_rule_key", "rule_name", "bus_name")

    def handle(self, method: str, path: str, query: bytes, body: bytes) -> Reply:
        """The reply to a request; 400 with the reason for a malformed one."""
        try:
            found = self._route(
                method, path.removeprefix("/_local/"), parse_qs(query.decode()), json.loads(body or b"{}")
            )
            status = 200
        except (LookupError, TypeError, ValueError) as problem:
            status, found = 400, {"problem": f"{type(problem).__name__}: {problem}"}
        return status, {"content-type": "application/json"}, json.dumps(found).encode()

    def _route(self, method: str, what: str, query: Query, given: Any) -> Any:
        match method, what:
            case "GET", "ready":
                return {"pid": os.getpid(), "ministack": PINNED, "sequence": self._ledger.sequence}
            case "GET", "calls":
                calls = self._ledger.since(int(query.get("since", ["0"])[0]))
                return [{name: getattr(call, name) for name in call.__slots__} for call in calls]
            case "DELETE", "calls":
                self._ledger.reset()
                return {}
            case "GET", "faults":
                return [{**asdict(one), "fault": fault_to_json(one.fault)} for one in self._faults.states()]
            case "POST", "faults":
                return {"fault_id": self._faults.add(fault_from_json(given))}
            case "DELETE", "faults":
                self._faults.clear()
                return {}
            case "GET", "undelivered":
                return [asdict(one) for one in delivery.undelivered]
            case "POST", "settings":
                self._world.switches = switches_from_json(given)
                return {}
            case "POST", "fire":
                return _fire(given["account"], given["region"], given["rule"], given["bus"])
            case "POST", "event":
                return _forge(given["account"], given["region"], given["entry"])
            case _:
                raise LookupError(f"no {method} {what}")


def _fire(account: str, region: str, rule: str, bus: str) -> Any:
    """Fire a scheduled rule now. Raises LookupError if no such rule is enabled."""
    with responses.request_scope(account, region):
        key = eventbridge._rule_key(rule, bus)
        found = eventbridge._rules.get(key)
    if not found or found.get("State") != "ENABLED" or not found.get("ScheduleExpression"):
        raise LookupError(f"no enabled schedule {rule} in {account} {region}")
    eventbridge._rule_last_fired[(account, region, key)] = 0.0
    eventbridge._tick_scheduled_rules()
    return {}


def _forge(account: str, region: str, entry: Any) -> Any:
    """Put an event of any source on the default bus, as AWS's own services can."""
    with responses.request_scope(account, region):
        _, _, body = eventbridge._put_events({"Entries": [{"EventBusName": "default", **entry}]}, allow_aws_source=True)
    return json.loads(body)
