"""What the verbs that use the deployed hub share."""

import argparse
import gzip
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from ecr_warden import __version__
from ecr_warden.access_spec.accounts import REGIONS, may_be_region
from ecr_warden.core.codec.base import CodecError, Json, to_json
from ecr_warden.core.result import Result
from ecr_warden.core.target import EVERYTHING, Target, parse_target
from ecr_warden.hub.codec_replies import reply_from_json, reply_to_json
from ecr_warden.hub.reply import CallReply, CommandReply, KeptVersion, PlanReply, Reply, StatusReply, VersionsReply
from ecr_warden.hub.request import AskCall, AskStatus, AskVersions, Question, request_to_text
from ecr_warden.state.commands import (
    MAX_REASON_LENGTH,
    MAX_SELECTION_LENGTH,
    MAX_TARGETS,
    Command,
    CommandResult,
    PauseUntil,
    ReconcileTargets,
    Resume,
    Selection,
    Upload,
)
from ecr_warden_cli.hub.comparison import AtHub
from ecr_warden_cli.terminal.console import Console, Exit, Style, worst
from ecr_warden_cli.terminal.context import Argument, Context, Failure, Hub, UsageError, argument
from ecr_warden_cli.terminal.inputs import BY_HAND, DEPLOYMENT_FILE, HUB_PROFILE, HUB_REGION, matching, within
from iam_access.text.nearest import advice, completed, nearest
from iam_access.text.printable import cut, invisible


class HubRefused(Failure, code="hub-refused"):
    """The hub refused the request; `code` is the hub's."""


HUB_ARGUMENTS = (
    argument("--hub-region", metavar="REGION", help=f"the hub's region; {HUB_REGION}"),
    argument("--profile", metavar="PROFILE", help=f"the AWS profile for the hub's account; {HUB_PROFILE}"),
)
"""Where the hub is and with which credentials it is called."""


def _reason(text: str) -> str:
    if not 0 < len(text.strip()) <= MAX_REASON_LENGTH or not text.strip().isprintable():
        raise argparse.ArgumentTypeError(f"a reason is one line of 1 to {MAX_REASON_LENGTH} printable characters")
    return text.strip()


REASON = argument("--reason", metavar="TEXT", required=True, type=_reason, help="why, for everybody to see")


def targets_argument(*, required: bool) -> Argument:
    """TARGET."""
    return argument(
        "targets",
        metavar="TARGET",
        nargs="+" if required else "*",
        help="a target such as role/ACCOUNT/NAME, a repository name, a pattern of names ('shop/*'), or all"
        + ("" if required else "; default: all"),
    )


def selection_of(arguments: argparse.Namespace | AtHub) -> Selection:
    """The selected targets, by default all; raises UsageError."""
    return tuple(map(checked, arguments.targets)) or (EVERYTHING,)


def checked(target: str) -> str:
    """A text that may select targets; raises UsageError."""
    if len(target) <= MAX_SELECTION_LENGTH and (unseen := invisible(target)):
        raise UsageError(f'no target "{target}": the name contains an invisible character, {unseen}', remedy=BY_HAND)
    if not 0 < len(target) <= MAX_SELECTION_LENGTH or not target.isprintable():
        limit = f"targets are printable texts of 1 to {MAX_SELECTION_LENGTH} characters"
        raise UsageError(
            f"{cut(target, 80)!a} is not a target: {limit}", remedy="ecr-warden status all lists the targets"
        )
    return target


def new_id() -> str:
    """A command's ID; the hub refuses a second command with the same ID."""
    return str(uuid.uuid4())


class HubClient(Struct, frozen=True):
    """Typed requests in, typed replies out."""

    hub: Hub
    console: Console

    def ask(self, question: Question) -> Reply:
        """Ask; raises Failure."""
        with self.console.doing("asking the hub"):
            answer = self.hub.answer(request_to_text(question))
        if isinstance(aliases := answer.get("aliases"), dict):
            self.console.aliases.update(aliases)
        return _read(answer)

    def command(self, command: Command) -> CommandReply:
        """Send a command in the caller's name; raises Failure."""
        targets = command.targets if isinstance(command, ReconcileTargets | PauseUntil | Resume) else ()
        if len(targets) > MAX_TARGETS:
            remedy = "name fewer, such as by a narrower pattern, and repeat the command for the others; "
            remedy += "the stop switch stops all writes: docs/deploy.md#stopping"
            raise UsageError(f"{len(targets)} targets; a command takes {MAX_TARGETS} at most", remedy=remedy)
        try:
            with self.console.doing("sending the command to the hub"):
                reply = _read(self.hub.control(request_to_text(command), of_upload=isinstance(command, Upload)))
        except KeyboardInterrupt:
            self.console.note("the hub may have received the command: ecr-warden status shows the effect")
            raise
        if not isinstance(reply, CommandReply):
            raise unintelligible("not a reply to a command")
        return reply


