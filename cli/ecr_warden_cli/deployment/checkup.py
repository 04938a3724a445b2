"""What is wrong with a deployment, judged from what was looked at: in groups, each with a verdict.

What the hub and its wiring are like is judged by `status` and the sweeps (hub.status, collect.wiring); here it gets its
group and the command that repairs it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from enum import StrEnum
from shlex import quote
from typing import Any

from msgspec import Struct

from ecr_warden import __version__
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring_verdicts import OWN_POLICIES, PENDING
from ecr_warden.core.desired import Mode
from ecr_warden.core.failures import RegionDisabled
from ecr_warden.core.lasting import duration
from ecr_warden.core.own_access import Writes
from ecr_warden.core.remedies import RECONCILE
from ecr_warden.core.value import Moment, Value
from ecr_warden.hub.reply import StatusReply, Trouble
from ecr_warden.hub.status import troubles_of
from ecr_warden_cli.deployment.change_text import resource_line
from ecr_warden_cli.deployment.compare import Compared
from ecr_warden_cli.deployment.ports import LiveStack
from ecr_warden_cli.deployment.remedies import MORE_EXECUTIONS, UNSEEN
from ecr_warden_cli.deployment.stacks import EVENTS, HUB, ORGANIZATION, shortage
from ecr_warden_cli.deployment.wanted import CHANNEL_NAMES, Deployment
from ecr_warden_cli.terminal.console import Exit, worst
from ecr_warden_cli.terminal.context import Failure
from iam_access.arn import iam_arn
from iam_access.gather import gather
from iam_access.text.printable import count, listed, show_time


class Group(StrEnum):
    """What a diagnosis is about, in the order in which one thing rests on the other."""

    LAPTOP = "laptop"
    IDENTITIES = "identities"
    TRAIL = "trail"
    HUB = "hub"
    MEMBERS = "members"
    EVENTS = "events"
    SPEC = "spec"
    CHANNELS = "channels"
    UNREAD = "not read"


class Verdict(StrEnum):
    """How grave it is."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Diagnosis(Value, frozen=True):
    """One thing that is wrong or unknown, and what repairs it."""

    code: str
    verdict: Verdict
    message: str
    command: str = ""
    """What repairs it, to be copied; "" where no single command does."""
    remedy: str = ""
    since: Moment | None = None
    about: tuple[Group, ...] = ()
    also: tuple[str, ...] = ()
    """Other parts of the wiring that are alike."""
    statement: Mapping[str, Any] | None = None
    """What to add to a policy of whoever looked, so that it can be read."""


class GroupOf(Value, frozen=True):
    """A group, with its diagnoses, or else what is known of it."""

    group: Group
    verdict: Verdict
    facts: str
    diagnoses: tuple[Diagnosis, ...]


class Checkup(Value, frozen=True):
    """The groups in order."""

    groups: tuple[GroupOf, ...]

    def exit(self, *, strict: bool) -> Exit:
        """ERROR if something could not be looked at, DIFFERENT if something is wrong or, if `strict`, a warning."""
        return worst(*(_EXITS[group.verdict] for group in self.groups if strict or group.verdict != Verdict.WARNING))


_EXITS = {
    Verdict.FINE: Exit.FINE,
    Verdict.WARNING: Exit.DIFFERENT,
    Verdict.WRONG: Exit.DIFFERENT,
    Verdict.UNKNOWN: Exit.ERROR,
}


class Looks(Struct, frozen=True):
    """What was looked at."""

    version: str
    """Of the command, and of Python."""
    hub: StatusReply | Failure
    """What the hub says of itself."""
    deployment: Deployment | Failure
    skew: timedelta | Failure = timedelta()
    """By how much AWS's clock is ahead of this machine's."""
    entered: Mapping[str, str | Failure] = {}
    """The ARN by which each account of the deployment was entered, by ID."""
    stack: LiveStack | Failure | None = None
    """The hub's, which is only looked at where the hub does not answer or has not looked at everything."""
    wires: tuple[Wire, ...] = ()
    """What was looked at with a person's own credentials, because the hub did not."""
    secrets: Mapping[str, bool | Failure] = {}
    """Whether the secret of a channel is where the deployment says, by the channel's field."""
    compared: Compared | Failure | None = None
    """With the release; None if that is not wanted, or nothing is deployed."""
    executions: int | Failure | None = None
    """How many functions may run at once where the hub is; None where nobody may ask."""

    @property
    def status(self) -> StatusReply | None:
        """What the hub says, if it says anything."""
        return self.hub if isinstance(self.hub, StatusReply) else None


