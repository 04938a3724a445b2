"""The commands that people sent to the hub, and their results."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime
from typing import Annotated, Any, Protocol, cast

from msgspec import Meta, Struct

from ecr_warden import __version__
from ecr_warden.core.codec.base import CodecError, Json, check_schema, forms, loads, read
from ecr_warden.core.result import Result
from ecr_warden.core.target import Target
from ecr_warden.core.value import Moment, Value
from ecr_warden.state.hold_id import HoldId
from iam_access.errors import NamedError
from iam_access.text.printable import cut

REQUEST_SCHEMA = 1
"""Of requests and of what they are answered with: a version whose hub understands more, or less, counts it up."""
MAX_TARGETS = 2000
MAX_REASON_LENGTH = 200
MAX_SELECTION_LENGTH = 400
MAX_PATTERNS = 20
REQUEST_LIMIT = 1024 * 1024
_MAY_BE_MISSING = {"since", "until"}
type Selection = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=MAX_SELECTION_LENGTH)], ...],
    Meta(min_length=1, max_length=MAX_TARGETS),
]
type Targets = Annotated[tuple[Target, ...], Meta(min_length=1, max_length=MAX_TARGETS)]
type RequestId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9-]{8,64}\Z")]


class HubRequest(Value, frozen=True, tag_field="action", omit_defaults=False):
    """What people ask of the hub, or have it do."""


class ReconcileTargets(HubRequest, frozen=True, tag="reconcile"):
    """Reconcile targets now."""

    id: RequestId
    targets: Targets


type Patterns = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=MAX_SELECTION_LENGTH)], ...], Meta(max_length=MAX_PATTERNS)
]


class PauseUntil(HubRequest, frozen=True, tag="pause"):
    """Write nothing to targets until a time, nor to new ones that match the patterns until then."""

    id: RequestId
    targets: Targets
    reason: str
    until: Moment
    patterns: Patterns = ()


class Resume(HubRequest, frozen=True, tag="resume"):
    """End pauses early, and reconcile the targets; end also the pauses of the patterns."""

    id: RequestId
    targets: Targets
    patterns: Patterns = ()


class Accept(HubRequest, frozen=True, tag="accept"):
    """Let what a hold is about take effect."""

    id: RequestId
    hold: HoldId


class Reject(HubRequest, frozen=True, tag="reject"):
    """Do not let it."""

    id: RequestId
    hold: HoldId


class Acknowledge(HubRequest, frozen=True, tag="ack"):
    """Say that the caller works on an incident, which ends its reminders."""

    id: RequestId
    incident: Annotated[str, Meta(pattern=r"\A[0-9a-f]{4,8}\Z")]
    reason: str


class TryChannels(HubRequest, frozen=True, tag="test-alert"):
    """Send a message that means nothing to each channel."""

    id: RequestId


class Upload(HubRequest, frozen=True, tag="upload"):
    """Say that the caller uploaded a version of the spec."""

    id: RequestId
    version: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,1024}\Z")]


type Decide = Accept | Reject
type Command = ReconcileTargets | PauseUntil | Resume | Decide | Acknowledge | TryChannels | Upload


class Call(Struct, frozen=True):
    """A command as it is recorded."""

    id: str
    caller: str
    """The authenticated ARN."""
    text: str
    """The request's."""
    at: datetime


class CommandResult(Value, frozen=True):
    """The result of a run that a command asked for."""

    target: str
    run_id: str
    result: Result
    done: bool
    """No retry follows."""


answer_to_json, answer_from_json = forms("answer", CommandResult)


class CommandRecords(Protocol):
    """The commands sent to the hub: who sent them, and their results."""

    def record(self, call: Call) -> None:
        """Record a command before acting on it; raises CommandRepeated if its ID is known."""

    def text(self, call_id: str) -> str | None:
        """A command as it was given; None if it is unknown or expired."""

    def answer(self, call_id: str, answer: CommandResult) -> None:
        """Record how the run of one of its targets ended, replacing an earlier answer."""

    def answers(self, call_id: str) -> Sequence[CommandResult]:
        """The answers so far, one per target."""


class BadRequest(NamedError, code="bad-request"):
    """The request is not understood, and nothing was done."""


class VersionsDiffer(BadRequest, code="versions-differ"):
    """The command and the hub are of versions that do not understand each other, and nothing was done."""


def command_from_text(given: object) -> Command:
    """Parse a command; raises BadRequest."""
    command: Command = read_request(given, Command)
    if not isinstance(command, PauseUntil | Acknowledge):
        return command
    reason = command.reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH or not reason.isprintable():
        raise bad_request(CodecError(f"a reason is one printable line of 1 to {MAX_REASON_LENGTH} characters"))
    return cast("Command", replace(command, reason=reason))


def read_request(given: object, kind: Any) -> Any:
    """Parse a request of a kind, or of one of several; raises BadRequest."""
    if not isinstance(given, str) or len(given) > REQUEST_LIMIT:
        raise BadRequest(f"a request must be a text of at most {REQUEST_LIMIT} characters")
    try:
        value = loads(given)
        _check_understood(value)
        request = read(value, kind)
    except VersionsDiffer:
        raise
    except (NamedError, LookupError, ValueError) as error:
        raise bad_request(error) from error
    missing = {*type(request).__struct_encode_fields__} - {*value} - _MAY_BE_MISSING
    if missing:
        raise bad_request(CodecError(f"{', '.join(sorted(missing))} is missing"))
    return request


def _check_understood(request: Json) -> None:
    """Raises VersionsDiffer, and a LookupError where there is no schema."""
    try:
        check_schema(request, REQUEST_SCHEMA)
    except CodecError as error:
        theirs = cut(str(request.get("commandVersion", "of an unknown version")), 40)
        is_newer = isinstance(request["schema"], int) and request["schema"] > REQUEST_SCHEMA
        remedy = "upgrade the hub: ecr-warden deploy" if is_newer else "upgrade the command: pipx upgrade ecr-warden"
        raise VersionsDiffer(
            f"the hub, ecr-warden {__version__}, does not understand the command, {theirs!a}: {error.message}",
            remedy=remedy,
        ) from error


def bad_request(error: Exception) -> BadRequest:
    """The request is none, for this reason."""
    why = error.message if isinstance(error, NamedError) else f"{error!s:.200}"
    remedy = "use a command of the same version as the hub's"
    return BadRequest(f"not a request: {why}", remedy=getattr(error, "remedy", "") or remedy)