def speak(arguments: argparse.Namespace | AtHub, context: Context) -> HubClient:
    """Open the hub that the arguments name; raises Failure."""
    return HubClient(open_hub(arguments, context), context.console)


def open_hub(arguments: argparse.Namespace | AtHub, context: Context) -> Hub:
    """The hub that the arguments name, or else the environment, or else ecr-warden.yaml; raises Failure."""
    environment = context.console.environment
    region = arguments.hub_region or environment.get("ECR_WARDEN_HUB_REGION") or _region_in_file(context)
    if region and not may_be_region(region):
        raise UsageError(
            f"there is no region {cut(region, 80)!a}",
            remedy=f"{advice(nearest(region, sorted(REGIONS)))}give the hub's as --hub-region or ECR_WARDEN_HUB_REGION",
        )
    with context.console.doing("looking for the hub"):
        return context.aws().open_hub(region, arguments.profile or environment.get("ECR_WARDEN_HUB_PROFILE") or None)


def _region_in_file(context: Context) -> str | None:
    """The hub's region by ecr-warden.yaml in the working directory, None without one; raises Failure.

    A file that is wrong is no reason to ask a hub in another region.
    """
    if not Path(DEPLOYMENT_FILE).exists():
        return None
    from ecr_warden_cli.deployment.file import load_deployment  # noqa: PLC0415 - whoever has no such file waits for none

    try:
        return load_deployment(DEPLOYMENT_FILE, context).hub_region
    except Failure as error:
        error.remedy += "; or pass --hub-region REGION"
        raise


def accepted_version(client: HubClient) -> KeptVersion | None:
    """The version of the spec that the hub has accepted, None before the first; raises Failure."""
    return expect(VersionsReply, client.ask(AskVersions())).accepted


parse_version = matching("[A-Za-z0-9._-]{1,1024}", "is not a version: ecr-warden versions lists them")
"""Of an argument that names a version."""
_VERSION_LENGTH = 32
"""Of the IDs that S3 gives."""


def text_of(kept: KeptVersion, hub: Hub) -> bytes:
    """The text of a version of the spec, as the hub keeps it or else from its bucket; raises Failure."""
    data = gzip.decompress(b64decode(kept.text)) if kept.text else b""
    return data or hub.spec(kept.version)


def version_in_bucket(text: str, arguments: argparse.Namespace, context: Context) -> tuple[str, bytes]:
    """A version of the spec by its ID, or by a beginning that no other has, and its text; raises Failure."""
    hub = open_hub(arguments, context)
    with context.console.doing("reading the spec from the hub's bucket"):
        # Whoever gives all of an ID needs no right to list them.
        version = text if len(text) >= _VERSION_LENGTH else completed(text, (one.version for one in hub.uploads()))
        return version, hub.spec(version)


def _read(answer: Json) -> Reply:
    if isinstance(error := answer.get("error"), dict):
        fields = {name: str(error.get(name, "")) for name in ("code", "message", "remedy")}
        raise HubRefused(fields["message"], remedy=fields["remedy"], code=fields["code"] or HubRefused.code)
    try:
        return reply_from_json(answer)
    except CodecError as error:
        raise unintelligible(error.message, answer) from error


def unintelligible(why: str, answer: Json | None = None) -> Failure:
    """The error for an answer of the hub that this version does not understand."""
    hub = cut(str((answer or {}).get("hubVersion", "of an unknown version")), 40)
    return Failure(
        f"the answer of the hub, ecr-warden {hub!a}, is not understood by this command, {__version__}: {why}",
        code="hub-unintelligible",
        remedy="install the hub's version of the command, or bring the hub to this one: ecr-warden deploy",
    )


def known_targets(client: HubClient, selection: Selection) -> tuple[Target, ...]:
    """The selected targets; raises Failure, also if the hub does not know all of them."""
    status = expect(StatusReply, client.ask(AskStatus(selection)))
    if status.unread:
        raise Failure(
            f"not all targets are known: {status.unread[0]}",
            remedy="name the targets in full, such as repository/ACCOUNT/REGION/NAME",
        )
    return tuple(parse_target(target.target) for target in status.targets)


