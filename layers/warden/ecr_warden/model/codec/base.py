"""What every part of the codec shares: the error, the border guard, compact JSON."""

import json
from collections.abc import Callable
from typing import Any

from ecr_warden.errors import WardenError

type Json = dict[str, Any]


class CodecError(WardenError):
    """The text is not what it should be, or of a schema that this version does not know."""

    code = "codec"


def dumps(value: Json) -> str:
    """Compact JSON text."""
    return json.dumps(value, separators=(",", ":"))


def loads(text: str | bytes) -> Json:
    """Parse a JSON object; raises CodecError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"not JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise CodecError("not a JSON object")
    return value


def reading[T](what: str, read: Callable[[Json], T]) -> Callable[[Json], T]:
    """A reader that turns whatever is wrong with its input into one CodecError."""

    def guarded(value: Json) -> T:
        try:
            return read(value)
        except WardenError as error:
            raise CodecError(f"not a {what}: {error.message}") from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CodecError(f"not a {what}: {type(error).__name__} {error!s:.120}") from error

    return guarded


def text(value: object) -> str:
    if not isinstance(value, str):
        raise CodecError(f"{type(value).__name__} instead of a string")
    return value


def check_schema(value: Json, known: int) -> None:
    """Raises CodecError for a schema that this version does not know."""
    if value["schema"] != known:
        raise CodecError(f"schema {value['schema']!r:.20}, this version knows {known}")
