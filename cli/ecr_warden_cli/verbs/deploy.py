"""`deploy`: bring about what ecr-warden.yaml describes, bring it up to date, or repair it."""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ecr_warden.access_spec import Valid
from ecr_warden.core.codec.base import to_json
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden.state.commands import Upload
from ecr_warden.state.switch import PARAMETER, Position
from ecr_warden_cli.asking.estate_input import accepted_of_hub
from ecr_warden_cli.deployment.change_text import grouped, instance_lines
from ecr_warden_cli.deployment.checkup import deployed
from ecr_warden_cli.deployment.emit import emit
from ecr_warden_cli.deployment.file import load_deployment
from ecr_warden_cli.deployment.ports import Entered
from ecr_warden_cli.deployment.reconcile import Reconciler, Step
from ecr_warden_cli.deployment.release import Release, load_release
from ecr_warden_cli.deployment.remedies import AGAIN, UNSEEN
from ecr_warden_cli.deployment.sessions import DEPLOYMENT_ARGUMENTS, DeploymentAws, aliases_of, enter
from ecr_warden_cli.deployment.stacks import doubts, read_only
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.hub.client import WAIT, HubClient, HubRefused, expect, looks, new_id
from ecr_warden_cli.hub.rollout import Published, RollOut, follow
from ecr_warden_cli.terminal.console import Console, Exit, worst
from ecr_warden_cli.terminal.context import Context, Failure, Uploaded, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import DEFAULT_SPEC, load_compiled
from ecr_warden_cli.verbs.doctor import check_up, show
from ecr_warden_cli.verbs.hold import is_confirmed
from iam_access.text.printable import count, cut

_SWITCH = {
    Position.ENABLED: f"makes the stop switch, {PARAMETER}: {Position.ENABLED}",
    Position.STOPPED: f"makes the stop switch, {PARAMETER}, which somebody deleted: {Position.STOPPED}; until "
    "ecr-warden start nothing is written",
}


def _run(arguments: argparse.Namespace, context: Context[DeploymentAws]) -> Exit:
    console, written = context.console, _written(arguments.file)
    deployment = load_deployment(arguments.file, context)
    deployment = read_only(deployment) if arguments.read_only else deployment
    release = load_release(console.environment)
    if arguments.emit is not None:
        return _emit(deployment, release, arguments, console)
    entered = enter(deployment, arguments, context)
    left_out = _left_out(deployment, entered, arguments)
    reconciler = Reconciler(
        deployment, release, entered, left_out, waits=not arguments.plan, goes_on=arguments.read_only
    )
    try:
        with reconciler.discarding():
            end = _bring_about(reconciler, arguments, context)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; CloudFormation ends what it has begun: {AGAIN}") from None
    if _written(arguments.file) != written:
        console.note(f"{arguments.file} was changed meanwhile: what it says now counts in the next ecr-warden deploy")
    return end


def _written(file: str) -> int | None:
    """When a file was written last, in nanoseconds; None if it is none, or is gone."""
    with suppress(OSError):
        return Path(file).stat().st_mtime_ns if Path(file).is_file() else None
    return None


def _left_out(deployment: Deployment, entered: Entered, arguments: argparse.Namespace) -> frozenset[str]:
    """In which accounts nothing is done; raises Failure if there is one that nobody named, unless nothing can write."""
    aliases = aliases_of(deployment)
    ids = {alias: account for account, alias in aliases.items()} | {account: account for account in aliases}
    if unknown := [name for name in arguments.without if name not in ids]:
        raise UsageError(
            f"--without {cut(unknown[0], 80)} is no account of the file",
            remedy=f"name one of {', '.join(aliases.values())}",
        )
    named = {ids[name] for name in arguments.without}
    refused = {aliases[one]: why for one, why in entered.refused.items() if one not in named}
    if refused and not arguments.read_only:
        raise Failure(
            "nothing was done in any account",
            remedy=f"enter each account; --without {next(iter(refused))} leaves one out",
            code="not-entered",
            lines=[f"{alias} cannot be entered: {why.reason}; {why.remedy}" for alias, why in refused.items()],
        )
    return frozenset(named | {*entered.refused})


