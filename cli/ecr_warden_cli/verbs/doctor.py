"""`doctor`: what is wrong with a deployment, or would be in its way, and what repairs it."""

import argparse
import json
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import chain, repeat

from ecr_warden.core.codec.base import to_json
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden_cli.deployment.checkup import Checkup, Diagnosis, Verdict
from ecr_warden_cli.deployment.compare import compare
from ecr_warden_cli.deployment.file import load_deployment
from ecr_warden_cli.deployment.look import examine
from ecr_warden_cli.deployment.ports import Entered
from ecr_warden_cli.deployment.reconcile import Reconciler
from ecr_warden_cli.deployment.release import Release, ReleaseUnusable, load_release
from ecr_warden_cli.deployment.sessions import DEPLOYMENT_ARGUMENTS, DeploymentAws, enter
from ecr_warden_cli.deployment.stacks import hub_place
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.hub.client import HubClient, expect, speak
from ecr_warden_cli.hub.comparison import AtHub
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, Verb, argument
from iam_access.text.printable import count, listed, show_time

_PAGE = "docs/schema/doctor.md"
_ALSO_SHOWN = 3
_STYLES = {
    Verdict.FINE: Style.GOOD,
    Verdict.WARNING: Style.ODD,
    Verdict.WRONG: Style.BAD,
    Verdict.UNKNOWN: Style.BAD,
}


def _run(arguments: argparse.Namespace, context: Context[DeploymentAws]) -> Exit:
    try:
        deployment = load_deployment(arguments.file, context)
    except Failure as failure:
        profile = next(iter(arguments.profile), None)
        checkup = examine(failure, lambda: _asked(speak(AtHub((), None, profile), context)), None, context.clock)
    else:
        checkup = check_up(deployment, enter(deployment, arguments, context), context, _release(context))
    if arguments.json:
        context.console.answer(to_json(checkup))
    else:
        show(checkup, context.console)
    return checkup.exit(strict=arguments.strict)


def _release(context: Context) -> Release | None:
    """The release that a deployment would deploy; a checkout may have none."""
    with suppress(ReleaseUnusable):
        return load_release(context.console.environment)
    return None


def check_up(deployment: Deployment, entered: Entered, context: Context, release: Release | None = None) -> Checkup:
    """The diagnoses of a deployment whose accounts have been entered; with a `release`, it is compared with that."""
    hub = hub_place(deployment)
    not_entered = frozenset(entered.refused)
    with context.console.doing("looking at the deployment"):
        return examine(
            deployment,
            lambda: _asked(HubClient(entered.hub(hub.account, hub.region), context.console)),
            entered,
            context.clock,
            None
            if release is None
            else partial(compare, Reconciler(deployment, release, entered, not_entered, goes_on=True)),
        )


def _asked(client: HubClient) -> StatusReply:
    return expect(StatusReply, client.ask(AskStatus()))


def show(checkup: Checkup, console: Console) -> None:
    """Print a line for each group in which all is well, else its diagnoses; then how many lines are not fine."""
    for group in checkup.groups:
        for name, diagnosis in zip(chain([group.group], repeat("")), group.diagnoses, strict=False):
            _show(name, diagnosis, console)
        if not group.diagnoses:
            console.line(_row(group.group, group.verdict, group.facts), _STYLES[group.verdict])
    found = Counter(line.verdict for group in checkup.groups for line in group.diagnoses or [group])
    warnings = count(found[Verdict.WARNING], "warning")
    said = f"{found[Verdict.WRONG]} wrong, {warnings}, {found[Verdict.UNKNOWN]} unknown"
    console.line("all is well" if {*found} <= {Verdict.FINE} else said, Style.HEADING)


def _show(name: str, diagnosis: Diagnosis, console: Console) -> None:
    also = f"; also {listed(diagnosis.also, _ALSO_SHOWN)}" if diagnosis.also else ""
    since = f"; since {show_time(diagnosis.since)}" if diagnosis.since is not None else ""
    console.line(_row(name, diagnosis.verdict, f"{diagnosis.message}{also}{since}"), _STYLES[diagnosis.verdict])
    if diagnosis.command:
        console.block(_row("", "", diagnosis.command))
    elif diagnosis.remedy:
        console.line(_row("", "", diagnosis.remedy))
    if diagnosis.statement is not None:
        console.line(_row("", "", "add this statement to a policy of these credentials:"))
        console.block(_row("", "", json.dumps(diagnosis.statement)))
    console.line(_row("", "", f"{diagnosis.code}: {_PAGE}#{diagnosis.code}"), Style.FAINT)


def _row(name: str, verdict: str, text: str) -> str:
    return f"{name:<10}  {verdict:<7}  {text}"


DOCTOR = Verb(
    "ecr-warden doctor\n  ecr-warden doctor --json --strict",
    (
        *DEPLOYMENT_ARGUMENTS,
        argument("--strict", action="store_true", help="exit with 2 if there is only a warning"),
    ),
    _run,
    "Says of this machine, the accounts, the trail, the hub and its stacks, the spec and the channels what is wrong, "
    "since when, and the command that repairs it. Before a deployment it says what would be in its way. What could not "
    "be looked at is unknown, and never fine.",
)
