"""Holds and the decisions on them, as the hub's table keeps them."""

from ecr_warden.model.codec.base import Json, fields, reader, to_json
from ecr_warden.model.hold import Decision, Hold, Publication

SCHEMA = 1


def hold_to_json(hold: Hold) -> Json:
    """`{"schema", "ground", "what", ...}`; the decision on a hold that waits is a record of its own."""
    return {"schema": SCHEMA, **fields(hold)}


def decision_to_json(decision: Decision) -> Json:
    """`{"schema", "id", "verdict", "by", "at"}`."""
    return {"schema": SCHEMA, **to_json(decision)}


def publication_to_json(publication: Publication) -> Json:
    """`{"schema", "version", "digest", "id", "by", "at"}`."""
    return {"schema": SCHEMA, **to_json(publication)}


publication_from_json = reader("publication", Publication, schema=SCHEMA)
hold_from_json = reader("hold", Hold, schema=SCHEMA)
decision_from_json = reader("decision", Decision, schema=SCHEMA)