def _bring_about(reconciler: Reconciler, arguments: argparse.Namespace, context: Context) -> Exit:
    """Show what is to be done, ask, do it, and look whether it works."""
    console, deployment, entered = context.console, reconciler.deployment, reconciler.entered
    aliases = aliases_of(deployment)
    refused = {one: f"{why.reason}; {why.remedy}" for one, why in entered.refused.items()}
    console.notes(
        f"NOTHING IS DONE in {aliases[one]}: {refused.get(one, '--without')}" for one in sorted(reconciler.left_out)
    )
    console.notes(doubts(deployment))
    with console.doing("looking at what is there"):
        steps, leaving, spec, lines = _plan(reconciler, arguments, context)
    console.notes(dict.fromkeys(f"NOT DONE: {failure}" for failure in reconciler.unread))
    console.notes(UNSEEN.format(one) for one in reconciler.unseen)
    not_all = [Exit.ERROR] if reconciler.left_out or reconciler.unread else []
    answer: dict[str, Any] = {"version": reconciler.release.version, "plan": lines, "steps": list(map(_to_json, steps))}
    if not arguments.json:
        where = " in the other accounts" if not_all else ""
        nothing = f"there is nothing to do{where}: all stacks are as {arguments.file} and this version say"
        console.lines(lines or [nothing])
    if arguments.plan or (lines and not _is_agreed(leaving, arguments, context)):
        if arguments.json:
            console.answer({**answer, "done": False})
        elif lines and not arguments.plan:
            console.note(f"nothing was done: {_LEAVES if leaving else 'answer yes, or add --yes'}")
        return worst(Exit.DIFFERENT if lines else Exit.FINE, *not_all)
    for line in reconciler.carry_out(steps):
        if not arguments.json:
            console.line(line)
    rolled = None if spec is None else _begin_with(spec, _client(reconciler, context), arguments, context)
    answer |= {"done": True, "spec": None if rolled is None else rolled.to_json()}
    return worst(_checked(reconciler, answer, arguments, context), *not_all)


def _plan(
    reconciler: Reconciler, arguments: argparse.Namespace, context: Context
) -> tuple[Sequence[Step], Sequence[str], Valid | None, list[str]]:
    aliases = aliases_of(reconciler.deployment)
    ask = partial(_client, reconciler, context)
    file = arguments.spec or (DEFAULT_SPEC if Path(DEFAULT_SPEC).exists() else "")
    wants_spec = file and reconciler.has_hub and (reconciler.is_new or not any(ask().hub.uploads()))
    spec = load_compiled(file, context) if wants_spec else None
    leaving = reconciler.leaving(lambda: _named(ask(), context))
    steps = reconciler.steps()
    if arguments.spec and reconciler.has_hub and spec is None:
        context.console.note(f"{file} is not uploaded, as the hub has a spec: ecr-warden apply {file}")
    said = [(step, line) for say in (Step.rights, Step.resources) for step in steps for line in say(step)]
    lines = [f"changes in {one} are reported no more, and the accepted spec names it" for one in leaving]
    lines += grouped([(line, aliases[step.wanted.place.account]) for step, line in said])
    if files := reconciler.spoiled:
        lines.append(f"uploads {count(len(files), 'file')} of code again, which somebody replaced")
    lines += [] if reconciler.switch is None else [_SWITCH[reconciler.switch]]
    lines += [] if spec is None else [f"uploads {file}, the first spec"]
    return steps, leaving, spec, lines


def _client(reconciler: Reconciler, context: Context) -> HubClient:
    return HubClient(reconciler.entered.hub(*reconciler.at), context.console)


def _checked(
    reconciler: Reconciler, answer: Mapping[str, Any], arguments: argparse.Namespace, context: Context
) -> Exit:
    """Say what is there now."""
    waiting = reconciler.unfinished()
    checkup = deployed(check_up(reconciler.deployment, reconciler.entered, context), reconciler.left_out)
    if arguments.json:
        context.console.answer({**answer, "instances": to_json(tuple(waiting)), "checkup": to_json(checkup)})
    else:
        context.console.lines(instance_lines(waiting))
        show(checkup, context.console)
    return worst(Exit.DIFFERENT if waiting else Exit.FINE, checkup.exit(strict=False))


