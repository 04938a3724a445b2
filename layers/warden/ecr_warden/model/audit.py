"""What was done to ecr-warden as a whole: specs, pauses, the stop switch. Runs are journalled by themselves."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.job import Actor


class AuditKind(StrEnum):
    """What happened."""

    SPEC_ACCEPTED = "spec-accepted"
    SPEC_REFUSED = "spec-refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    WRITES_STOPPED = "writes-stopped"
    WRITES_ENABLED = "writes-enabled"


OF_SPECS = frozenset((AuditKind.SPEC_ACCEPTED, AuditKind.SPEC_REFUSED))
OF_COMMANDS = frozenset((AuditKind.PAUSED, AuditKind.RESUMED))


class AuditEntry(Struct, frozen=True):
    """One line. `id`: the spec's version, the command's id, or the version of the switch; `by`: as far as it is known.

    `targets`: those that it was about, empty where it was about all; `omitted`: how many more there are.
    """

    kind: AuditKind
    at: datetime
    id: str
    by: Actor | None
    text: str
    targets: tuple[str, ...] = ()
    omitted: int = 0
