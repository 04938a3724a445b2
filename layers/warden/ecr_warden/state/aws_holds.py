"""The Holds and Verdicts ports on the hub's table; each function writes under its own keys, as template.yaml allows.

Accept writes `HOLDS` / `<id>`, control `DECISIONS` / `<id>#<since>`, collect `READINGS` / `<id>#<part>`, audit
`VERDICTS` / `<id>`. A decision names the time at which its hold was opened, so that it never serves for a later one
with the same ID.
"""

from copy import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed, unpacked
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import Json, dumps, loads, understood
from ecr_warden.state.hold import (
    OPEN,
    Decision,
    Hold,
    decision_from_json,
    decision_to_json,
    hold_from_json,
    hold_to_json,
)
from ecr_warden.state.holds import Judged, hold_decided, judged_from_json, judged_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HOLDS, _DECISIONS = {"S": "HOLDS"}, {"S": "DECISIONS"}
_READINGS, _VERDICTS = {"S": "READINGS"}, {"S": "VERDICTS"}
_STATE, _OPEN = {"#state": "state"}, {f":{state}": {"S": state} for state in OPEN}
_IS_OPEN = f"#state IN ({', '.join(_OPEN)})"
_IS_NEW = "attribute_not_exists(pk)"


class DynamoHolds(Struct, frozen=True):
    """An item per hold, and one per decision."""

    table: Table
    clock: Clock

    def open(self, hold: Hold) -> None:
        self.table.put(f"keeping hold {hold.id}", self._item(hold))

    def find(self, hold_id: str) -> Hold | None:
        hold = _hold_of(self.table.get(f"reading hold {hold_id}", {"pk": _HOLDS, "sk": {"S": hold_id}}))
        return None if hold is None else self._decided(hold)

    def waiting(self) -> "Sequence[Hold]":
        items = self.table.query(
            "reading what is held",
            "pk = :holds",
            {":holds": _HOLDS, **_OPEN},
            FilterExpression=_IS_OPEN,
            ExpressionAttributeNames=_STATE,
        )
        holds = [hold for hold in map(_hold_of, items) if hold is not None]
        decisions = self._decisions() if holds else {}
        return [replace(hold, decision=decisions.get(_decided_as(hold))) for hold in holds]

    def last_of(self, version: str) -> Hold | None:
        items = self.table.query(
            f"reading the holds on version {version}",
            "pk = :holds",
            {":holds": _HOLDS, ":version": {"S": version}},
            FilterExpression="version = :version",
        )
        holds = (hold for hold in map(_hold_of, items) if hold is not None)
        last = max(holds, key=lambda hold: hold.since, default=None)
        return None if last is None else self._decided(last)

    def decide(self, hold: Hold, decision: Decision) -> None:
        item = {**_decision_key(hold), "decision": packed(dumps(decision_to_json(decision))), **self._expires()}
        if not self.table.put(f"recording the decision on hold {hold.id}", item, ConditionExpression=_IS_NEW):
            counts = self._decision(hold)
            # A call that is repeated because its answer was lost finds its own decision.
            if counts != decision:
                raise hold_decided(hold.id, counts)

    def settle(self, hold: Hold) -> bool:
        return self.table.put(
            f"settling hold {hold.id}",
            self._item(hold),
            ConditionExpression=f"{_IS_OPEN} AND since = :since",
            ExpressionAttributeNames=_STATE,
            ExpressionAttributeValues={**_OPEN, ":since": {"S": hold.since.isoformat()}},
        )

    def _decided(self, hold: Hold) -> Hold:
        return hold if hold.decision is not None else replace(hold, decision=self._decision(hold))

    def _decision(self, hold: Hold) -> Decision | None:
        item = self.table.get(f"reading the decision on hold {hold.id}", _decision_key(hold))
        return _kept(item, "decision", decision_from_json)

    def _decisions(self) -> "Mapping[str, Decision | None]":
        """Every decision that is kept, by the hold that it is on."""
        items = self.table.query("reading what was decided", "pk = :decisions", {":decisions": _DECISIONS})
        return {item["sk"]["S"]: _kept(item, "decision", decision_from_json) for item in items}

    def _item(self, hold: Hold) -> dict[str, Any]:
        return {
            "pk": _HOLDS,
            "sk": {"S": hold.id},
            "state": {"S": hold.state},
            "version": {"S": hold.ground.version},
            "since": {"S": hold.since.isoformat()},
            "hold": packed(dumps(hold_to_json(hold))),
            **self._expires(),
        }

    def _expires(self) -> dict[str, Any]:
        return {"expires": expiry(self.clock.now())}


class DynamoVerdicts(Struct, frozen=True):
    """An item per part that was read, and one per verdict."""

    table: Table
    clock: Clock

    def note(self, hold: Hold, part: str, why: str) -> None:
        key = {"pk": _READINGS, "sk": {"S": f"{_decided_as(hold)}#{part}"}}
        item = {**key, "why": {"S": why}, "expires": expiry(self.clock.now())}
        self.table.put(f"noting what was read of {part} for {hold.id}", item)

    def notes(self, hold: Hold) -> "Mapping[str, str]":
        items = self.table.query(
            f"reading what was read for {hold.id}",
            "pk = :readings AND begins_with(sk, :hold)",
            {":readings": _READINGS, ":hold": {"S": f"{_decided_as(hold)}#"}},
        )
        return {item["sk"]["S"].rpartition("#")[2]: item["why"]["S"] for item in items}

    def keep(self, judged: Judged) -> None:
        item = {"pk": _VERDICTS, "sk": {"S": judged.ground.id}, "judged": packed(dumps(judged_to_json(judged)))}
        self.table.put(f"keeping the verdict on {judged.ground.id}", {**item, "expires": expiry(self.clock.now())})

    def find(self, hold: Hold) -> Judged | None:
        found = self.table.get(f"reading the verdict on {hold.id}", {"pk": _VERDICTS, "sk": {"S": hold.id}})
        judged = _kept(found, "judged", judged_from_json)
        return judged if judged is not None and judged.is_on(hold) else None


def _hold_of(item: Any) -> Hold | None:
    return _kept(item, "hold", hold_from_json)


def _kept[T](item: Any, name: str, read: "Callable[[Json], T]") -> T | None:
    """What another version wrote in a form that this one does not know counts as absent: it is held anew."""
    return None if item is None else understood(lambda: read(loads(unpacked(item[name]))))


def _decision_key(hold: Hold) -> dict[str, Any]:
    return {"pk": _DECISIONS, "sk": {"S": _decided_as(hold)}}


def _decided_as(hold: Hold) -> str:
    return f"{hold.id}#{hold.since.isoformat()}"
