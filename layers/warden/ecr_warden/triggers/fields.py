"""Fields of a record from outside: wrong types read as missing, texts are bounded and printable."""

from collections.abc import Mapping
from typing import cast

from ecr_warden.arn import ACCOUNT_ID

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes for a name that may be a password typed into the wrong field."""

_NOTHING: Mapping[str, object] = {}


def mapping(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object under the key; empty when it is missing, null or something else."""
    value = source.get(key)
    return cast(Mapping[str, object], value) if isinstance(value, dict) else _NOTHING


def text(source: Mapping[str, object], key: str, limit: int) -> str:
    """The string under the key, cut after `limit` characters, what cannot be printed replaced; else empty."""
    value = source.get(key)
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:limit])


def name(source: Mapping[str, object], key: str, limit: int = 512) -> str:
    """The string under the key, as it stands: names are checked, never mended. One over the limit reads as missing."""
    value = source.get(key)
    return value if isinstance(value, str) and len(value) <= limit and value != HIDDEN else ""


def account_id(source: Mapping[str, object], key: str) -> str:
    """The account under the key; a number is taken if it still has 12 digits. Anything else reads as missing."""
    value = source.get(key)
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) and value < 10**12 else value
    return digits if isinstance(digits, str) and ACCOUNT_ID.fullmatch(digits) else ""
