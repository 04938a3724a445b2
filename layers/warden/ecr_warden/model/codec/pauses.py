"""Pauses, as they stand on a target's record."""

from ecr_warden.model.codec.base import Json, moment, reading, text
from ecr_warden.model.codec.jobs import actor_from_json, actor_to_json
from ecr_warden.model.run import Pause


def pause_to_json(pause: Pause) -> Json:
    """`{"id", "by", "reason", "at", "until"}`; `by` has the form of a cause's actor."""
    return {
        "id": pause.id,
        "by": actor_to_json(pause.by),
        "reason": pause.reason,
        "at": pause.at.isoformat(),
        "until": pause.until.isoformat(),
    }


def _pause(value: Json) -> Pause:
    return Pause(
        id=text(value["id"]),
        by=actor_from_json(value["by"]),
        reason=text(value["reason"]),
        at=moment(value["at"]),
        until=moment(value["until"]),
    )


pause_from_json = reading("pause", _pause)
