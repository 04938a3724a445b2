"""`init`: what is there, as the two files to go on with."""

import argparse
import shlex
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.estate import Estate
from ecr_warden.core.ours import ours_of
from ecr_warden.core.target import REGION
from ecr_warden_cli.asking.estate_input import accounts_of_profiles, estate_from, readings_in, snapshot_in
from ecr_warden_cli.deployment.fields import EMAIL, ROLE_NAME, WEBHOOK
from ecr_warden_cli.deployment.file import deployment_in
from ecr_warden_cli.deployment.ports import Entered
from ecr_warden_cli.deployment.propose import SeenTrail, deployment_text, propose_members, trail_lines
from ecr_warden_cli.deployment.remedies import MORE_EXECUTIONS
from ecr_warden_cli.deployment.sessions import DeploymentAws, Ways
from ecr_warden_cli.deployment.stacks import doubts, shortage
from ecr_warden_cli.deployment.wanted import DEFAULT_FILE, Deployment, MemberAccount
from ecr_warden_cli.importing.importing import Imported, import_estate
from ecr_warden_cli.terminal.console import Exit, worst
from ecr_warden_cli.terminal.context import Context, Failure, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import DEFAULT_SPEC, matching
from ecr_warden_cli.terminal.outputs import check_output, write_output
from ecr_warden_cli.verbs.importing import import_to_json, ours_argument, ours_given, summarize
from iam_access.arn import ACCOUNT_ID
from iam_access.text.printable import count, cut, first, listed

_LONGEST_ANSWER = 500
_UNREAD_SHOWN = 6
_TO_WHOM = "Who gets alerts and alarms by e-mail? Empty for nobody:"

_email = matching(f"|{EMAIL}", "is not an e-mail address")
_webhook = matching(f"|{WEBHOOK}", "is neither ssm:/NAME nor secretsmanager:NAME, where its URL is stored")
_profile = matching(".+", "is no profile: write --profile ALIAS=PROFILE for each account, and --hub-account ALIAS")
_role = matching(ROLE_NAME, "is not the name of a role")


def _run(arguments: argparse.Namespace, context: Context[DeploymentAws]) -> Exit:
    """ERROR if something was not read; DIFFERENT if the spec would change access, or no trail reports a region."""
    spec_file, file = (str(Path(arguments.output) / name) for name in (DEFAULT_SPEC, DEFAULT_FILE))
    if not Path(arguments.output).is_dir():
        message = f"-o {cut(arguments.output, 300)!a} is no directory"
        raise UsageError(message, remedy="make one (mkdir -p) and give it as -o: both files go there")
    for path in (spec_file, file):
        check_output(path)
    accounts, by_account = accounts_of_profiles(arguments.profile or [*_profiles(context)], arguments.region, context)
    hub_account, hub_region = _hub(arguments.hub_account, accounts, context)
    email = _answer("--email", arguments.email, _TO_WHOM, _email, context)
    entered = context.aws().enter({one.id: one.alias for one in accounts}, Ways(by_account), context.sleep)
    estate, imported = _imported(entered, accounts, arguments, context)
    members = propose_members(imported.loaded, estate)
    deployment = Deployment(
        hub_account,
        hub_region,
        tuple(one.member for one in members),
        email=email,
        webhook=arguments.webhook or "",
        assume_role=arguments.assume_role or "",
    )
    trails = _trails(entered, deployment.members, context)
    context.console.notes(_in_the_way(entered, deployment))
    organizations = {one.organization.id if one.organization else "" for one in estate.accounts.values()}
    text = deployment_text(deployment, members, trails, organizations.pop() if len(organizations) == 1 else "")
    deployment_in(text.encode(), file, context)
    write_output(spec_file, imported.text)
    write_output(file, text)
    found = summarize(imported, estate, context.console)
    further = _command(file, accounts, by_account)
    if arguments.json:
        written = {"spec": spec_file, "deployment": file, "import": import_to_json(imported, in_file=True)}
        context.console.answer(written | {"trails": to_json(trails), "next": further})
    else:
        context.console.lines(trail_lines(trails))
        context.console.line(f"{spec_file} says who has access now; its mode is observe, so nothing is written")
        context.console.line(f"{file} says what is to be deployed to {count(len(members), 'account')}: read both, then")
        context.console.block(f"  {further}")
    return worst(found, *(trail.exit for trail in trails))


# Who, where


def _answer(
    option: str, given: str | None, question: str, parse: Callable[[str], str], context: Context, *, default: str = ""
) -> str:
    """The value that was given, or what a person at the terminal answers, or else the default; raises UsageError."""
    is_asked = given is None and context.stdin.isatty()
    while True:
        if is_asked:
            context.console.note(f"{question} [{default}]" if default else question)
            given = context.stdin.readline(_LONGEST_ANSWER).decode(errors="replace")
        try:
            return parse((given or "").strip() or default)
        except ArgumentTypeError as error:
            if not (is_asked and given):
                raise UsageError(f"{option}: {error}", remedy="see ecr-warden init --help") from error
            context.console.note(str(error))