_DEPLOY, _APPLY = "ecr-warden deploy", "ecr-warden apply access.yaml"
CODES: Mapping[str, tuple[Group, Verdict, str]] = {
    "clock-wrong": (Group.LAPTOP, Verdict.WRONG, "sudo timedatectl set-ntp true"),
    "clock-unread": (Group.LAPTOP, Verdict.UNKNOWN, ""),
    "deployment-unreadable": (Group.LAPTOP, Verdict.WRONG, "ecr-warden init"),
    "deployment-invalid": (Group.LAPTOP, Verdict.WRONG, ""),
    "not-entered": (Group.IDENTITIES, Verdict.UNKNOWN, ""),
    RegionDisabled.code: (Group.IDENTITIES, Verdict.WRONG, ""),
    "wiring-cut": (Group.HUB, Verdict.WRONG, ""),
    "wiring-unread": (Group.HUB, Verdict.UNKNOWN, ""),
    "wiring-outdated": (Group.MEMBERS, Verdict.WARNING, _DEPLOY),
    "role-bounded": (Group.MEMBERS, Verdict.WARNING, ""),
    "events-undelivered": (Group.EVENTS, Verdict.WARNING, ""),
    "heartbeat-missing": (Group.EVENTS, Verdict.WRONG, ""),
    "not-deployed": (Group.HUB, Verdict.WRONG, _DEPLOY),
    "hub-unreachable": (Group.HUB, Verdict.WRONG, _DEPLOY),
    "hub-failed": (Group.HUB, Verdict.WRONG, ""),
    "hub-unintelligible": (Group.HUB, Verdict.WRONG, ""),
    "versions-differ": (Group.HUB, Verdict.WRONG, ""),
    "hub-denied": (Group.HUB, Verdict.UNKNOWN, ""),
    "hub-unknown": (Group.HUB, Verdict.UNKNOWN, ""),
    "stack-differs": (Group.HUB, Verdict.WRONG, _DEPLOY),
    "drift-unread": (Group.HUB, Verdict.UNKNOWN, ""),
    "code-differs": (Group.HUB, Verdict.WRONG, _DEPLOY),
    "function-limited": (Group.HUB, Verdict.WRONG, ""),
    "few-executions": (Group.HUB, Verdict.WARNING, ""),
    "executions-unread": (Group.HUB, Verdict.UNKNOWN, ""),
    "letters-kept": (Group.HUB, Verdict.WARNING, ""),
    "stack-left": (Group.EVENTS, Verdict.WARNING, ""),
    "not-in-file": (Group.MEMBERS, Verdict.WARNING, ""),
    "not-compared": (Group.HUB, Verdict.WARNING, ""),
    "writes-stopped": (Group.HUB, Verdict.WARNING, "ecr-warden start"),
    "jobs-waiting": (Group.HUB, Verdict.WARNING, ""),
    "jobs-stuck": (Group.HUB, Verdict.WRONG, ""),
    "queues-unread": (Group.HUB, Verdict.UNKNOWN, ""),
    "repairs-left-over": (Group.HUB, Verdict.WARNING, "ecr-warden reconcile"),
    "sweep-overdue": (Group.HUB, Verdict.WRONG, "aws logs tail /aws/lambda/ecr-warden-collect --since 1h"),
    "access-unaudited": (Group.HUB, Verdict.WARNING, ""),
    "audit-failed": (Group.HUB, Verdict.WRONG, "aws logs tail /aws/lambda/ecr-warden-audit --since 1h"),
    "access-unread": (Group.MEMBERS, Verdict.UNKNOWN, _DEPLOY),
    "names-taken": (Group.MEMBERS, Verdict.WRONG, ""),
    "nothing-writable": (Group.MEMBERS, Verdict.WARNING, ""),
    "still-writable": (Group.MEMBERS, Verdict.WRONG, ""),
    "nothing-accepted": (Group.SPEC, Verdict.WRONG, _APPLY),
    "spec-missing": (Group.SPEC, Verdict.WRONG, _APPLY),
    "spec-unversioned": (Group.SPEC, Verdict.WRONG, _DEPLOY),
    "spec-too-large": (Group.SPEC, Verdict.WRONG, ""),
    "spec-refused": (Group.SPEC, Verdict.WRONG, _APPLY),
    "spec-not-accepted": (Group.SPEC, Verdict.WARNING, _APPLY),
    "spec-pending": (Group.SPEC, Verdict.WARNING, ""),
    "spec-unread": (Group.SPEC, Verdict.UNKNOWN, ""),
    "held": (Group.SPEC, Verdict.WARNING, "ecr-warden held"),
    "sessions-go-on": (Group.SPEC, Verdict.WARNING, ""),
    "e-mail-unconfirmed": (Group.CHANNELS, Verdict.WRONG, ""),
    "webhook-missing": (Group.CHANNELS, Verdict.WRONG, ""),
    "webhook-unread": (Group.CHANNELS, Verdict.UNKNOWN, ""),
    "pagerduty-missing": (Group.CHANNELS, Verdict.WRONG, ""),
    "pagerduty-unread": (Group.CHANNELS, Verdict.UNKNOWN, ""),
    "no-channel": (Group.CHANNELS, Verdict.WARNING, ""),
    "messages-wait": (Group.CHANNELS, Verdict.WARNING, ""),
}
"""Each code that a diagnosis can have: its group, its verdict and its command, unless the wire that it is about says
another. docs/schema/doctor.md explains each; none is used again for something else."""

