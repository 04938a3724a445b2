"""The keys of the hub's table, and the record of a target.

`TARGET#<key>` / `STATE` and `RUN#<id>`; `DAY#<yyyymmdd>` / `RUN#<id>`, a run's entry under the day that its ID begins
with; `CALL#<id>` / `CALL` and `TARGET#<key>`; `SPEC`; `SWEEP`, `WATCH` and `HEARTBEAT` / `PART#<part>`; `HISTORY#SPEC`
and `HISTORY#COMMAND` / `<time>#<kind>#<id>`; `HOLDS` / `<id>` and `DECISIONS` / `<id>#<since>`;
`PAUSES` / `<id>`; `DUE` / `<time>#<key>`; `SWITCH` / `ANNOUNCED`; `INCIDENT#<key>`; `ACKNOWLEDGED` / `<id>`;
`QUEUE#<name>`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ecr_warden.core.codec.base import Json, loads, understood
from ecr_warden.core.lasting import opened_from_json
from ecr_warden.core.pause import pause_from_json
from ecr_warden.core.result import Result
from ecr_warden.core.run import Debts, LastSeen
from ecr_warden.core.sessions import Sessions, TrustLook
from ecr_warden.core.target import Target
from ecr_warden.state.fight import repairs_from_json
from ecr_warden.state.state import TargetRecord

RUN = "RUN#"
PAUSES: dict[str, Any] = {"S": "PAUSES"}
DUE: dict[str, Any] = {"S": "DUE"}

_DAY = re.compile(r"[0-9]{8}(?=T)")


def state_key(target: Target) -> dict[str, Any]:
    return {"pk": {"S": f"TARGET#{target.key}"}, "sk": {"S": "STATE"}}


def run_key(target: Target, run_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"TARGET#{target.key}"}, "sk": {"S": f"{RUN}{run_id}"}}


def day_key(run_id: str) -> dict[str, Any]:
    """Finds a run by its ID alone, without an index, and keeps a day's runs in order."""
    day = _DAY.match(run_id)
    return {"pk": {"S": f"DAY#{day.group() if day else 'none'}"}, "sk": {"S": f"{RUN}{run_id}"}}


def day_of(at: datetime) -> str:
    return f"DAY#{at.astimezone(UTC):%Y%m%d}"


def second_of(at: datetime) -> str:
    """The prefix of the IDs of runs that began in this second."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


# As a projection: first what runs need, then what people read.
RECORD = (
    "pk, open_run, sessions_since, sessions_before, sessions_ended, recreated, revoked_until, written_at, settled_at, "
    "unique_id, reported, opened, revoked, trust_at, trust_digest, repairs, paused, observed_at, last_run, "
    "last_result, events, taken"
)


def record_of(item: Mapping[str, Any]) -> TargetRecord:
    """The item as a record; an attribute that it lacks was never set."""
    return TargetRecord(
        open_run=item.get("open_run", {}).get("S"),
        debts=Debts(
            sessions=_sessions(item),
            sessions_ended=item.get("sessions_ended", {}).get("BOOL", False),
            recreated_principals=tuple(sorted(item.get("recreated", {}).get("SS", ()))),
            revoked_until=_time(item, "revoked_until"),
        ),
        unique_id=item.get("unique_id", {}).get("S"),
        reported=item.get("reported", {}).get("S"),
        opened=_readable(item, "opened", opened_from_json),
        revoked=item.get("revoked", {}).get("S"),
        written_at=_time(item, "written_at"),
        settled_at=_time(item, "settled_at"),
        trust_look=_trust_look(item),
        repairs=_readable(item, "repairs", repairs_from_json) or (),
        pause=_readable(item, "paused", pause_from_json),
        last=_last(item),
        events={name: datetime.fromisoformat(at["S"]) for name, at in item.get("events", {}).get("M", {}).items()},
        taken={at: since["S"] for at, since in item.get("taken", {}).get("M", {}).items()},
    )


def _sessions(item: Mapping[str, Any]) -> Sessions | None:
    before = _time(item, "sessions_before")
    return None if before is None else Sessions(before, _time(item, "sessions_since"))


def _trust_look(item: Mapping[str, Any]) -> TrustLook | None:
    at = _time(item, "trust_at")
    return None if at is None else TrustLook(at, item["trust_digest"]["S"])


def _readable[T](item: Mapping[str, Any], name: str, by: Callable[[Json], T]) -> T | None:
    return readable(item[name]["S"], by) if name in item else None


def readable[T](text: str | bytes, by: Callable[[Json], T]) -> T | None:
    """What a text says; None for one of another version that this cannot read: it must keep no run from repairing."""
    return understood(lambda: by(loads(text)))


def _last(item: Mapping[str, Any]) -> LastSeen | None:
    if "observed_at" not in item:
        return None
    result = item.get("last_result", {}).get("S")
    return LastSeen(
        at=datetime.fromisoformat(item["observed_at"]["S"]),
        run_id=item.get("last_run", {}).get("S", ""),
        result=Result(result) if result in list(Result) else None,
    )


def _time(item: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(item[name]["S"]) if name in item else None
