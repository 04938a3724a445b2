"""Strict JSON: repeated keys, NaN, excessive depth and excessive numbers are errors (DocumentError).

Other readers take the last of two equal keys, but AWS refuses the document
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html): keeping one would hide the other.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import NoReturn

from iam_access.errors import NamedError
from iam_access.text.printable import printable

MAX_CHARACTERS = 262_144
"""Twice IAM's limit for a document that is sent (botocore's IAM model), which AWS's own managed policies exceed."""

_MAX_DEPTH = 32
_MAX_INTEGER_BITS = 128
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SUSPICIOUS = re.compile(r"\\[ubf]|\x7f")


class PlacedError(NamedError):
    """Something that cannot be read: `code` is stable, `place` names the part that is wrong, `what` says how."""

    def __init__(self, code: str, place: str, what: str, *, remedy: str) -> None:
        place = printable(place, 120)
        super().__init__(f"{place}: {what}" if place else what, remedy=remedy)
        self.code = code
        self.place = place


class DocumentError(PlacedError):
    """The text is not a policy document; its places are JSON paths such as `Statement[1].Action`."""


def strings(raw: object, place: str, element: str) -> tuple[str, ...]:
    """A string or a list of strings as a tuple; raises DocumentError."""
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, list):
        raise wrong_type(f"{place}.{element}", raw, "a string or a list of strings")
    for index, entry in enumerate(raw):
        if not isinstance(entry, str):
            raise wrong_type(f"{place}.{element}[{index}]", entry, "a string")
    return tuple(raw)


def wrong_type(place: str, raw: object, wanted: str) -> DocumentError:
    """The error for a value of the wrong JSON type."""
    return DocumentError("document-type", place, f"{json_type(raw)} instead of {wanted}", remedy=f"write {wanted}")


_TYPES = {NoneType: "null", bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}


def json_type(raw: object) -> str:
    """The JSON type of a value."""
    return _TYPES.get(type(raw), "an object")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise DocumentError(
            "document-key-repeated", key, "the key occurs twice in one object", remedy="keep one of them"
        )
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise _bad_number("", f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False)


def load(source: str | bytes, limit: int = MAX_CHARACTERS) -> object:
    """Read JSON text of at most `limit` characters; raises DocumentError."""
    if len(source) > limit:
        raise too_large(limit)
    text = _decoded(source) if isinstance(source, bytes) else source
    if not text.strip():
        raise DocumentError("document-empty", "", "the document is empty", remedy="write at least one Statement")
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise _too_deep("") from None
    except json.JSONDecodeError as error:
        raise DocumentError(
            "document-json",
            "",
            f"not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            remedy="correct the JSON text",
        ) from None
    except ValueError:
        raise _bad_number("", "a number is too long") from None


def encode(value: object) -> str:
    """Compact ASCII JSON in the given key order; non-ASCII is escaped, which every AWS API accepts."""
    return _ENCODER.encode(value)


def plain(value: object, place: str = "", depth: int = 0) -> object:
    """A copy of a value in JSON's own types only; raises DocumentError."""
    if depth > _MAX_DEPTH:
        raise _too_deep(place)
    match value:
        case str() | bool() | None:
            return value
        case int():
            if value.bit_length() > _MAX_INTEGER_BITS:
                raise _bad_number(place)
            return value
        case float():
            if not math.isfinite(value):
                raise _bad_number(place)
            return value
        case list() | tuple():
            return [plain(entry, f"{place}[{index}]", depth + 1) for index, entry in enumerate(value)]
        case dict() | Mapping():
            copy: dict[str, object] = {}
            for key, entry in value.items():
                if not isinstance(key, str):
                    raise DocumentError(
                        "document-type", place, f"a key is a {type(key).__name__}", remedy="keys are strings"
                    )
                copy[key] = plain(entry, below(place, key), depth + 1)
            return copy
        case _:
            raise DocumentError(
                "document-type", place, f"a {type(value).__name__} is not JSON", remedy="pass JSON values only"
            )


def check_characters(text: str, value: object) -> None:
    """Refuse control characters and lone surrogates in `value`, whose encoding is `text`; raises DocumentError."""
    if not _SUSPICIOUS.search(text):
        return
    for place, string in _strings(value, ""):
        if _FORBIDDEN.search(string):
            raise DocumentError(
                "document-character",
                place,
                "a control character or half a surrogate pair",
                remedy="use printable characters",
            )


def too_large(limit: int = MAX_CHARACTERS) -> DocumentError:
    """The error for a text above the limit."""
    return DocumentError("document-too-large", "", f"more than {limit} characters", remedy="split the document")


def below(place: str, key: str) -> str:
    """The JSON path of a key below a path."""
    return f"{place}.{printable(key, 40)}" if place else printable(key, 40)


def _decoded(source: bytes) -> str:
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(
            "document-json", "", f"not UTF-8 at byte {error.start}", remedy="encode the document as UTF-8"
        ) from None


def _too_deep(place: str) -> DocumentError:
    return DocumentError("document-too-deep", place, "nested too deeply", remedy="a policy needs five levels at most")


def _bad_number(place: str, what: str = "not a JSON number") -> DocumentError:
    return DocumentError("document-number", place, what, remedy="write the value as a string")


def _strings(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield below(place, key), key
            yield from _strings(entry, below(place, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _strings(entry, f"{place}[{index}]")