_BY_HAND = (
    "deploy has just run: what the next sweep still finds is to be changed back by hand, to what ecr-warden deploy "
    "--emit DIR writes: docs/security.md#restoring-the-member-stack"
)
_SKEW_REFUSED, _SKEW_WARNED = timedelta(minutes=5), timedelta(minutes=1)
"""AWS refuses a signature whose time is further off than the first."""
_SHOWN = 3


def diagnose(looks: Looks) -> Checkup:
    """What is wrong or unknown, in groups."""
    deployed = _is_deployed(looks)
    own = [*troubles_of(looks.wires)]
    ours = [one for one in own if deployed is not False or not _is_to_come(one)]
    # What was looked at now counts, where the hub has looked too.
    seen, status = {wire.name for wire in looks.wires}, looks.status
    theirs = [one for one in (status.troubles if status else ()) if one.wire is None or one.wire.name not in seen]
    found = [
        *_of_laptop(looks),
        *_of_accounts(looks),
        *_of_hub(looks, deployed=deployed),
        *_of_troubles(theirs, looks, by_hub=True),
        *_of_troubles(ours, looks, by_hub=False),
        *_of_boundaries(looks.deployment, (*theirs, *own)),
        *(_of_buckets(looks.wires) if deployed is False else ()),
    ]
    if not isinstance(looks.deployment, Failure):
        found += [
            *_of_comparison(looks, looks.deployment.hub_region),
            *(_of_left(looks.deployment, status) if status is not None else ()),
            *(_of_writes(looks.deployment, status) if status is not None else ()),
            *_of_executions(looks.deployment, looks.executions),
            *_of_channels(looks.deployment, looks.secrets),
        ]
    groups = [_group(group, found, facts) for group, facts in _facts(looks, deployed).items()]
    unknown = tuple(one for one in found if one.verdict is Verdict.UNKNOWN)
    is_open = any(group.verdict is Verdict.UNKNOWN for group in groups) or bool(unknown)
    facts = "what was not looked at" if is_open else "everything was read"
    if status is not None and status.watched:
        facts += f"; what changed in the members since {show_time(min(status.watched.values()))} the next sweep sees"
    return Checkup((*groups, GroupOf(Group.UNREAD, Verdict.UNKNOWN if is_open else Verdict.FINE, facts, unknown)))


def deployed(checkup: Checkup, refused: Collection[str]) -> Checkup:
    """The same for whoever has just deployed: what CloudFormation does not see, another deployment repairs no more.

    `refused`: the accounts to which nothing was deployed.
    """

    def said(one: Diagnosis) -> Diagnosis:
        return replace(one, command="", remedy=_BY_HAND) if one.command.startswith(_DEPLOY) and not refused else one

    return Checkup(tuple(replace(one, diagnoses=tuple(map(said, one.diagnoses))) for one in checkup.groups))


