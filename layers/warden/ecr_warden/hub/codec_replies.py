"""The hub's replies."""

from base64 import b64decode, b64encode
from typing import Any

from ecr_warden import __version__
from ecr_warden.core.codec.base import CodecError, Json, check_schema, dumps, read, reading, to_json
from ecr_warden.core.codec.compressed import compress, decompress
from ecr_warden.core.codec.runs import (
    open_run_from_json,
    open_run_to_json,
    report_to_json,
    run_report_from_json,
    with_drifts,
    with_plan,
)
from ecr_warden.core.run import OpenRun
from ecr_warden.hub.reply import CommandReply, Reply, RunReply, TaggedReply
from iam_access.errors import NamedError

SCHEMA = 2
_SENT = {"schema": SCHEMA, "hubVersion": __version__}
# Lambda returns 6 MB at most, and JSON in a JSON string grows.
_PLAIN, _LARGEST = 1_000_000, 5_500_000


class ReplyTooLarge(NamedError, code="reply-too-large"):
    """A reply does not fit into what Lambda returns, even compressed."""


def sent_reply(reply: Reply) -> Json:
    """A reply as Lambda returns it, with the hub's version, compressed if it is large; raises ReplyTooLarge."""
    form = reply_to_json(reply)
    if len(dumps(form)) <= _PLAIN:
        return {**form, **_SENT}
    try:
        text = b64encode(compress(form)).decode()
    except CodecError as error:
        raise _too_large(error.message) from error
    if len(text) > _LARGEST:
        raise _too_large(f"{len(text)} bytes, at most {_LARGEST}")
    return {**_SENT, "kind": "compressed", "reply": text}


def _too_large(why: str) -> ReplyTooLarge:
    return ReplyTooLarge(f"the answer does not fit into a reply: {why}", remedy="name fewer targets, or a pattern")


def reply_to_json(reply: Reply) -> Json:
    """`{"schema", "kind", ...}`."""
    match reply:
        case RunReply(run):
            form = open_run_to_json(run) if isinstance(run, OpenRun) else report_to_json(run)
            more = {"kind": "run", "run": form, "open": isinstance(run, OpenRun)}
        case _:
            more = to_json(reply)
    return {"schema": SCHEMA, **more}


def _reply(value: Json) -> Reply:
    check_schema(value, SCHEMA)
    match value["kind"]:
        case "compressed":
            return _reply(decompress(b64decode(value["reply"], validate=True)))
        case "run":
            by = open_run_from_json if read(value["open"], bool) else run_report_from_json
            return RunReply(by(value["run"]))
        case "plan":
            value = value | {"plans": list(map(with_plan, read(value["plans"], list[dict[str, Any]])))}
        case "check":
            value = value | {"targets": list(map(with_drifts, read(value["targets"], list[dict[str, Any]])))}
        case _:
            pass  # its JSON is the struct's own
    reply: Reply = read(value, TaggedReply | CommandReply)
    return reply


reply_from_json = reading("reply", _reply)


def error_to_json(error: NamedError) -> Json:
    """`{"schema", "hubVersion", "kind": "error", "error": {"code", "message", "remedy"}}`."""
    return {**_SENT, "kind": "error", "error": {"code": error.code, "message": error.message, "remedy": error.remedy}}
