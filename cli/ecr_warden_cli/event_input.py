"""Events in all common forms: JSON Lines, JSON documents, CloudTrail's log files, gzipped or not.

JSON is read as Lambda's runtime reads it (the last of two equal keys counts), so that an event means the same here as
in the function.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal, cast

from msgspec import Struct

LINE_LIMIT = 1 << 20
"""Bytes of one event; EventBridge accepts no larger one."""
BATCH_LIMIT = 64 << 20
"""Bytes of a document with several events."""
_MAX_REPORTED = 20

_BATCH = re.compile(rb'\s*(\[|\{\s*"(Records|Events)"\s*:)')
# The first line of an indented document; a complete line of JSON never ends like this.
_OPENING = re.compile(rb"\s*[{\[](.*[{\[,:])?\s*", re.DOTALL)
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class Found(Struct, frozen=True):
    """A JSON value and its place (`file:line`)."""

    place: str
    value: object


class Broken(Struct, frozen=True):
    """A place that could not be read, and why."""

    place: str
    code: Literal["json", "size", "unreadable"]
    message: str


class _Lines(Struct):
    """A stream's lines, counted; None for a line over the limit."""

    stream: BinaryIO
    number: int = 0

    def __iter__(self) -> Iterator[bytes | None]:
        while line := self.stream.readline(LINE_LIMIT + 1):
            self.number += 1
            if self.number == 1:
                line = line.removeprefix(_BOM)
            limit = LINE_LIMIT
            if len(line) > LINE_LIMIT and _BATCH.match(line):
                limit = BATCH_LIMIT
                line += self.stream.readline(BATCH_LIMIT - len(line) + 1)
            if len(line) > limit:
                self._skip(line)
                yield None
            elif line.strip():
                yield line

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self.stream.readline(LINE_LIMIT)


def read_events(stream: BinaryIO, file: str) -> Iterator[Found | Broken]:
    """Every event of a stream, in order, and what could not be read.

    In a run of lines that are not JSON, the first are reported one by one and the rest as one.
    """
    return _folded(_read_events(stream, file))


def _folded(items: Iterator[Found | Broken]) -> Iterator[Found | Broken]:
    reported, first, last, count = 0, "", "", 0
    for item in items:
        if isinstance(item, Broken) and item.code == "json":
            if reported < _MAX_REPORTED:
                reported += 1
                yield item
            else:
                first, last, count = first or item.place, item.place, count + 1
            continue
        if count:
            yield _together(first, last, count)
        reported, first, count = 0, "", 0
        yield item
    if count:
        yield _together(first, last, count)


def _together(first: str, last: str, count: int) -> Broken:
    more = "1 more line is" if count == 1 else f"{count} more lines, up to {last}, are"
    return Broken(first, "json", f"{more} not JSON either")


def _read_events(stream: BinaryIO, file: str) -> Iterator[Found | Broken]:
    peekable = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    zipped = peekable.peek(2)[:2] == _GZIP
    lines = _Lines(cast(BinaryIO, gzip.GzipFile(fileobj=peekable)) if zipped else peekable)
    try:
        yield from _values(lines, file, documents=True)
    except (OSError, EOFError, zlib.error) as error:
        yield Broken(f"{file}:{lines.number + 1}", "unreadable", f"cannot be read further: {error}")


def _values(lines: _Lines, file: str, *, documents: bool) -> Iterator[Found | Broken]:
    """The values of all lines; `documents`: the first line may begin an indented document."""
    for line in lines:
        place = f"{file}:{lines.number}"
        if line is None:
            yield Broken(place, "size", f"the line is longer than {LINE_LIMIT >> 20} MiB")
            continue
        item = _parse(line, place)
        if documents and isinstance(item, Broken) and _OPENING.fullmatch(line):
            yield from _documents(line, lines, file)
            return
        documents = False
        yield from _unpack(item)


def _documents(opening: bytes, lines: _Lines, file: str) -> Iterator[Found | Broken]:
    """Consecutive indented documents; or lines, if the text is none and some line is an object by itself."""
    before = lines.number - 1
    text = opening + lines.stream.read(BATCH_LIMIT) + lines.stream.readline(LINE_LIMIT)
    found = _parse_documents(text, file, before + 1)
    if isinstance(found, Broken):
        again = list(_values(_Lines(io.BytesIO(text), before), file, documents=False))
        is_lines = any(isinstance(item, Found) and isinstance(item.value, dict) for item in again)
        yield from again if is_lines else [found]
    else:
        for item in found:
            yield from _unpack(item)
    yield from _values(_Lines(lines.stream, before + text.count(b"\n")), file, documents=False)


def _parse_documents(data: bytes, file: str, line: int) -> list[Found] | Broken:
    found: list[Found] = []
    place = f"{file}:{line}"
    try:
        text = data.decode()
        start, decoder = _skip_space(text, 0), json.JSONDecoder()
        while start < len(text):
            place = f"{file}:{line + text.count('\n', 0, start)}"
            value, end = decoder.raw_decode(text, start)
            found.append(Found(place, value))
            start = _skip_space(text, end)
    except (ValueError, RecursionError) as error:
        return Broken(place, "json", _why(error))
    return found


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start


def _parse(line: bytes, place: str) -> Found | Broken:
    try:
        return Found(place, json.loads(line.decode()))
    except (ValueError, RecursionError) as error:
        return Broken(place, "json", _why(error))


def _why(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return f"not UTF-8 at byte {error.start}"
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} at column {error.colno}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return "a number is too long"


def _unpack(item: Found | Broken) -> Iterator[Found | Broken]:
    """The single events of CloudTrail's log files, of `aws cloudtrail lookup-events`, and of a list."""
    match item:
        case Found(place, {"Records": [_, *_] as records}) | Found(place, [dict(), *_] as records):
            yield from (Found(f"{place} #{number}", record) for number, record in enumerate(records, 1))
        case Found(place, {"Events": [{"CloudTrailEvent": str()}, *_] as looked_up}):
            for number, event in enumerate(looked_up, 1):
                text = event.get("CloudTrailEvent") if isinstance(event, dict) else None
                where = f"{place} #{number}"
                yield _parse(text.encode(errors="replace"), where) if isinstance(text, str) else Found(where, event)
        case _:
            yield item
