"""JSON Lines in and out: each line is answered by one line, in order, a bad one by its error."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ecr_warden_cli.console import Console, Exit
from iam_access.document.document import Document, parse_document
from iam_access.errors import NamedError
from iam_access.text.nearest import nearest
from iam_access.text.strict_json import DocumentError, PlacedError, load

MAX_LINE = 1_048_576
"""Bytes of one line; well above twenty documents at AWS's size limits."""

type Fields = Mapping[str, Any]
type Answer = dict[str, Any]
type Handle = Callable[[Fields], Answer]


class LineError(PlacedError):
    """A line that the verb cannot read."""


def answer_lines(stream: BinaryIO, console: Console, handle: Handle, *, blank: Answer) -> Exit:
    """Answer each line; `blank` has the fields of an answer with an error. ERROR if any line had one."""
    failed = False
    for line in _lines(stream):
        try:
            fields = _fields(line)
            text = json.dumps({"name": fields.get("name"), **handle(fields)})
        except Exception as error:  # a crash on one line must not end the others
            failed = True
            known = error if isinstance(error, NamedError) else _crashed(error)
            text = json.dumps({"name": _name_in(line), **blank, "error": error_to_json(known)})
        console.block(text)
    return Exit.ERROR if failed else Exit.FINE


def _crashed(error: Exception) -> LineError:
    what = f"ecr-warden itself failed on this line: {type(error).__name__}"
    return LineError("line-crashed", "", what, remedy="report it as a bug, with the line; the other lines are answered")


def refuse_unknown(fields: Fields, known: tuple[str, ...]) -> None:
    """Refuse unknown fields: ignoring a misspelt boundary would widen an answer."""
    for field in fields:
        if field not in known:
            near = nearest(field, known, cutoff=0.7)
            meant = f"write {near[0]}; " if near else ""
            raise LineError("line-unknown", field, "unknown field", remedy=f"{meant}the fields are {', '.join(known)}")


def _fields(line: bytes) -> Fields:
    if len(line) > MAX_LINE:
        raise LineError("line-too-large", "", f"more than {MAX_LINE} bytes", remedy="give smaller documents")
    try:
        fields = load(line, MAX_LINE)
    except DocumentError as error:
        code = f"line-{error.code.removeprefix('document-')}"
        raise LineError(code, error.place, error.what, remedy=error.remedy) from None
    if not isinstance(fields, dict):
        raise LineError("line-type", "", "not an object", remedy="write one JSON object per line")
    if not isinstance(fields.get("name"), str | None):
        raise LineError("line-type", "name", "not a string", remedy="write a string")
    return fields


def document_in(raw: Any, place: str, *, joint: str = ".") -> Document:
    """A document at a place of a line or file, given as an object or as text; raises DocumentError."""
    try:
        return parse_document(raw)
    except DocumentError as error:
        raise error.at(f"{place}{joint}{error.place}" if error.place else place) from None


def _name_in(line: bytes) -> str | None:
    """The name in a line that is at least JSON, for its error."""
    if len(line) > MAX_LINE:
        return None
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    name = raw.get("name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else None


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines that are not blank; only the beginning of one that is too long."""
    while line := stream.readline(MAX_LINE + 2):
        rest, is_blank = line, not line.strip()
        while not rest.endswith(b"\n") and len(rest) == MAX_LINE + 2:
            rest = stream.readline(MAX_LINE + 2)
            is_blank = is_blank and not rest.strip()
        if not is_blank:
            yield line.removesuffix(b"\n")


def error_to_json(error: NamedError) -> Answer:
    """An error with its place in a line or document."""
    place = error.place if isinstance(error, PlacedError) else ""
    return {"code": error.code, "place": place, "message": error.message, "remedy": error.remedy}