def _group(group: Group, found: Sequence[Diagnosis], facts: str) -> GroupOf:
    """A group with its diagnoses; what is unknown stands in the last group, and leaves those that it is about open."""
    known = tuple(one for one in found if one.verdict is not Verdict.UNKNOWN and one.about[0] is group)
    if known:
        is_wrong = any(one.verdict is Verdict.WRONG for one in known)
        return GroupOf(group, Verdict.WRONG if is_wrong else Verdict.WARNING, "", known)
    if any(group in one.about for one in found):
        return GroupOf(group, Verdict.UNKNOWN, f"see {Group.UNREAD}", ())
    return GroupOf(group, Verdict.FINE if facts else Verdict.UNKNOWN, facts or "not looked at", ())


def _is_deployed(looks: Looks) -> bool | None:
    if isinstance(looks.hub, StatusReply) or looks.hub.code == _NOTHING or isinstance(looks.stack, LiveStack):
        return True
    return None if isinstance(looks.stack, Failure) or isinstance(looks.deployment, Failure) else False


_NOTHING, _NOT_ENTERED = "nothing-accepted", "not-entered"


def unwatched(deployment: Deployment, status: StatusReply | None) -> Mapping[str, tuple[str, ...]]:
    """The accounts of which the hub has not looked at everything, by ID, with the regions whose events it awaits."""
    watched = {} if status is None else status.watched
    return {
        member.id: member.event_regions
        for member in deployment.members
        if not {member.id, *(f"{member.id}/{region}" for region in member.regions)} <= watched.keys()
    }


# ---------------------------------------------------------------- what was looked at beside the hub


def _of_laptop(looks: Looks) -> Iterator[Diagnosis]:
    if isinstance(looks.deployment, Failure):
        yield _of_failure(looks.deployment)
    if isinstance(looks.skew, Failure):
        yield _of_failure(looks.skew, "clock-unread")
    elif abs(looks.skew) > _SKEW_WARNED:
        by = duration(round(abs(looks.skew).total_seconds()))
        way = "behind" if looks.skew > timedelta() else "ahead of"
        yield _diagnosis(
            "clock-wrong",
            f"this machine's clock is {by} {way} AWS's, which refuses what is signed more than 5 min off",
            "set the clock, and keep it set by NTP",
            verdict=Verdict.WRONG if abs(looks.skew) > _SKEW_REFUSED else Verdict.WARNING,
        )


def _of_accounts(looks: Looks) -> Iterator[Diagnosis]:
    """The accounts that could not be entered and that the hub does not look at."""
    if isinstance(looks.deployment, Failure):
        return
    needed = {*unwatched(looks.deployment, looks.status), *(() if looks.status else (looks.deployment.hub_account,))}
    refused = [how for account, how in looks.entered.items() if isinstance(how, Failure) and account in needed]
    if refused:
        yield replace(
            _of_failure(refused[0], _NOT_ENTERED),
            about=(Group.IDENTITIES, Group.TRAIL, Group.MEMBERS, Group.EVENTS),
            also=tuple(failure.message for failure in refused[1:]),
        )


def _of_hub(looks: Looks, *, deployed: bool | None) -> Iterator[Diagnosis]:
    """Why the hub does not say how it is, or cannot be looked at; of another version it may lack what is asked next."""
    if isinstance(looks.hub, StatusReply) and looks.hub.hub_version != __version__:
        theirs = looks.hub.hub_version or "of an unknown version"
        yield _diagnosis(
            "versions-differ",
            f"the hub is ecr-warden {theirs}, and this command {__version__}",
            "bring the older one to the newer: ecr-warden deploy, or pipx upgrade ecr-warden",
            verdict=Verdict.WARNING,
        )
    if deployed is False:
        yield _diagnosis("not-deployed", "there is no hub yet", "deploy it")
        return
    for failure in (looks.hub, looks.stack):
        # An account that was not entered is among the accounts.
        if isinstance(failure, Failure) and failure.code != _NOT_ENTERED:
            found = _of_failure(failure)
            yield replace(found, command="ecr-warden held") if "ecr-warden held" in failure.message else found


