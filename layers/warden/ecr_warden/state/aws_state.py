"""The State port on one DynamoDB table.

`TARGET#<key>` / `STATE` has the lease, debts, pause and last reading; a run's journal is two items (aws_items.py),
and each pause of patterns is one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.aws.errors import HUB, code_of, translated
from ecr_warden.aws.table import Table, expiry, packed, sortable_time, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.codec.runs import open_run_from_json, open_run_to_json, report_to_json
from ecr_warden.core.failures import LeaseHeld, PortError, Throttled
from ecr_warden.core.lasting import opened_to_json
from ecr_warden.core.pause import (
    LONGEST_PAUSE,
    PatternPause,
    Pause,
    pattern_pause_from_json,
    pattern_pause_to_json,
    pause_to_json,
)
from ecr_warden.core.run import Debts, OpenRun, RunEntry, RunReport, entry_to_json
from ecr_warden.core.target import Target, parse_target
from ecr_warden.state.aws_items import DUE, PAUSES, RECORD, day_key, readable, record_of, run_key, state_key
from ecr_warden.state.fight import repairs_to_json
from ecr_warden.state.state import LEFT_OPEN, Due, Learned, Lease, TargetRecord

# Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_BATCH = 100
# No longer than the longest pause can one that it replaced have lasted.
_PAUSES_KEPT = LONGEST_PAUSE + timedelta(days=1)
_BATCH_READS = 5
# More than can come due in a tick, unless somebody fights over every document: then the next sweep finds the rest.
_DUE_AT_ONCE, _DUE_KEPT = 500, timedelta(days=1)
_LOST = "ConditionalCheckFailed"
_BUSY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class DynamoState(Struct, frozen=True):
    """The State port; the target's item has its lease too."""

    table: Table
    clock: Clock
    lease_for: timedelta = timedelta(seconds=110)
    """Longer than a function can run, so that its holder is gone when a lease expires."""

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        now = self.clock.now()
        expires = now + self.lease_for
        answer = self.table.update(
            f"taking the lease of {target}",
            state_key(target),
            "SET lease_run = :run, lease_expires = :expires ADD lease_fence :one",
            {":run": {"S": run_id}, ":expires": _millis(expires), ":now": _millis(now), ":one": {"N": "1"}},
            ConditionExpression="attribute_not_exists(lease_run) OR lease_expires <= :now",
            ReturnValues="ALL_NEW",
        )
        if answer is None:
            raise LeaseHeld(f"another run works on {target}", retryable=True)
        item = answer["Attributes"]
        record = record_of(item)
        return Lease(target, run_id, int(item["lease_fence"]["N"]), expires, record.debts.recreated_principals), record

    def holds(self, lease: Lease) -> bool:
        if self.clock.now() >= lease.expires_at:
            return False
        item = self.table.get(
            f"checking the lease of {lease.target}",
            state_key(lease.target),
            ProjectionExpression="lease_fence, lease_run",
        )
        return "lease_run" in (item or ()) and int(item["lease_fence"]["N"]) == lease.fencing_token

    def release(self, lease: Lease, learned: Learned) -> None:
        look, report = learned.trust_look, learned.report
        known: dict[str, Any] = {
            "observed_at": _text(self.clock.now()),
            "unique_id": _text(learned.unique_id),
            "reported": _text(learned.reported),
            "opened": _text(None if learned.opened is None else dumps(opened_to_json(learned.opened))),
            "revoked": _text(learned.revoked),
            "revoked_until": _text(learned.revoked_until),
            "settled_at": _text(learned.settled_at),
            "trust_at": _text(look.at if look else None),
            "trust_digest": _text(look.digest if look else None),
            "repairs": _text(None if learned.repairs is None else dumps(repairs_to_json(learned.repairs))),
            "events": _texts(learned.events),
            "taken": _texts(learned.taken),
            "last_run": _text(report.run_id if report else None),
            "last_result": _text(report.result if report else None),
        }
        gone = ["lease_run", "lease_expires", *(name for name in ("reported", "opened") if known[name] is None)]
        self.table.update(
            f"releasing the lease of {lease.target}",
            state_key(lease.target),
            *_setting(known, gone, lease),
            ConditionExpression=_HELD,
        )

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        put = {
            "TableName": self.table.name,
            "Item": {
                **run_key(lease.target, run.run_id),
                "status": {"S": "open"},
                "opened": packed(dumps(open_run_to_json(run))),
                "expires": expiry(self.clock.now()),
            },
        }
        due = {"TableName": self.table.name, "Item": _due(Due(lease.target, run.run_id), run.started_at + LEFT_OPEN)}
        self._with_state([{"Put": put}, self._line(run), {"Put": due}], lease, debts, open_run=run.run_id)

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        update = {
            "TableName": self.table.name,
            "Key": run_key(lease.target, report.run_id),
            "UpdateExpression": "SET #status = :closed, #result = :result, #report = :report, #expires = :expires",
            "ExpressionAttributeNames": {
                "#status": "status",
                "#result": "result",
                "#report": "report",
                "#expires": "expires",
            },
            "ExpressionAttributeValues": {
                ":closed": {"S": "closed"},
                ":result": {"S": report.result},
                ":report": packed(dumps(report_to_json(report))),
                ":expires": expiry(self.clock.now()),
            },
        }
        self._with_state(
            [{"Update": update}, self._line(report)],
            lease,
            debts,
            open_run=None,
            written_at=report.finished_at if report.applied else None,
        )

    def _line(self, run: OpenRun | RunReport) -> Any:
        line = {"S": dumps(entry_to_json(RunEntry.of(run)))}
        item = {**day_key(run.run_id), "entry": line, "expires": expiry(self.clock.now())}
        return {"Put": {"TableName": self.table.name, "Item": item}}

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        opened = (self.table.get(f"reading run {run_id} of {target}", run_key(target, run_id)) or {}).get("opened")
        return readable(unpacked(opened), open_run_from_json) if opened is not None else None

    def mark_recreated(self, target: Target, principal: str) -> None:
        marked = {":principal": {"SS": [principal]}}
        self.table.update(f"marking {target}", state_key(target), "ADD recreated :principal", marked)

    def pause(self, target: Target, pause: Pause) -> None:
        given = {":pause": {"S": dumps(pause_to_json(pause))}}
        self.table.update(f"pausing {target}", state_key(target), "SET paused = :pause", given)

    def pause_patterns(self, paused: PatternPause) -> None:
        item = {
            "pk": PAUSES,
            "sk": {"S": paused.pause.id},
            "pause": {"S": dumps(pattern_pause_to_json(paused))},
            "expires": expiry(paused.pause.at, _PAUSES_KEPT),
        }
        self.table.put("pausing patterns", item)

    def pattern_pauses(self) -> Sequence[PatternPause]:
        items = self.table.query("reading the pauses of patterns", "pk = :pk", {":pk": PAUSES})
        found = (readable(item["pause"]["S"], pattern_pause_from_json) for item in items)
        return [one for one in found if one is not None]

    def wait(self, target: Target, until: datetime) -> None:
        self.table.put(f"noting when {target} is due", _due(Due(target), until))

    def due(self, since: datetime, until: datetime) -> Sequence[Due]:
        between = {":pk": DUE, ":since": {"S": f"{sortable_time(since)}~"}, ":until": {"S": f"{sortable_time(until)}~"}}
        items = self.table.query("reading what is due", "pk = :pk AND sk BETWEEN :since AND :until", between)
        found = (Due(parse_target(item["target"]["S"]), item["run"]["S"]) for item in islice(items, _DUE_AT_ONCE))
        return [*dict.fromkeys(found)]

    def note_reported(self, target: Target, reported: str | None) -> None:
        expression = "REMOVE reported" if reported is None else "SET reported = :reported"
        values = {} if reported is None else {":reported": {"S": reported}}
        self.table.update(f"recording what was reported about {target}", state_key(target), expression, values)

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        found: dict[str, TargetRecord] = {}
        for start in range(0, len(targets), _BATCH):
            keys = {target.key: state_key(target) for target in targets[start : start + _BATCH]}
            pending: Any = {self.table.name: {"Keys": list(keys.values()), "ProjectionExpression": RECORD}}
            for _ in range(_BATCH_READS):
                with translated(HUB, "reading the records of targets"):
                    answer = self.table.client.batch_get_item(RequestItems=pending)
                for item in answer["Responses"].get(self.table.name, ()):
                    found[item["pk"]["S"].removeprefix("TARGET#")] = record_of(item)
                pending = answer.get("UnprocessedKeys")
                if not pending:
                    break
            else:
                raise Throttled("DynamoDB is too slow to return the records of targets", retryable=True)
        return found

    def _with_state(
        self,
        items: list[Any],
        lease: Lease,
        debts: Debts,
        *,
        open_run: str | None,
        written_at: datetime | None = None,
    ) -> None:
        """Write journal items and the target's own item in one transaction, if the lease is still held."""
        owed = debts.sessions
        known = {
            "open_run": _text(open_run),
            "sessions_since": _text(owed.since) if owed else None,
            "sessions_before": _text(owed.before) if owed else None,
        }
        gone = [name for name, value in known.items() if value is None]
        ended = {"sessions_ended": {"BOOL": debts.sessions_ended}, "written_at": _text(written_at)}
        expression, values = _setting({**known, **ended}, gone, lease)
        settled = sorted({*lease.recreated} - {*debts.recreated_principals})
        if settled:
            # Removed one by one: principals may be marked meanwhile, without the lease.
            expression += " DELETE recreated :settled"
            values[":settled"] = {"SS": settled}
        update: Any = {
            "TableName": self.table.name,
            "Key": state_key(lease.target),
            "UpdateExpression": expression,
            "ConditionExpression": _HELD,
            "ExpressionAttributeValues": values,
        }
        with translated(HUB, f"journalling a run of {lease.target}"):
            try:
                self.table.client.transact_write_items(TransactItems=[*items, {"Update": update}])
            except ClientError as error:
                if code_of(error) == "TransactionCanceledException":
                    raise _cancelled(lease.target, error) from error
                raise


