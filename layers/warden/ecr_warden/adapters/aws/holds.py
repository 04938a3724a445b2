"""The Holds port on the hub's table: `HOLDS` / `<id>`, `DECISIONS` / `<id>#<since>`, and `PUBLISHED` / `<version>`.

Apart because two functions write, each its own (template.yaml). A decision names the time at which its hold
was opened, so that it never serves for a later hold with the same ID.
"""

from copy import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.adapters.aws.table import Table, expiry, packed, unpacked
from ecr_warden.model.codec.base import CodecError, dumps, loads
from ecr_warden.model.codec.holds import (
    decision_from_json,
    decision_to_json,
    hold_from_json,
    hold_to_json,
    publication_from_json,
    publication_to_json,
)
from ecr_warden.model.hold import Decision, Hold, HoldState, Publication
from ecr_warden.ports.errors import hold_decided
from ecr_warden.ports.hub import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HOLDS, _DECISIONS, _PUBLISHED = {"S": "HOLDS"}, {"S": "DECISIONS"}, {"S": "PUBLISHED"}
_STATE, _WAITING = {"#state": "state"}, {"S": HoldState.WAITING}
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
            {":holds": _HOLDS, ":waiting": _WAITING},
            FilterExpression="#state = :waiting",
            ExpressionAttributeNames=_STATE,
        )
        holds = [hold for hold in map(_hold_of, items) if hold is not None]
        # Together, because every run looks at what waits, and one spec or one tool may have thousands of changes wait.
        decisions = self._decisions() if holds else {}
        return [replace(hold, decision=decisions.get(_decided_as(hold))) for hold in holds]

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
            ConditionExpression="#state = :waiting AND since = :since",
            ExpressionAttributeNames=_STATE,
            ExpressionAttributeValues={":waiting": _WAITING, ":since": {"S": hold.since.isoformat()}},
        )

    def publish(self, publication: Publication) -> None:
        key = {"pk": _PUBLISHED, "sk": {"S": publication.version}}
        item = {**key, "publication": packed(dumps(publication_to_json(publication))), **self._expires()}
        self.table.put(f"recording who published version {publication.version}", item, ConditionExpression=_IS_NEW)

    def publication(self, version: str) -> Publication | None:
        found = self.table.get(f"reading who published version {version}", {"pk": _PUBLISHED, "sk": {"S": version}})
        try:
            return None if found is None else publication_from_json(loads(unpacked(found["publication"])))
        except CodecError:
            return None

    def _decided(self, hold: Hold) -> Hold:
        return hold if hold.decision is not None else replace(hold, decision=self._decision(hold))

    def _decision(self, hold: Hold) -> Decision | None:
        return _decision_of(self.table.get(f"reading the decision on hold {hold.id}", _decision_key(hold)))

    def _decisions(self) -> "Mapping[str, Decision | None]":
        """Every decision that is kept, by the hold that it is on."""
        items = self.table.query("reading what was decided", "pk = :decisions", {":decisions": _DECISIONS})
        return {item["sk"]["S"]: _decision_of(item) for item in items}

    def _item(self, hold: Hold) -> dict[str, Any]:
        return {
            "pk": _HOLDS,
            "sk": {"S": hold.id},
            "state": {"S": hold.state},
            "since": {"S": hold.since.isoformat()},
            "hold": packed(dumps(hold_to_json(hold))),
            **self._expires(),
        }

    def _expires(self) -> dict[str, Any]:
        return {"expires": expiry(self.clock.now())}


def _hold_of(item: Any) -> Hold | None:
    """What another version wrote in a form that this one does not know counts as absent: it is held anew."""
    try:
        return None if item is None else hold_from_json(loads(unpacked(item["hold"])))
    except CodecError:
        return None


def _decision_of(item: Any) -> Decision | None:
    try:
        return None if item is None else decision_from_json(loads(unpacked(item["decision"])))
    except CodecError:
        return None


def _decision_key(hold: Hold) -> dict[str, Any]:
    return {"pk": _DECISIONS, "sk": {"S": _decided_as(hold)}}


def _decided_as(hold: Hold) -> str:
    return f"{hold.id}#{hold.since.isoformat()}"
