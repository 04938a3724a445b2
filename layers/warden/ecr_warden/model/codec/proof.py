"""The last proof, as it is kept."""

from ecr_warden.model.codec.base import Json, reader, to_json
from ecr_warden.model.finding import ProofRecord

SCHEMA = 1


def proof_to_json(record: ProofRecord) -> Json:
    """`{"schema", "at", "version", "findings", ...}`."""
    return {"schema": SCHEMA, **to_json(record)}


proof_from_json = reader("proof", ProofRecord, schema=SCHEMA)
