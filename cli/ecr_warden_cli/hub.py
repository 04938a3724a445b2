"""What the verbs that go through the deployed hub share."""

import argparse
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecr_warden.invisible import invisible
from ecr_warden.model.codec.base import CodecError, Json
from ecr_warden.model.codec.entries import answer_to_json
from ecr_warden.model.codec.replies import reply_from_json, reply_to_json
from ecr_warden.model.codec.requests import SELECTED_AT_MOST, TARGETS_AT_MOST, request_to_text
from ecr_warden.model.outcome import Result
from ecr_warden.model.reply import CallReply, CommandReply, PlanReply, Reply
from ecr_warden.model.request import EVERYTHING, Answer, AskCall, Command, Question, Selection

from ecr_warden_cli.console import Console, Exit, Style, cut
from ecr_warden_cli.context import Context, Failure, Hub, UsageError
from ecr_warden_cli.live import AtHub


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


_POLL_SECONDS = 1.0
_WAIT_SECONDS = 300

FINE = (Result.CONVERGED, Result.IN_SYNC)
_BROKEN = (Result.FAILED, Result.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Runs:
    """What came of a command: the answers that there are, by target."""

    command: CommandReply
    answers: Mapping[str, Answer]

    @property
    def missing(self) -> tuple[str, ...]:
        """The targets without an answer."""
        return tuple(target for target in self.command.targets if target not in self.answers)

    @property
    def exit(self) -> Exit:
        """What is to be done about them."""
        results = [answer.result for answer in self.answers.values()]
        if self.missing or any(result in _BROKEN for result in results):
            return Exit.ERROR
        return Exit.FINE if all(result in FINE for result in results) else Exit.DIFFERENT

    def to_json(self) -> dict[str, Any]:
        """As it is printed."""
        return {
            "id": self.command.id,
            "caller": self.command.caller,
            "targets": list(self.command.targets),
            "runs": [answer_to_json(answer) for answer in self.answers.values()],
            "missing": list(self.missing),
        }

    def show(self, console: Console) -> None:
        """A line a target."""
        for target in sorted({*self.answers, *self.missing}):
            answer = self.answers.get(target)
            told = f"{answer.result}  (run {answer.run_id})" if answer else "no run has ended yet: ecr-warden status"
            console.line(f"{target}: {told}")


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Declare --wait."""
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        default=_WAIT_SECONDS,
        help=f"how long to wait for the runs ({_WAIT_SECONDS}); they go on after that",
    )


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 86_400:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of seconds from 0 to 86400")
    return int(text)


def wait_for(speaking: Speaking, command: CommandReply, context: Context, seconds: float) -> Runs:
    """Wait until each target's run has ended, or the time is up; counts on stderr while it waits."""
    answers: dict[str, Answer] = {}
    coming = _as_they_come(speaking, command, context.sleep, seconds)
    try:
        for answer in context.console.progress(coming, of=len(command.targets), doing="runs ended"):
            answers[answer.target] = answer
    except KeyboardInterrupt:
        context.console.note("the hub's runs go on without this command: ecr-warden status shows how they end")
        raise
    return Runs(command, answers)


def _as_they_come(
    speaking: Speaking, command: CommandReply, sleep: Callable[[float], None], seconds: float
) -> Iterator[Answer]:
    open_targets = {*command.targets}
    latest: dict[str, Answer] = {}
    tries = max(1, int(seconds / _POLL_SECONDS))
    for number in range(tries + 1):
        answers = expect(CallReply, speaking.ask(AskCall(command.id))).answers
        latest = {answer.target: answer for answer in answers}
        for answer in answers:
            if answer.target in open_targets and _has_ended(answer):
                open_targets.discard(answer.target)
                yield answer
        if not open_targets or number == tries:
            break
        sleep(_POLL_SECONDS)
    # Time is up: what a run said last is better than nothing.
    yield from (latest[target] for target in sorted(open_targets) if target in latest)


def _has_ended(answer: Answer) -> bool:
    # Who waits for its role is woken by that role's run, and answered again.
    return answer.done and answer.result is not Result.WAITING
