"""The kinds of documents."""

from enum import StrEnum


class DocumentKind(StrEnum):
    """The kinds of document that grants consist of."""

    RESOURCE = "resource-policy"
    TRUST = "trust-policy"
    IDENTITY = "identity-policy"