_LEAVES = (
    "an account that the accepted spec names leaves once it has left the spec (ecr-warden apply), or a person at a "
    "terminal says yes; --yes is no answer"
)


def _is_agreed(leaving: Sequence[str], arguments: argparse.Namespace, context: Context) -> bool:
    """Whether a person says yes, of a member that leaves by a question of its own."""
    is_left = (is_confirmed(f"{one} is no member any more, although the spec names it?", context) for one in leaving)
    return all(is_left) and (arguments.yes or is_confirmed("do this?", context))


def _named(client: HubClient, context: Context) -> frozenset[str] | None:
    """The accounts of the accepted spec; None if the hub does not say."""
    with suppress(Failure):
        accepted = accepted_of_hub(client, context)
        return frozenset(() if accepted is None else accepted.spec.aliases)
    return None


def _emit(deployment: Deployment, release: Release, arguments: argparse.Namespace, console: Console) -> Exit:
    files = emit(deployment, release, arguments.emit)
    if arguments.json:
        console.answer({"version": release.version, "files": files})
    else:
        console.line(f"wrote {len(files)} files to {arguments.emit}")
    return Exit.FINE


def _begin_with(spec: Valid, client: HubClient, arguments: argparse.Namespace, context: Context) -> RollOut:
    """Upload the first spec, say what becomes of it, and wait for the first sweep; raises Failure."""
    version = client.hub.upload(spec.text.encode())
    client.command(Upload(new_id(), version))
    rolled = follow(client, Published(Uploaded(version, context.clock.now()), (), {}), context, arguments.wait)
    if not arguments.json:
        rolled.show(context.console)
    with context.console.doing("waiting for the first sweep"):
        for _ in looks(context.sleep, arguments.wait):
            if _is_swept(client, spec):
                break
    return rolled


def _is_swept(client: HubClient, spec: Valid) -> bool:
    """Whether every account of the spec was looked at, or nothing will be before a person accepts the spec."""
    try:
        watched = expect(StatusReply, client.ask(AskStatus())).watched
    except HubRefused:
        return True
    return spec.spec.aliases.keys() <= {part.split("/")[0] for part in watched}


def _to_json(step: Step) -> dict[str, Any]:
    place = step.wanted.place
    return {
        "account": place.account,
        "region": place.region,
        "stack": place.name,
        "changes": [to_json(one) for one in step.changes],
        "parameters": {name: {"is": old, "becomes": new} for name, (old, new) in step.parameters.items()},
    }


DEPLOY = Verb(
    "ecr-warden deploy --plan --profile ci=PROFILE --profile registry=PROFILE\n"
    "  ecr-warden deploy --profile org --assume-role OrganizationAccountAccessRole",
    (
        *DEPLOYMENT_ARGUMENTS,
        argument(
            "--spec",
            metavar="SPEC",
            help=f"the first spec of a hub that has none; default: {DEFAULT_SPEC}, if it is there",
        ),
        argument("--plan", action="store_true", help="show what would be done, and do nothing"),
        argument("--read-only", action="store_true", help="deploy nothing that can write, whatever FILE says"),
        argument(
            "--without",
            metavar="ACCOUNT",
            action="append",
            default=[],
            help="an account in which nothing is done this time, by its name in the file or its ID; may be repeated",
        ),
        argument("--emit", metavar="DIR", help="write what would be deployed to a new folder, and do nothing"),
        argument("--yes", action="store_true", help="do not ask: for scripts"),
        WAIT,
    ),
    _run,
    "Brings about what FILE describes: looks at what is there, shows what it would do, the roles and policies first, "
    "asks, and does it by CloudFormation's change sets: the hub, its code, the members, their events, the first spec. "
    "Run again it goes on where it stands, upgrades to this command's version, or repairs what differs.",
)
