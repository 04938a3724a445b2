"""How soon a person should look."""

from enum import StrEnum


class Severity(StrEnum):
    """INFO: for the record. WARNING: look today. CRITICAL: look now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
