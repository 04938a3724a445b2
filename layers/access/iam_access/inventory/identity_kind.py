"""The kinds of identities."""

from enum import StrEnum


class IdentityKind(StrEnum):
    """The kinds of identities."""

    ROLE = "role"
    USER = "user"
