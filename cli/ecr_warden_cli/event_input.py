"""Events in all common forms: JSON Lines, JSON documents, CloudTrail's log files, gzipped or not.

JSON is read as Lambda's runtime reads it (the last of two equal keys counts), so that an event means the same here as
in the function.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Literal

from msgspec import Struct

LIMIT = 64 << 20
"""Bytes of one file, unpacked."""
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_INK = re.compile(r"[^ \t\r\n]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class PlacedValue(Struct, frozen=True):
    """A JSON value and its place (`file:line`)."""

    place: str
    value: object


class Broken(Struct, frozen=True):
    """A place that could not be read, and why."""

    place: str
    code: Literal["json", "size", "unreadable"]
    message: str


def read_events(stream: BinaryIO, file: str) -> Iterator[PlacedValue | Broken]:
    """Every event of a stream, in order, and what could not be read; lines in a row that are not JSON are one."""
    data, why = _unpacked(stream.read(LIMIT + 1))
    if len(data) > LIMIT:
        yield Broken(file, "size", f"more than {LIMIT >> 20} MiB")
        return
    text = data.decode("utf-8-sig", errors="surrogateescape")
    broken: list[Broken] = []
    for item in _values(text, file):
        if isinstance(item, Broken):
            broken.append(item)
            continue
        yield from _together(broken)
        broken = []
        yield from _events(item)
    yield from _together(broken)
    if why:
        yield Broken(file, "unreadable", f"cannot be read further: {why}")


def _unpacked(data: bytes) -> tuple[bytes, str]:
    """The data, unpacked as far as it can be, and what is wrong with the rest."""
    if not data.startswith(_GZIP):
        return data, ""
    parts: list[bytes] = []
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        try:
            while sum(map(len, parts)) <= LIMIT and (part := packed.read1(_CHUNK)):
                parts.append(part)
        except (OSError, EOFError, zlib.error) as error:
            return b"".join(parts), str(error)
    return b"".join(parts), ""


def _values(text: str, file: str) -> Iterator[PlacedValue | Broken]:
    """The values of a text, each with a place: what is on a line, or begins there; and the lines that are no JSON."""
    at, number, is_torn = 0, 1, False
    while begin := _INK.search(text, at):
        start = begin.start()
        number += text.count("\n", at, start)
        at = text.find("\n", start) + 1 or len(text)
        place = f"{file}:{number}"
        try:
            # After a line that is no JSON the next one is hardly the first of a document, and trying each takes long.
            value, at = _value(text, start, at, is_document=not is_torn)
            yield (
                PlacedValue(place, value)
                if _NOT_UTF8.search(text, start, at) is None
                else Broken(place, "json", "not UTF-8")
            )
            is_torn = False
        except (ValueError, RecursionError) as error:
            yield Broken(place, "json", _why(error))
            is_torn = True
        number += text.count("\n", start, at)


def _value(text: str, start: int, end: int, *, is_document: bool) -> tuple[object, int]:
    """The value of a line, or of an object or list that begins there, and where it ends; raises ValueError."""
    try:
        return json.loads(text[start:end]), end
    except ValueError:
        if not is_document or text[start] not in "{[":
            raise
    value, after = json.JSONDecoder().raw_decode(text, start)
    if _INK.match(text, after):
        raise json.JSONDecodeError("Extra data", text[start : after + 1], after - start)
    return value, after


def _why(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} at column {error.colno}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return "a number is too long"


def _together(broken: Sequence[Broken]) -> Iterator[Broken]:
    """Lines in a row that are not JSON as one, at the place of the first."""
    if broken:
        more = f", and so on up to {broken[-1].place}" if len(broken) > 1 else ""
        yield Broken(broken[0].place, broken[0].code, f"{broken[0].message}{more}")


def _events(found: PlacedValue) -> Iterator[PlacedValue | Broken]:
    """The single events of CloudTrail's log files, of `aws cloudtrail lookup-events`, and of a list."""
    match found.value:
        case {"Records": [_, *_] as records} | ([dict(), *_] as records):
            yield from (PlacedValue(f"{found.place} #{number}", record) for number, record in enumerate(records, 1))
        case {"Events": [{"CloudTrailEvent": str()}, *_] as events}:
            for number, event in enumerate(events, 1):
                text = event.get("CloudTrailEvent") if isinstance(event, dict) else None
                place = f"{found.place} #{number}"
                yield from _looked_up(text, place) if isinstance(text, str) else (PlacedValue(place, event),)
        case _:
            yield found


def _looked_up(text: str, place: str) -> Iterator[PlacedValue | Broken]:
    try:
        yield PlacedValue(place, json.loads(text))
    except (ValueError, RecursionError) as error:
        yield Broken(place, "json", _why(error))