def _of_failure(failure: Failure, code: str = "") -> Diagnosis:
    code = code or (failure.code if failure.code in CODES else "hub-unknown")
    message = ": ".join((failure.message, *failure.lines[:1]))
    remedy, also = "" if failure.lines else failure.remedy, tuple(failure.lines[1:])
    return _diagnosis(code, message, remedy, also=also, statement=_statement([failure.message]))


def _of_writes(deployment: Deployment, status: StatusReply) -> Iterator[Diagnosis]:
    """Where the file lets nobody write: who may all the same, by what is deployed, or that nothing is repaired.

    A version that was accepted while there were roles that write goes on without them.
    """
    if status.writable is None:
        return
    units, members = deployment.organization, {one.id: one.writes for one in deployment.members}
    if {*members.values(), *([units.writes] if units and units.units else [])} != {Writes.NONE}:
        return
    there = [account for account in status.writable if account in members or (units and units.units)]
    for accounts, command in ((there, f"{_DEPLOY} --read-only"), ({*status.writable} - {*there}, "")):
        if accounts:
            message = f"{listed(sorted(accounts), _SHOWN)} may let ecr-warden write, as the hub last found it deployed"
            remedy = (
                f"write it under accounts: in ecr-warden.yaml, or the organization: that had it, then {_DEPLOY} "
                "--read-only; or delete its stack ecr-warden-member in us-east-1, and for an organization's accounts "
                "ecr-warden-organization"
            )
            yield _diagnosis("still-writable", message, remedy, command=command)
    if not status.writable and status.mode is Mode.ENFORCE and members.keys() <= status.watched.keys():
        message = "the spec says mode: enforce, and no account lets ecr-warden write: what differs is not repaired"
        remedy = (
            f"change writes in ecr-warden.yaml and ecr-warden deploy without --read-only, then {RECONCILE}, or apply "
            "mode: observe"
        )
        yield _diagnosis("nothing-writable", message, remedy)


def _of_comparison(looks: Looks, region: str) -> Iterator[Diagnosis]:
    """What differs from the release, which CloudFormation and these credentials show."""
    compared, status = looks.compared, looks.status
    if failures := [compared] if isinstance(compared, Failure) else compared.unread if compared is not None else ():
        first, *others = dict.fromkeys(failure.message for failure in failures)
        which = "some" if isinstance(compared, Compared) else "the"
        message = f"{which} stacks were not compared with the release, but for what the hub looks at: {first}"
        remedy = failures[0].remedy or "ask with the deployer's policies, which ecr-warden deploy --emit DIR writes"
        yield _diagnosis("not-compared", message, remedy, also=tuple(others), statement=_statement([first, *others]))
    if not isinstance(compared, Compared):
        return
    verdict = Verdict.WARNING if status is not None and status.hub_version != __version__ else Verdict.WRONG
    for step in compared.steps:
        lines = [line.format(step.wanted.place.account) for line in (*step.resources(), *step.rights())]
        yield _diagnosis(
            "stack-differs",
            f"deploy would change it: {'; '.join(lines)}",
            verdict=verdict,
            about=(_OF_STACK.get(step.wanted.template, Group.MEMBERS),),
            also=tuple(f"{one.logical_id} ({one.type})" for one in step.changes),
        )
    for one in compared.unseen:
        yield _diagnosis("drift-unread", UNSEEN.format(one), "read it with the deployer's policies, or in the console")
    yield from _of_functions(compared, region)
    for queue, many in compared.letters.items():
        remedy = "whoever operates the hub reads why, and purges the queue: docs/safety.md#what-to-do"
        yield _diagnosis("letters-kept", f"{queue} keeps {count(many, 'message')} that nobody could process", remedy)
    for place, differs in compared.left.items():
        changed = "" if differs is None else f", not as released ({resource_line(differs.changes)})"
        message = f"{place} is there{changed}, and ecr-warden.yaml has it no longer: delete it there, or add it again"
        yield _diagnosis(
            "stack-left",
            message,
            command=f"aws cloudformation delete-stack --region {place.region} --stack-name {place.name}",
        )


