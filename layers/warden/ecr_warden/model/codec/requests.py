"""Requests to the hub: the JSON text that the command sends, and signs if it is a command."""

import re
from typing import assert_never

from ecr_warden.errors import WardenError
from ecr_warden.model.codec.base import CodecError, Json, check_schema, dumps, loads, moment, number, text, texts
from ecr_warden.model.request import (
    Apply,
    AskCall,
    AskGrants,
    AskHistory,
    AskPlan,
    AskRun,
    AskStatus,
    AskVerify,
    Command,
    PauseUntil,
    Question,
    Resume,
    Selection,
)
from ecr_warden.model.target import parse_target

SCHEMA = 1
REQUEST_LIMIT = 1024 * 1024
TARGETS_AT_MOST = 2000
REASON_AT_MOST = 200
ENTRIES_AT_MOST, HISTORIES_AT_MOST = 100, 20
SELECTED_AT_MOST = 400
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_RUN_ID = re.compile(r"[A-Za-z0-9]{1,64}")


class BadRequest(WardenError):
    """The request is not understood, and nothing was done."""

    code = "bad-request"


def request_to_text(request: Question | Command) -> str:
    """The text that is sent, and that a caller's proof is about."""
    return dumps({"schema": SCHEMA, **_to_json(request)})


def _to_json(request: Question | Command) -> Json:
    match request:
        case AskStatus(selection):
            return {"action": "status", "targets": list(selection)}
        case AskPlan(selection):
            return {"action": "plan", "targets": list(selection)}
        case AskVerify(selection):
            return {"action": "verify", "targets": list(selection)}
        case AskGrants():
            return {"action": "grants"}
        case AskHistory(targets, limit, since, until):
            ends = {"since": since, "until": until}
            about = {name: at.isoformat() for name, at in ends.items() if at is not None}
            return {"action": "history", "targets": list(map(str, targets)), "limit": limit, **about}
        case AskRun(run_id):
            return {"action": "run", "runId": run_id}
        case AskCall(call_id):
            return {"action": "call", "id": call_id}
        case Apply(id_, targets):
            return {"action": "apply", "id": id_, "targets": list(map(str, targets))}
        case PauseUntil(id_, targets, reason, until):
            about = {"reason": reason, "until": until.isoformat()}
            return {"action": "pause", "id": id_, "targets": list(map(str, targets)), **about}
        case Resume(id_, targets):
            return {"action": "resume", "id": id_, "targets": list(map(str, targets))}
        case _:
            assert_never(request)


def question_from_text(given: object) -> Question:
    """Parse a question; raises BadRequest."""
    value = _checked(given)
    try:
        match value["action"]:
            case "status":
                return AskStatus(_selection(value))
            case "plan":
                return AskPlan(_selection(value))
            case "verify":
                return AskVerify(_selection(value))
            case "grants":
                return AskGrants()
            case "history":
                targets = texts(value["targets"])
                if len(targets) > HISTORIES_AT_MOST:
                    raise CodecError(f"{len(targets)} targets instead of at most {HISTORIES_AT_MOST}")
                return AskHistory(
                    targets=tuple(map(parse_target, targets)),
                    limit=_within(value, "limit", 1, ENTRIES_AT_MOST),
                    since=moment(value["since"]) if "since" in value else None,
                    until=moment(value["until"]) if "until" in value else None,
                )
            case "run":
                return AskRun(_matching(value, "runId", _RUN_ID))
            case "call":
                return AskCall(_matching(value, "id", _ID))
            case action:
                raise CodecError(f"unknown action {action!r:.40}")
    except (WardenError, LookupError, TypeError, ValueError) as error:
        raise _bad(error) from error


def command_from_text(given: object) -> Command:
    """Parse a command; raises BadRequest."""
    value = _checked(given)
    try:
        id_, targets = _matching(value, "id", _ID), tuple(map(parse_target, _selection(value)))
        match value["action"]:
            case "apply":
                return Apply(id_, targets)
            case "pause":
                return PauseUntil(id_, targets, _reason(value), moment(value["until"]))
            case "resume":
                return Resume(id_, targets)
            case action:
                raise CodecError(f"unknown action {action!r:.40}")
    except (WardenError, LookupError, TypeError, ValueError) as error:
        raise _bad(error) from error


def _checked(given: object) -> Json:
    if not isinstance(given, str) or len(given) > REQUEST_LIMIT:
        raise BadRequest(f"a request is a text of at most {REQUEST_LIMIT} characters")
    try:
        value = loads(given)
        check_schema(value, SCHEMA)
    except (WardenError, LookupError) as error:
        raise _bad(error) from error
    return value


def _bad(error: Exception) -> BadRequest:
    why = error.message if isinstance(error, WardenError) else f"{type(error).__name__} {error!s:.100}"
    remedy = "use a command of the same version as the hub's"
    return BadRequest(f"not a request: {why}", remedy=getattr(error, "remedy", "") or remedy)


def _selection(value: Json) -> Selection:
    selection = texts(value["targets"])
    if not 0 < len(selection) <= TARGETS_AT_MOST:
        raise CodecError(f"{len(selection)} targets instead of 1 to {TARGETS_AT_MOST}")
    if any(not 0 < len(each) <= SELECTED_AT_MOST or not each.isprintable() for each in selection):
        raise CodecError("a target that is no printable text of 1 to 400 characters")
    return selection


def _reason(value: Json) -> str:
    reason = text(value["reason"]).strip()
    if not 0 < len(reason) <= REASON_AT_MOST or not reason.isprintable():
        raise CodecError(f"a reason is one printable line of 1 to {REASON_AT_MOST} characters")
    return reason


def _within(value: Json, name: str, least: int, most: int) -> int:
    given = number(value[name])
    if not least <= given <= most:
        raise CodecError(f"{name} is {given}, not {least} to {most}")
    return given


def _matching(value: Json, name: str, pattern: re.Pattern[str]) -> str:
    given = text(value[name])
    if not pattern.fullmatch(given):
        raise CodecError(f"{name} is {given!r:.80}")
    return given
