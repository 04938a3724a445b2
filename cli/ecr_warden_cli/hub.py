"""What the verbs that go through the deployed hub share."""

import argparse
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ecr_warden.invisible import invisible
from ecr_warden.model.codec.base import CodecError, Json
from ecr_warden.model.codec.replies import reply_from_json, reply_to_json
from ecr_warden.model.codec.requests import SELECTED_AT_MOST, TARGETS_AT_MOST, request_to_text
from ecr_warden.model.reply import CommandReply, PlanReply, Reply
from ecr_warden.model.request import EVERYTHING, Command, Question, Selection

from ecr_warden_cli.console import Console, Style, cut
from ecr_warden_cli.context import Context, Failure, Hub, UsageError
from ecr_warden_cli.here_or_hub import AtHub


class HubRefused(Failure):
    """The hub understood and does not do it; `code` is the hub's."""

    code = "hub-refused"

    def __init__(self, message: str, *, remedy: str, code: str) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class HubUnintelligible(Failure):
    """The hub's answer is of another version."""

    code = "hub-unintelligible"


def add_hub_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the hub is and with which credentials it is called."""
    parser.add_argument(
        "--hub-region", metavar="REGION", help="the region of the hub (template.yaml); the profile's region if left out"
    )
    parser.add_argument(
        "--profile", metavar="PROFILE", help="the AWS profile in the hub's account; the default credentials if left out"
    )


def add_selection(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Declare TARGET."""
    parser.add_argument(
        "targets",
        metavar="TARGET",
        nargs="+" if required else "*",
        help="a target such as role/ACCOUNT/NAME, a repository's name, a pattern of such names ('shop/*'), or all"
        + ("" if required else "; all if left out"),
    )


def selection_of(arguments: argparse.Namespace | AtHub) -> Selection:
    """What is meant, all if nothing is named; raises UsageError for what can be no target."""
    return tuple(map(checked, arguments.targets)) or (EVERYTHING,)


def checked(target: str) -> str:
    """A text that may mean targets; raises UsageError."""
    if len(target) <= SELECTED_AT_MOST and (unseen := invisible(target)):
        message = f'no target "{target}": it holds a character that cannot be seen, {unseen}'
        raise UsageError(message, remedy="type it by hand: it was copied from a page or a chat")
    if not 0 < len(target) <= SELECTED_AT_MOST or not target.isprintable():
        remedy = "ecr-warden status lists the targets"
        what = f"{cut(target, 80)!a} is no target: it is a printable text of 1 to {SELECTED_AT_MOST} characters"
        raise UsageError(what, remedy=remedy)
    return target


def new_id() -> str:
    """The id of a command: a second command with the same one is refused."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Speaking:
    """Requests in, replies out."""

    hub: Hub
    console: Console

    def ask(self, question: Question) -> Reply:
        """Ask; raises Failure."""
        return _read(self.hub.answer(request_to_text(question)))

    def command(self, command: Command) -> CommandReply:
        """Have it done, in the caller's name; raises Failure."""
        if len(command.targets) > TARGETS_AT_MOST:
            remedy = "name fewer, such as those of a pattern, and give the command again for the others"
            raise UsageError(
                f"{len(command.targets)} targets; a command takes {TARGETS_AT_MOST} at most", remedy=remedy
            )
        try:
            reply = _read(self.hub.control(request_to_text(command)))
        except KeyboardInterrupt:
            self.console.note("whether the hub took the command is not known: ecr-warden status shows what came of it")
            raise
        if not isinstance(reply, CommandReply):
            raise _unintelligible("another reply than that to a command")
        return reply


def speak(arguments: argparse.Namespace | AtHub, context: Context) -> Speaking:
    """Open the hub that the arguments name; raises Failure."""
    return Speaking(context.open_hub(arguments.hub_region, arguments.profile), context.console)


def _read(answer: Json) -> Reply:
    if isinstance(error := answer.get("error"), dict):
        told = {name: str(error.get(name, "")) for name in ("code", "message", "remedy")}
        raise HubRefused(told["message"], remedy=told["remedy"], code=told["code"] or HubRefused.code)
    try:
        return reply_from_json(answer)
    except CodecError as error:
        raise _unintelligible(error.message) from error


def _unintelligible(why: str) -> HubUnintelligible:
    remedy = "use a command of the same version as the hub's"
    return HubUnintelligible(f"the hub's answer is not understood: {why}", remedy=remedy)


def expect[T](kind: type[T], reply: Reply) -> T:
    """The reply, if it is of the kind that was asked for."""
    if not isinstance(reply, kind):
        raise _unintelligible(f"{type(reply).__name__} instead of {kind.__name__}")
    return reply


def json_of(reply: Reply) -> dict[str, Any]:
    """The reply as it is printed: its schema is the command's own."""
    form = reply_to_json(reply)
    del form["schema"]
    return form


def plan_extras(plan: PlanReply) -> dict[str, Any]:
    """What the hub's plans have besides, for JSON."""
    return {
        "omitted": plan.omitted,
        "unread": list(plan.unread),
        "left": [{"target": target, "why": why} for target, why in plan.left],
        "madeAgain": list(plan.made_again),
    }


def made_again_lines(plan: PlanReply) -> Iterator[str]:
    """A line for each owner that no run has looked at since it was made again."""
    for owner in plan.made_again:
        yield f"{owner} was deleted and made again; apply has what names it written again, through a run of its own"


def say_unread(unread: Sequence[str], context: Context) -> None:
    """What is missing in a reply, and why."""
    for why in unread:
        context.console.line(f"state unknown: {why}", Style.BAD)
