"""Requests to the deployed hub: questions, which only read; state/commands.py has the commands.

A selection is a list of texts: a target, a repository name or a pattern of such names (`shop/*`), or `all`. A command
names its targets one by one, so that what is signed, recorded and announced is exact.
"""

from typing import Annotated

from msgspec import Meta, field

from ecr_warden import __version__
from ecr_warden.core.codec.base import CodecError, Json, dumps, to_json
from ecr_warden.core.target import EVERYTHING, Target
from ecr_warden.core.value import Moment
from ecr_warden.state.commands import (
    REQUEST_SCHEMA,
    Command,
    HubRequest,
    RequestId,
    Selection,
    bad_request,
    read_request,
)

MAX_ENTRIES, MAX_HISTORIES, MAX_ACCOUNTS = 1000, 20, 1000


class AskStatus(HubRequest, frozen=True, tag="status"):
    """Asks what the hub remembers of targets; no account is read."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskPlan(HubRequest, frozen=True, tag="plan"):
    """Asks how the accounts differ from the accepted spec now, and what would be written."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskCheck(HubRequest, frozen=True, tag="check"):
    """Asks whether each target is in sync now."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskHistory(HubRequest, frozen=True, tag="history"):
    """Asks what happened to some targets, or to all if none is named; newest first.

    `since`, `until`: None for no limit; the journal is kept for a year.
    """

    targets: Annotated[tuple[Target, ...], Meta(max_length=MAX_HISTORIES)] = ()
    limit: Annotated[int, Meta(ge=1, le=MAX_ENTRIES)] = 20
    since: Moment | None = None
    until: Moment | None = None
    runs: bool = True
    """Whether runs are asked for beside the history log; over a year each of its days costs a query."""


class AskPushed(HubRequest, frozen=True, tag="pushed"):
    """Asks who pushed to a repository of the accepted spec in a time; newest first."""

    repository: Target
    since: Moment
    until: Moment


class AskIncidents(HubRequest, frozen=True, tag="incidents"):
    """Asks for the incidents that last, and for those over that began since a time; or for one by its ID.

    The beginning of an ID is enough, if no other begins so.
    """

    incident: Annotated[str, Meta(pattern=r"\A[0-9a-f]{0,8}\Z")] = ""
    since: Moment | None = None
    """None for those alone that last."""


class AskRun(HubRequest, frozen=True, tag="run"):
    """Asks for one run in full, by its ID or the beginning of it, if no other begins so."""

    run_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]{1,64}\Z")]


class AskCall(HubRequest, frozen=True, tag="call"):
    """Asks for the results of a command so far."""

    call_id: RequestId = field(name="id")


class AskEstate(HubRequest, frozen=True, tag="estate"):
    """Asks for a kept piece of the estate by its part (state.sweeps); without one, which parts there are."""

    part: Annotated[str, Meta(pattern=r"\A([0-9]{12}(/[a-z0-9-]{1,32})?)?\Z")] = ""


class AskHeld(HubRequest, frozen=True, tag="held"):
    """Asks for what waits for a person; with an ID, for what became of that hold.

    Of a hold that waits the beginning of its ID is enough, if no other begins so.
    """

    hold_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{0,12}\Z")] = field(default="", name="hold")


class AskVersions(HubRequest, frozen=True, tag="versions"):
    """Asks for the texts of the baseline and of the accepted version."""


class AskScopes(HubRequest, frozen=True, tag="scopes"):
    """Asks whom the member stacks of some accounts of the accepted spec let ecr-warden write."""

    accounts: Annotated[tuple[Annotated[str, Meta(pattern=r"\A[0-9]{12}\Z")], ...], Meta(max_length=MAX_ACCOUNTS)]


type Question = (
    AskStatus
    | AskPlan
    | AskCheck
    | AskHistory
    | AskPushed
    | AskIncidents
    | AskRun
    | AskCall
    | AskEstate
    | AskHeld
    | AskScopes
    | AskVersions
)


def request_to_text(request: Question | Command) -> str:
    """The text that is sent, and that a caller's proof signs."""
    form: Json = to_json(request)
    named = {"schema": REQUEST_SCHEMA, "commandVersion": __version__}
    return dumps({**named, **{key: entry for key, entry in form.items() if entry is not None}})


def question_from_text(given: object) -> Question:
    """Parse a question; raises BadRequest."""
    question: Question = read_request(given, Question)
    if isinstance(question, AskStatus | AskPlan | AskCheck) and not all(map(str.isprintable, question.selection)):
        raise bad_request(CodecError("a target that is not printable text"))
    return question
