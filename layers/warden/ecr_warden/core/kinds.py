"""How an address may differ, what is done about it, and why it may be left: apart from the documents that differ."""

from enum import StrEnum
from typing import Self

_BEFORE = {"owner-missing": "target-missing", "role-not-at-spec": "role-not-in-sync"}
"""What the journal and messages on their way may still say."""


class _StoredWord(StrEnum):
    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        now = _BEFORE.get(str(value))
        return cls(now) if now else None


class DriftKind(_StoredWord):
    """How an address differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    UNPARSEABLE = "unparseable"
    TARGET_MISSING = "target-missing"
    UNREADABLE = "unreadable"
    PRINCIPAL_RECREATED = "principal-recreated"
    SETTLING = "settling"  # AWS does not show yet what was written a moment ago


class Operation(StrEnum):
    """An imperative, as in a changeset."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class HoldReason(_StoredWord):
    """Why a drift is not repaired by this plan."""

    OBSERVE_MODE = "observe-mode"
    TARGET_MISSING = "target-missing"
    UNREADABLE = "unreadable"
    ROLE_NOT_IN_SYNC = "role-not-in-sync"
    OWN_ACCESS = "own-access"
    NOT_OURS = "not-ours"
    SETTLING = "settling"
    REFUSED = "refused"
    PACED = "paced"
    MOVED = "moved"  # it is not as it was when the version that takes it over was judged