def _of_functions(compared: Compared, region: str) -> Iterator[Diagnosis]:
    yield from (_diagnosis("code-differs", said) for said in compared.code)
    for name in compared.stopped:
        yield _diagnosis(
            "function-limited",
            f"the concurrent executions of {name} are limited, so that others keep it waiting or it never runs",
            command=f"aws lambda delete-function-concurrency --region {region} --function-name {name}",
        )


def _of_executions(deployment: Deployment, limit: int | Failure | None) -> Iterator[Diagnosis]:
    if isinstance(limit, Failure):
        yield _of_failure(limit, "executions-unread")
    elif limit is not None and (why := shortage(deployment, limit)):
        yield _diagnosis("few-executions", why, command=MORE_EXECUTIONS.format(deployment.hub_region))


_OF_STACK = {HUB: Group.HUB, EVENTS: Group.EVENTS, ORGANIZATION: Group.MEMBERS}


def _of_left(deployment: Deployment, status: StatusReply) -> Iterator[Diagnosis]:
    """What the accepted spec names and the file has no longer: no deployment looks at it."""
    units = deployment.organization
    named = {part for one in deployment.members for part in (one.id, *(f"{one.id}/{r}" for r in one.regions))}
    if (left := sorted(status.watched.keys() - named)) and not (units is not None and units.units):
        yield _diagnosis(
            "not-in-file",
            f"the accepted spec names {listed(left, _SHOWN)}, and ecr-warden.yaml does not",
            "whoever deploys adds it to ecr-warden.yaml, or whoever owns the spec takes it out there, and whoever "
            "administers an account that the file does not name, where nothing was compared, deletes ecr-warden-events "
            "in each region, then ecr-warden-member",
        )


def _of_channels(deployment: Deployment, secrets: Mapping[str, bool | Failure]) -> Iterator[Diagnosis]:
    for channel, found in secrets.items():
        if isinstance(found, Failure):
            yield _of_failure(found, f"{channel}-unread")
        elif not found:
            kind, _, name = deployment.secrets[channel].partition(":")
            yield _diagnosis(
                f"{channel}-missing",
                f"there is no {deployment.secrets[channel]}, where the secret of {CHANNEL_NAMES[channel]} should be",
                _BY_FILE,
                command=_STORE[kind].format(name=name, region=deployment.hub_region, file=f"{channel}.txt"),
            )
    if not (deployment.email or deployment.secrets):
        yield _diagnosis(
            "no-channel",
            "nobody hears of anything: there is neither an e-mail address nor a webhook nor PagerDuty",
            _ALERTS,
        )


_BY_FILE = "store the webhook's URL or PagerDuty's key; a file keeps it out of the shell's history"
_ALERTS = "add alerts: to ecr-warden.yaml, and deploy"
_STORE = {
    "ssm": "aws ssm put-parameter --region {region} --type SecureString --name {name} --value file://{file}",
    "secretsmanager": "aws secretsmanager create-secret --region {region} --name {name} --secret-string file://{file}",
}


def _diagnosis(code: str, message: str, remedy: str = "", **more: Any) -> Diagnosis:
    """`more`: other fields than the code's own."""
    group, verdict, command = CODES[code]
    return replace(Diagnosis(code, verdict, message, command, remedy, about=(group,)), **more)


# ---------------------------------------------------------------- what the hub, or the wiring, shows


def _of_troubles(troubles: Iterable[Trouble], looks: Looks, *, by_hub: bool) -> Iterator[Diagnosis]:
    """One diagnosis for all parts of the wiring in one account that are alike; `by_hub`: the hub has looked."""

    def alike(trouble: Trouble) -> object:
        wire = trouble.wire
        return trouble if wire is None else _kind(trouble.code, wire, _command(wire, looks))

    # A stack comes before what it is made of.
    ordered = sorted(troubles, key=lambda one: one.wire is not None and not one.wire.name.startswith("stack "))
    for found in gather((alike(trouble), trouble) for trouble in ordered).values():
        wires = [one.wire for one in found if one.wire is not None]
        yield _of_trouble(found[0], wires, _command(wires[0], looks) if wires else "", by_hub=by_hub)