def expect[T](kind: type[T], reply: Reply) -> T:
    """The reply, checked to be of the expected kind."""
    if not isinstance(reply, kind):
        raise unintelligible(f"{type(reply).__name__} instead of {kind.__name__}")
    return reply


def json_of(reply: Reply) -> dict[str, Any]:
    """The reply as it is printed, without the hub's schema number."""
    form = reply_to_json(reply)
    del form["schema"]
    return form


def plan_extras(plan: PlanReply) -> dict[str, Any]:
    """The JSON fields that only the hub's plans have."""
    return {
        "omitted": plan.omitted,
        "unread": list(plan.unread),
        "left": [{"target": target, "why": why} for target, why in plan.left.items()],
        "recreated": list(plan.recreated),
    }


def recreated_lines(plan: PlanReply) -> Iterator[str]:
    """One line per identity that was recreated since its last run."""
    return (
        f"{identity} was recreated; reconcile starts a run of it, and has the documents that name it rewritten"
        for identity in plan.recreated
    )


def say_unread(unread: Sequence[str], context: Context) -> None:
    """Print what is missing in a reply, and why."""
    context.console.lines((f"state unknown: {why}" for why in unread), Style.BAD)


_POLL_SECONDS = 1.0
_WAIT_SECONDS = 300

FINE = (Result.CONVERGED, Result.IN_SYNC)
_BROKEN = (Result.FAILED, Result.UNKNOWN)


def result_exit(result: Result | None) -> Exit:
    """The exit code for a run; None for a target that is gone."""
    if result in _BROKEN:
        return Exit.ERROR
    return Exit.FINE if result is None or result in FINE else Exit.DIFFERENT


class Runs(Struct, frozen=True):
    """The results of a command: its runs' answers, by target."""

    command: CommandReply
    answers: Mapping[str, CommandResult]

    @property
    def missing(self) -> tuple[str, ...]:
        """The targets without an answer."""
        return tuple(target for target in self.command.targets if target not in self.answers)

    @property
    def exit(self) -> Exit:
        """ERROR if a run failed or is missing, DIFFERENT if a target is not in sync."""
        missing = (Exit.ERROR,) if self.missing else ()
        return worst(*missing, *(result_exit(answer.result) for answer in self.answers.values()))

    def to_json(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "id": self.command.id,
            "caller": self.command.caller,
            "targets": list(self.command.targets),
            "runs": [to_json(answer) for answer in self.answers.values()],
            "missing": list(self.missing),
        }

    def show(self, console: Console) -> None:
        """Print one line per target."""
        for target in sorted({*self.answers, *self.missing}):
            answer = self.answers.get(target)
            ended = f"{answer.result.words}, run {answer.run_id}" if answer else "no run has ended yet"
            console.line(f"{target}: {ended}")


WAIT = argument(
    "--wait",
    metavar="SECONDS",
    type=within(0, 86_400),
    default=_WAIT_SECONDS,
    help=f"how long to wait for the runs (default {_WAIT_SECONDS}); they continue after that",
)


def wait_for(client: HubClient, command: CommandReply, context: Context, seconds: float) -> Runs:
    """Wait until each target's run has ended or the time is up; shows progress on stderr."""
    coming = _poll(client, command, context.sleep, seconds)
    try:
        ended = context.console.progress(coming, of=len(command.targets), doing="runs ended")
        answers = {answer.target: answer for answer in ended}
    except KeyboardInterrupt:
        context.console.note("the hub's runs continue without this command: ecr-warden status shows how they end")
        raise
    return Runs(command, answers)


def looks(sleep: Callable[[float], None], seconds: float) -> Iterator[None]:
    """Time to look once more: at once, and after each second until the time is up."""
    yield
    for _ in range(max(1, int(seconds / _POLL_SECONDS))):
        sleep(_POLL_SECONDS)
        yield


def _poll(
    client: HubClient, command: CommandReply, sleep: Callable[[float], None], seconds: float
) -> Iterator[CommandResult]:
    open_targets = {*command.targets}
    latest: dict[str, CommandResult] = {}
    for _ in looks(sleep, seconds):
        answers = expect(CallReply, client.ask(AskCall(command.id))).answers
        latest = {answer.target: answer for answer in answers}
        for answer in answers:
            # A target that waits for its role is run again after the role's run.
            if answer.target in open_targets and answer.done and answer.result is not Result.WAITING:
                open_targets.discard(answer.target)
                yield answer
        if not open_targets:
            break
    # Time is up: fall back on each run's last answer.
    yield from (latest[target] for target in sorted(open_targets) if target in latest)
