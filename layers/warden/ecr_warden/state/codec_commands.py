"""Commands: the JSON text that the command sends and signs."""

from copy import replace
from typing import Any

from ecr_warden.core.codec.base import CodecError, check_schema, loads, read
from ecr_warden.state.commands import MAX_REASON_LENGTH, Command, PauseUntil
from iam_access.errors import NamedError

SCHEMA = 1
REQUEST_LIMIT = 1024 * 1024
_MAY_BE_MISSING = {"since", "until"}


class BadRequest(NamedError):
    """The request is not understood, and nothing was done."""

    code = "bad-request"


def command_from_text(given: object) -> Command:
    """Parse a command; raises BadRequest."""
    command: Command = read_request(given, Command)
    if not isinstance(command, PauseUntil):
        return command
    reason = command.reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH or not reason.isprintable():
        raise bad_request(CodecError(f"a reason is one printable line of 1 to {MAX_REASON_LENGTH} characters"))
    return replace(command, reason=reason)


def read_request(given: object, kind: Any) -> Any:
    """Parse a request of a kind, or of one of several; raises BadRequest."""
    if not isinstance(given, str) or len(given) > REQUEST_LIMIT:
        raise BadRequest(f"a request must be a text of at most {REQUEST_LIMIT} characters")
    try:
        value = loads(given)
        check_schema(value, SCHEMA)
        request = read(value, kind)
    except (NamedError, LookupError, ValueError) as error:
        raise bad_request(error) from error
    missing = {*type(request).__struct_encode_fields__} - {*value} - _MAY_BE_MISSING
    if missing:
        raise bad_request(CodecError(f"{', '.join(sorted(missing))} is missing"))
    return request


def bad_request(error: Exception) -> BadRequest:
    """The request is none, for this reason."""
    why = error.message if isinstance(error, NamedError) else f"{error!s:.200}"
    remedy = "use a command of the same version as the hub's"
    return BadRequest(f"not a request: {why}", remedy=getattr(error, "remedy", "") or remedy)