def _cancelled(target: Target, error: ClientError) -> PortError:
    """Why a journal entry was not written: AWS gives a reason for each item of the transaction.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    message = error.response.get("Error", {}).get("Message", "")
    reasons = frozenset(re.findall(r"[A-Za-z]+", message.rpartition("[")[2]))
    if _LOST in reasons:
        return LeaseHeld(f"another run has taken over {target}", retryable=True)
    if reasons & _BUSY:
        return Throttled(f"the table is busy with {target}", remedy="it is retried automatically", retryable=True)
    return PortError(f"journalling a run of {target}: {message:.300}")


_HELD = "lease_fence = :token"


def _setting(known: Mapping[str, Any], gone: Iterable[str], lease: Lease) -> tuple[str, dict[str, Any]]:
    """An expression that sets what has a value and removes what is gone, and its values with the lease's for _HELD."""
    given = {name: value for name, value in known.items() if value is not None}
    expression = f"SET {', '.join(f'{name} = :{name}' for name in given)}"
    removed = ", ".join(gone)
    values = {":token": {"N": str(lease.fencing_token)}, **{f":{name}": value for name, value in given.items()}}
    return f"{expression} REMOVE {removed}" if removed else expression, values


def _text(value: str | datetime | None) -> dict[str, str] | None:
    return None if value is None else {"S": value.isoformat() if isinstance(value, datetime) else value}


def _texts(values: Mapping[str, str | datetime] | None) -> dict[str, Any] | None:
    return None if values is None else {"M": {name: _text(value) for name, value in values.items()}}


def _millis(at: datetime) -> dict[str, str]:
    return {"N": str(int(at.astimezone(UTC).timestamp() * 1000))}


def _due(one: Due, at: datetime) -> dict[str, Any]:
    return {
        "pk": DUE,
        "sk": {"S": f"{sortable_time(at)}#{one.target.key}#{one.run}"},
        "target": {"S": one.target.key},
        "run": {"S": one.run},
        "expires": expiry(at, _DUE_KEPT),
    }
