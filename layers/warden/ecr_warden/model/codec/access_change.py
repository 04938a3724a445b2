"""Changes of access."""

from ecr_warden.model.access_change import AccessChanges
from ecr_warden.model.codec.base import Json, reader, to_json


def access_changes_to_json(changes: AccessChanges) -> Json:
    """`{"changes", "undecided"}`."""
    form: Json = to_json(changes)
    return form


access_changes_from_json = reader("list of changes of access", AccessChanges)
