"""What every part of the codec shares: the error, the border guard, compact JSON."""

import json
from collections.abc import Callable
from datetime import datetime
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
        except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CodecError(f"not a {what}: {type(error).__name__} {error!s:.120}") from error

    return guarded


def text(value: object) -> str:
    if not isinstance(value, str):
        raise CodecError(f"{type(value).__name__} instead of a string")
    return value


def optional_text(value: object) -> str | None:
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    return tuple(map(text, entries(value)))


def entries(value: object) -> list[Any]:
    """A list's entries; a text or an object would give its letters or keys."""
    if not isinstance(value, list):
        raise CodecError(f"{type(value).__name__} instead of a list")
    return value


def number(value: object) -> int:
    """A whole number from 0 on: none of the model's is below, and an index must not count from the end."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CodecError(f"{value!r:.20} instead of a whole number")
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise CodecError(f"{type(value).__name__} instead of true or false")
    return value


def moment(value: object) -> datetime:
    """An aware time: one without an offset cannot be compared with the clock's."""
    at = datetime.fromisoformat(text(value))
    if at.tzinfo is None:
        raise CodecError("a time without its offset from UTC")
    return at


def check_schema(value: Json, known: int) -> None:
    """Raises CodecError for a schema that this version does not know."""
    if value["schema"] != known:
        raise CodecError(f"schema {value['schema']!r:.20}, this version knows {known}")