def _of_trouble(trouble: Trouble, wires: Sequence[Wire], command: str, *, by_hub: bool) -> Diagnosis:
    diagnosis = _diagnosis(trouble.code if trouble.code in CODES else "hub-unknown", trouble.message, trouble.remedy)
    if not wires:
        return diagnosis
    if wires[0].why == PENDING:
        diagnosis = replace(diagnosis, verdict=Verdict.WARNING, remedy=_FOLLOW)
    return replace(
        diagnosis,
        command=_DEPLOY if by_hub and trouble.code == _UNREAD else command,
        since=min((wire.since for wire in wires if wire.since is not None), default=None),
        about=tuple(dict.fromkeys(map(_group_of, wires))),
        also=tuple(wire.name for wire in wires[1:]),
        statement=None if by_hub else _statement(wire.why for wire in wires),
    )


_UNREAD = "wiring-unread"
_FOLLOW = (
    "whoever reads that address follows the link in the mail of AWS; aws sns subscribe sends another: docs/safety.md"
)


def _kind(code: str, wire: Wire, command: str) -> object:
    """The same for what is said in one line: of one account, unless a release made every stack outdated."""
    account = "" if wire.state is WireState.OUTDATED else _place(wire)[0]
    return code, command, account, None if wire.state is WireState.UNREADABLE else _group_of(wire)


_PLACE = re.compile(r"\b([0-9]{12})(?:(?: in |/)([a-z]{2}[a-z-]+-[0-9]))?$")


def _place(wire: Wire) -> tuple[str, str]:
    """The member's account and region, "" for what is the hub's."""
    found = _PLACE.search(wire.name)
    return ("", "") if found is None else (found[1], found[2] or "")


def _group_of(wire: Wire) -> Group:
    account, region = _place(wire)
    if wire.mark.endswith(RegionDisabled.code):
        return Group.IDENTITIES
    return _GROUPS.get(wire.name.partition(" ")[0], Group.EVENTS if region else Group.MEMBERS if account else Group.HUB)


def _is_to_come(trouble: Trouble) -> bool:
    """Whether it is missing as nothing is deployed yet, or is of a bucket that is in the way, which is said as such."""
    wire = trouble.wire
    return wire is not None and (
        wire.name.startswith(_VERSIONING)
        if wire.state is WireState.DISABLED
        else wire.state is WireState.MISSING and _group_of(wire) is not Group.TRAIL
    )


_VERSIONING = "versioning of s3://"


_GROUPS = {"trail": Group.TRAIL, "e-mail": Group.CHANNELS}
_STOPPED = re.compile(r"([\w.-]+) of ([a-z0-9-]+) does not log")


def _command(wire: Wire, looks: Looks) -> str:
    """What repairs a part of the wiring; "" where no single command does."""
    match wire.state:
        case WireState.UNREADABLE if wire.mark.endswith(RegionDisabled.code):
            return f"aws account enable-region --region-name {_place(wire)[1]}"
        case WireState.DISABLED if (stopped := _STOPPED.search(wire.why)) is not None:
            return f"aws cloudtrail start-logging --region {stopped[2]} --name {stopped[1]}"
        case WireState.UNCONFIRMED if isinstance(looks.deployment, Deployment) and wire.why != PENDING:
            region, topic = looks.deployment.hub_region, wire.name.rpartition(" ")[2]
            arn = f"arn:aws:sns:{region}:{looks.deployment.hub_account}:{topic}"
            to = f"--protocol email --notification-endpoint {quote(looks.deployment.email)}"
            return f"aws sns subscribe --region {region} --topic-arn {arn} {to}"
        case WireState.MISSING | WireState.DISABLED | WireState.TARGETLESS | WireState.CHANGED | WireState.OUTDATED:
            return "" if wire.name.startswith("trail ") else _DEPLOY
        case _:
            return ""


