"""How an address may differ, what is done about it, and why it may be left: apart from the documents that differ."""

from enum import StrEnum


class DriftKind(StrEnum):
    """How an address differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    UNPARSEABLE = "unparseable"
    TARGET_MISSING = "owner-missing"
    UNREADABLE = "unreadable"
    PRINCIPAL_RECREATED = "principal-recreated"
    SETTLING = "settling"  # AWS does not show yet what was written a moment ago


class Operation(StrEnum):
    """An imperative, as in a changeset."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class HoldReason(StrEnum):
    """Why a drift is not repaired by this plan."""

    OBSERVE_MODE = "observe-mode"
    TARGET_MISSING = "owner-missing"
    UNREADABLE = "unreadable"
    ROLE_NOT_IN_SYNC = "role-not-at-spec"
    OWN_ACCESS = "own-access"
    NOT_OURS = "not-ours"
    SETTLING = "settling"
    REFUSED = "refused"
    PACED = "paced"
    MOVED = "moved"  # it is not as it was when the version that takes it over was judged
