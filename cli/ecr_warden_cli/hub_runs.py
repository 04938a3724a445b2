"""The runs that a command sets off: waited for, and how they ended."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_warden.model.codec.entries import answer_to_json
from ecr_warden.model.outcome import Result
from ecr_warden.model.reply import CallReply, CommandReply
from ecr_warden.model.request import Answer, AskCall

from ecr_warden_cli.console import Console, Exit
from ecr_warden_cli.context import Context
from ecr_warden_cli.hub import Speaking, expect

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
