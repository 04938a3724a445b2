"""Requests to the hub: the JSON text that the command sends, and signs if it is a command."""

from ecr_warden.core.codec.base import CodecError, Json, dumps, to_json
from ecr_warden.hub.request import AskPlan, AskStatus, AskVerify, Question
from ecr_warden.state.codec_commands import SCHEMA, bad_request, read_request
from ecr_warden.state.commands import Command


def request_to_text(request: Question | Command) -> str:
    """The text that is sent, and that a caller's proof signs."""
    form: Json = to_json(request)
    return dumps({"schema": SCHEMA, **{key: entry for key, entry in form.items() if entry is not None}})


def question_from_text(given: object) -> Question:
    """Parse a question; raises BadRequest."""
    question: Question = read_request(given, Question)
    if isinstance(question, AskStatus | AskPlan | AskVerify) and not all(map(str.isprintable, question.selection)):
        raise bad_request(CodecError("a target that is not printable text"))
    return question
