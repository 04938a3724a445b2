"""The repairs that a target's record holds: a run reads them before it knows whether it has anything else to read."""

from ecr_warden.core.codec.base import Json, check_schema, read, reading, to_json
from ecr_warden.core.job import SCHEMA
from ecr_warden.state.fight import Repairs


def repairs_to_json(repairs: tuple[Repairs, ...]) -> Json:
    """What a target's record holds of the repairs of its documents."""
    return {"schema": SCHEMA, "documents": to_json(repairs)}


def _repairs(value: Json) -> tuple[Repairs, ...]:
    check_schema(value, SCHEMA)
    made: tuple[Repairs, ...] = read(value["documents"], tuple[Repairs, ...])
    return made


repairs_from_json = reading("record of repairs", _repairs)