def _of_boundaries(deployment: Deployment | Failure, troubles: Iterable[Trouble]) -> Iterator[Diagnosis]:
    """Boundaries that stacks left in accounts of units; `deploy` takes over those of accounts with stacks of their own.

    All that is not off is there.
    """
    if isinstance(deployment, Failure) or deployment.organization is None or not deployment.organization.units:
        return
    off = {trouble.wire.name: trouble.wire.state for trouble in troubles if trouble.wire is not None}
    own = {deployment.hub_account, *(member.id for member in deployment.members)}
    for name, state in off.items():
        account = name.removeprefix("stack of the member ")
        boundary = OWN_POLICIES["Boundary"]
        is_left = state is WireState.MISSING and f"policy {boundary} in {account}" not in off
        if account in (name, *own) or not is_left:
            continue
        message = (
            f"policy {boundary} is there in {account} without its stack, which fails with AlreadyExists; with "
            f"credentials of {account} delete it, unless aws iam list-entities-for-policy names a role that uses it"
        )
        arn = iam_arn(account, f"policy/ecr-warden/{boundary}")
        yield _diagnosis("names-taken", message, command=f"aws iam delete-policy --policy-arn {arn}")


def _of_buckets(wires: Iterable[Wire]) -> Iterator[Diagnosis]:
    """The buckets that an earlier hub left, and that a new one would make again."""
    for wire in wires:
        if wire.name.startswith(_VERSIONING) and wire.state in (WireState.ON, WireState.DISABLED):
            bucket = wire.name.rpartition("/")[2]
            yield _diagnosis(
                "names-taken",
                f"bucket {bucket} is there without a hub, which fails with AlreadyExists",
                "ecr-warden remove empties and deletes it",
                about=(Group.HUB,),
            )


# ---------------------------------------------------------------- what was not allowed

_DENIED = re.compile(r"(?:not authorized to perform:|AWS denied) ([a-z0-9-]+:[A-Za-z]+)")


def _statement(messages: Iterable[str]) -> Mapping[str, Any] | None:
    """What allows the calls that AWS denied, as far as a statement can; an explicit Deny stays."""
    allowing = [text for text in messages if "explicit deny" not in text]
    actions = {action for text in allowing for action in _DENIED.findall(text)}
    return {"Effect": "Allow", "Action": tuple(sorted(actions)), "Resource": "*"} if actions else None


# ---------------------------------------------------------------- where all is well


def _facts(looks: Looks, deployed: bool | None) -> Mapping[Group, str]:
    """What is known of each group; "" where nothing was looked at."""
    status = looks.status
    trails = [_place(wire)[0] for wire in looks.wires if wire.name.startswith("trail ")]
    watched = {*trails, *(part.partition("/")[0] for part in (status.watched if status is not None else ()))}
    accounts = count(len(watched), "account")
    hub = "" if status is None else f"ecr-warden {status.hub_version}: "
    nothing = "not deployed yet" if deployed is False else ""
    trail = "; ".join((f"the calls of {accounts} are reported", *(() if status is None else status.notes)))
    return {
        Group.LAPTOP: looks.version,
        Group.IDENTITIES: _identities(looks),
        Group.TRAIL: trail if watched else "",
        Group.HUB: nothing or (f"{hub}it answers, and is as {_compared(looks.compared)}" if deployed else ""),
        Group.MEMBERS: nothing or (f"the roles and the boundary of {accounts} are as deployed" if watched else ""),
        Group.EVENTS: nothing or (f"the rules of {accounts} are as deployed" if watched else ""),
        Group.SPEC: nothing or ("" if status is None else f"version {status.version} is in force, mode {status.mode}"),
        Group.CHANNELS: "" if deployed is None else _channels(looks.deployment),
    }


def _compared(found: Compared | Failure | None) -> str:
    """How far it was compared, and with what."""
    if not isinstance(found, Compared):
        return "deployed, as far as it sees itself"
    functions = count(found.functions, "function")
    return f"released: {count(found.stacks, 'stack')}, by change sets, and the code of {functions}"


def _identities(looks: Looks) -> str:
    entered = [f"{account} as {how}" for account, how in looks.entered.items() if isinstance(how, str)]
    others = len(looks.entered) - len(entered)
    said = listed(entered, _SHOWN, separator="; ")
    return f"{said}; the hub alone looks at {count(others, 'other account')}" if others else said


def _channels(deployment: Deployment | Failure) -> str:
    if isinstance(deployment, Failure):
        return ""
    return (
        " and ".join((*(["e-mail"] if deployment.email else ()), *map(CHANNEL_NAMES.__getitem__, deployment.secrets)))
        or "none"
    )
