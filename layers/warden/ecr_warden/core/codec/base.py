"""What every part of the codec shares: the error, compact JSON, and how values are written and read."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAliasType

from msgspec import Struct, convert

from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget, parse_target
from ecr_warden.core.value import Value
from iam_access.errors import NamedError

type Json = dict[str, Any]

SCHEMA = 1
"""Of whatever has no number of its own."""


class CodecError(NamedError, code="codec"):
    """The text does not have the expected form, or has a schema that this version does not know."""


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


def to_json(value: Any) -> Any:
    """A value's JSON: an object of its tag and its fields in camelCase, unless its type has another form."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [to_json(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: to_json(entry) for key, entry in value.items()}
    write = WRITERS.get(type(value))
    if write is None and not isinstance(value, Value):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return fields(value) if write is None else write(value)


def fields(value: Struct, *but: str) -> Json:
    """The tag and the fields of a Struct except `but`, without defaults if its class omits them."""
    config, defaults = value.__struct_config__, value.__struct_defaults__
    form: Json = {} if config.tag_field is None else {config.tag_field: config.tag}
    required = len(value.__struct_fields__) - len(defaults)
    for index, (name, key) in enumerate(zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)):
        given = getattr(value, name)
        omitted = config.omit_defaults and index >= required and given == defaults[index - required]
        if not omitted and name not in but:
            form[key] = to_json(given)
    return form


def read(value: object, kind: Any) -> Any:
    """The value of a kind from JSON; raises a ValueError that names the place that does not fit."""
    return convert(value, kind, dec_hook=_read)


def reader[T](
    what: str, kind: type[T] | TypeAliasType, *steps: Callable[[Json], Json], schema: int = 0
) -> Callable[[Json], T]:
    """A reader of values of a kind. `steps`: what makes the JSON that of the fields; `schema`: the one expected."""

    def whole(value: Json) -> T:
        if schema:
            check_schema(value, schema)
        for step in steps:
            value = step(value)
        made: T = read(value, kind)
        return made

    return reading(what, whole)


def forms[T](
    what: str, kind: type[T] | TypeAliasType, *steps: Callable[[Json], Json], schema: int = SCHEMA
) -> tuple[Callable[[T], Json], Callable[[Json], T]]:
    """How values of a kind are written, with their schema, and how they are read; `steps`: as in `reader`."""
    return lambda value: {"schema": schema, **to_json(value)}, reader(what, kind, *steps, schema=schema)


def reading[T](what: str, by: Callable[[Json], T]) -> Callable[[Json], T]:
    """A reader that turns every error in its input into a CodecError."""

    def guarded(value: Json) -> T:
        try:
            return by(value)
        except NamedError as error:
            raise CodecError(f"not a {what}: {error.message}") from error
        except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CodecError(f"not a {what}: {error!s:.200}") from error

    return guarded


def understood[**P, T](read: Callable[P, T], *given: P.args, **more: P.kwargs) -> T | None:
    """What is read; None where another version wrote it in a way that this one cannot read."""
    try:
        return read(*given, **more)
    except CodecError:
        return None


def check_schema(value: Json, known: int) -> None:
    """Raises CodecError for a schema that this version does not know."""
    if value["schema"] != known:
        raise CodecError(f"schema {value['schema']!r:.20}; this version reads schema {known}")


WRITERS: dict[type, Callable[[Any], object]] = {
    datetime: datetime.isoformat,
    RepositoryTarget: str,
    RoleTarget: str,
    UserTarget: str,
}
"""The types whose JSON is not the object of their fields."""
READERS: dict[Any, Callable[[Any], object]] = {Target: parse_target}
"""The same for reading, by the types that `opaque` made. Those for documents and access are in `values`."""


def _read(kind: Any, value: Any) -> object:
    """The hook that msgspec calls for the types of READERS; msgspec adds the place to a ValueError."""
    try:
        return READERS[kind](value)
    except NamedError as error:
        raise ValueError(error.message) from error