def _profiles(context: Context) -> Iterator[str]:
    """Those that a person names, at least one; raises UsageError."""
    question = "The AWS profile of an account, as ALIAS=PROFILE; empty if there is no other:"
    yield _answer("--profile", None, question, _profile, context)
    while profile := _answer("--profile", None, question, str, context):
        yield profile


def _hub(given: str | None, accounts: Sequence[SpecAccount], context: Context) -> tuple[str, str]:
    """The account's ID and the region of the hub; raises UsageError."""
    ids = {one.alias: one.id for one in accounts}
    choices = f"{', '.join(ids)}, or another account's ID"
    form = f"({'|'.join(ids)}|{ACCOUNT_ID.pattern})(/{REGION.pattern})?"
    parse = matching(form, f"is no account: write {choices}, and /REGION if its own is another")
    only = accounts[0].alias if len(accounts) == 1 else ""
    question = f"In which account is the hub to run ({choices}; with /REGION if its own is another)?"
    account, _, region = _answer("--hub-account", given, question, parse, context, default=only).partition("/")
    regions = {one.alias: one.regions[0] for one in accounts}
    return ids.get(account, account), region or regions.get(account, accounts[0].regions[0])


# What is there


def _imported(
    entered: Entered, accounts: Sequence[SpecAccount], arguments: argparse.Namespace, context: Context
) -> tuple[Estate, Imported]:
    """The accounts as they were read, and their spec; raises Failure."""
    ours = ours_given(arguments.ours, ours_of(None))
    readings = readings_in(entered.read_parts(accounts), accounts, context)
    estate = estate_from(snapshot_in(readings, context), None, context)
    unread = [f"{one.what}: {one.why}" for account in estate.accounts.values() for one in account.unread]
    if unread and not any((*estate.identities(), *estate.repositories())):
        raise Failure(
            f"nothing could be read of {listed([one.alias for one in accounts], 3)}, so no file is written",
            code="no-account-readable",
            remedy="docs/import.md#1-import says what reading takes",
            lines=tuple(first(unread, _UNREAD_SHOWN, "part")),
        )
    with context.console.doing("importing"):
        aliases = {one.id: one.alias for one in accounts}
        return estate, import_estate(estate, aliases, now=context.clock.now(), ours=ours)


def _trails(entered: Entered, members: Sequence[MemberAccount], context: Context) -> tuple[SeenTrail, ...]:
    places = [(member.id, region) for member in members for region in member.event_regions]
    seen = (SeenTrail.of(*place, entered.trail(*place)) for place in places)
    return tuple(context.console.progress(seen, of=len(places), doing="looking for trails"))


def _in_the_way(entered: Entered, deployment: Deployment) -> Iterator[str]:
    """The doubts about the hub, as far as its account was entered."""
    yield from doubts(deployment)
    try:
        if why := shortage(deployment, entered.executions(deployment.hub_account, deployment.hub_region)):
            yield f"{why}; {MORE_EXECUTIONS.format(deployment.hub_region)}"
    except Failure as failure:
        yield f"whether enough functions may run at once is not known: {failure}"


def _command(file: str, accounts: Sequence[SpecAccount], profiles: Mapping[str, str]) -> str:
    """The next commands, with the same profiles."""
    options = [word for one in accounts for word in ("--profile", f"{one.alias}={profiles[one.id]}")]
    return shlex.join(["ecr-warden", "deploy", *([] if file == DEFAULT_FILE else [file]), *options])


INIT = Verb(
    "ecr-warden init --profile ci=ci-admin --profile registry=registry-admin \\\n"
    "    --hub-account ci --email team@example.com",
    (
        argument(
            "--profile",
            metavar="[ALIAS=]PROFILE",
            action="append",
            default=[],
            help="the AWS profile of an account, and what to call the account; once per account",
        ),
        argument(
            "--region",
            metavar="REGION",
            action="append",
            default=[],
            help="a region to read repositories in; may be repeated; default: each profile's own",
        ),
        argument(
            "--hub-account",
            metavar="ACCOUNT[/REGION]",
            help="where the hub is to run: an alias, or another account's ID; its region is by default its profile's",
        ),
        argument("--email", metavar="ADDRESS", type=_email, help="who gets alerts and alarms"),
        argument("--webhook", metavar="PLACE", type=_webhook, help="where the URL of a chat's webhook is stored"),
        argument(
            "--assume-role", metavar="ROLE", type=_role, help="the role by which people enter each account to deploy"
        ),
        ours_argument("these accounts"),
        argument("-o", "--output", metavar="DIRECTORY", default=".", help="of both files; default: this one"),
    ),
    _run,
    "Reads the accounts as import does, and writes two files for git, both new: access.yaml, the spec of what is there "
    "in mode observe, and ecr-warden.yaml, what is to be deployed. It says which trail reports the changes of each "
    "region. At a terminal it asks for what no option says. Exit code 0 if all is well, 2 if enforcing the spec would "
    "change access or a region has no trail, 1 if something was not read.",
)
