"""A target's item in the table, read as what is remembered of it; state.py writes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecr_warden.model.codec.base import loads
from ecr_warden.model.outcome import Result
from ecr_warden.model.pause import Pause
from ecr_warden.model.run import Debts, LastLook
from ecr_warden.ports.store import TargetRecord

# As a projection: what decides, then what is for people.
RECORD = (
    "pk, open_run, sessions_before, sessions_ended, recreated, written_at, unique_id, reported, revoked, paused, "
    "observed_at, last_run, last_result"
)


def record_of(item: Mapping[str, Any]) -> TargetRecord:
    """What the item remembers; what it does not have was never so."""
    return TargetRecord(
        open_run=item.get("open_run", {}).get("S"),
        debts=Debts(
            sessions_before=_time(item, "sessions_before"),
            sessions_ended=item.get("sessions_ended", {}).get("BOOL", False),
            recreated_principals=tuple(sorted(item.get("recreated", {}).get("SS", ()))),
        ),
        unique_id=item.get("unique_id", {}).get("S"),
        reported=item.get("reported", {}).get("S"),
        revoked=item.get("revoked", {}).get("S"),
        written_at=_time(item, "written_at"),
        pause=_pause(item),
        last=_last(item),
    )


def _pause(item: Mapping[str, Any]) -> Pause | None:
    if "paused" not in item:
        return None
    from ecr_warden.model.codec.pauses import pause_from_json  # noqa: PLC0415

    return pause_from_json(loads(item["paused"]["S"]))


def _last(item: Mapping[str, Any]) -> LastLook | None:
    if "observed_at" not in item:
        return None
    result = item.get("last_result", {}).get("S")
    return LastLook(
        at=datetime.fromisoformat(item["observed_at"]["S"]),
        run_id=item.get("last_run", {}).get("S", ""),
        result=None if result is None else Result(result),
    )


def _time(item: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(item[name]["S"]) if name in item else None
