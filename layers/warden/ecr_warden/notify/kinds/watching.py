"""Alerts on what ecr-warden sees and works through: what somebody changed of it, what is off, failed or was lost."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from shlex import quote
from types import NoneType
from typing import Any

from ecr_warden.collect.alerts import EventMissed, LeftOver, Unlisted, WiringChanged
from ecr_warden.collect.wire import HUB_PART, Wire, WireState
from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import BlockedByDeny, Crashed
from ecr_warden.core.job import (
    AcceptSpec,
    AuditAccess,
    FollowClock,
    FollowSwitch,
    Job,
    JudgeVersion,
    NoteHeartbeat,
    Queue,
    ReadForVersion,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
    short_name,
)
from ecr_warden.core.listing import listing
from ecr_warden.core.result import Severity, highest
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.notify import wire_texts
from ecr_warden.notify.incident import ROLL_OUT, Fact
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import Field, MessageState
from ecr_warden.notify.wording import by, command, describe_cause, describe_target, name_of, to_do
from ecr_warden.repair.alerts import COMPILED_SPEC, HarmfulCall, JobFailed, OwnChanged
from iam_access.text.printable import count, show_time


class _OwnChanged(OneByOne[OwnChanged]):
    def severity(self, alert: OwnChanged) -> Severity:
        return Severity.INFO if _is_by_deployment(alert) else Severity.CRITICAL

    def incident(self, alert: OwnChanged) -> str:
        return ROLL_OUT if _is_by_deployment(alert) else super().incident(alert)

    def describe(self, alerts: Sequence[OwnChanged]) -> Parts:
        whole = super().describe(alerts)
        if len(alerts) == 1:
            return whole
        changes = [f"{alert.thing}: {alert.cause.action} by {short_name(alert.cause.actor)}" for alert in alerts]
        advice = dict.fromkeys(line for alert in alerts for line in _advice(alert)[2])
        places = dict.fromkeys(map(_place, alerts))
        where = " and ".join(places) if len(places) <= _PLACES_SHOWN else count(len(places), "account")
        things = {(alert.account, alert.thing) for alert in alerts}
        were = "was" if len(things) == 1 else "were"
        title = f"{count(len(things), 'thing')} that ecr-warden works through {were} changed in {where}"
        title += f", {len(alerts)} times" if len(alerts) > len(things) else ""
        # Where they ask for different things, the gravest stands first.
        fields = whole.fields or self.describe_one(alerts[0]).fields
        return Parts(whole.state, title, fields, [listing("change", changes), listing("line", [*advice])])

    def describe_one(self, alert: OwnChanged) -> Parts:
        asked, then, lines = _advice(alert)
        return Parts(
            MessageState.DONE if _is_by_deployment(alert) else MessageState.OPEN,
            f"{'' if alert.thing.startswith(_CUSTOMERS) else "ecr-warden's own "}{alert.thing} was "
            f"{_DONE.get(alert.cause.action, 'changed')}",
            [by(alert.cause), Field("Where", _place(alert)), to_do(asked), command(then)],
            [listing("line", lines)],
        )


_PLACES_SHOWN = 3


def _is_by_deployment(changed: OwnChanged) -> bool:
    """Whether CloudFormation made the call, as it does when a stack is deployed."""
    actor = changed.cause.actor
    return actor is not None and actor.invoked_by == "cloudformation.amazonaws.com"


def _place(changed: OwnChanged) -> str:
    return f"account {changed.account}" if changed.account else "the hub"


type _Advice = tuple[str, str, Sequence[str]]
"""What to do, the command that helps with it, and why."""
_SEE, _RESTORE = "ecr-warden deploy --plan", "see what differs, then ecr-warden deploy"


def _advice(changed: OwnChanged) -> _Advice:
    if changed.thing.startswith(COMPILED_SPEC):
        line = "Every run reads it, and only accepting a spec writes it: nothing is enforced until it is written again."
        asked = "find out who can write the state bucket, then have the spec compiled again: docs/security.md"
        return asked, "ecr-warden versions", [line]
    if changed.thing.startswith("webhook "):
        return "put the right URL back, as docs/deploy.md says: no stack makes it", "ecr-warden status", _MAY_BLIND
    if changed.thing.startswith(_CUSTOMERS):
        return _of_customers(changed)
    if _is_by_deployment(changed):
        line = "CloudFormation made the call, as it does when the stacks are deployed."
        return f"nothing if somebody deployed the stacks; else {_RESTORE}", _SEE, [line]
    return _RESTORE, _SEE, _MAY_BLIND


_MAY_BLIND = (
    "ecr-warden works through it, and only a deployment of its stacks should change it.",
    "A caller who can change it can use ecr-warden's access or blind it. ecr-warden does not repair it.",
)


_CUSTOMERS = ("trail ", "key ")
"""What ecr-warden needs and did not make."""
_DONE = {
    "cloudtrail:StopLogging": "stopped",
    "cloudtrail:DeleteTrail": "deleted",
    "kms:DisableKey": "disabled",
    "kms:ScheduleKeyDeletion": "scheduled for deletion",
    "events:DisableRule": "disabled",
    "events:DeleteRule": "deleted",
    "cloudformation:DeleteStack": "deleted",
    "sqs:PurgeQueue": "emptied",
    "sqs:DeleteQueue": "deleted",
    "sns:DeleteTopic": "deleted",
    "dynamodb:DeleteTable": "deleted",
    "iam:DeleteRole": "deleted",
}
"""What a call did to the whole of a thing; any other changed it."""
_SEE_NOW = "see what is set now, and set it back if it is not meant"
_CURES = {
    "cloudtrail:StopLogging": ("start it again", "cloudtrail start-logging {} --name {}"),
    "cloudtrail:DeleteTrail": (
        "have a trail report it again: docs/deploy.md#the-trail",
        "cloudtrail describe-trails {}",
    ),
    "cloudtrail:PutEventSelectors": (_SEE_NOW, "cloudtrail get-event-selectors {} --trail-name {}"),
    "kms:DisableKey": ("enable it again", "kms enable-key {} --key-id {}"),
    "kms:ScheduleKeyDeletion": ("keep it, then enable it again", "kms cancel-key-deletion {} --key-id {}"),
}
"""By the call on a trail or key: what to do, and the command for it."""
_SHOWS = {"trail": "cloudtrail get-trail {} --name {}", "key": "kms describe-key {} --key-id {}"}
"""After any other call."""


def _of_customers(changed: OwnChanged) -> _Advice:
    kind, _, rest = changed.thing.partition(" ")
    name, _, region = rest.partition(" in ")
    asked, shown = _CURES.get(changed.cause.action, (_SEE_NOW, _SHOWS[kind]))
    then = shown.format(f"--profile ...{f' --region {region}' if region else ''}", quote(name))
    return asked, f"aws {then}", [_LOST[kind]]


_LOST = {
    "trail": "If no other trail reports the same, nobody sees who changes what, and sweeps alone find it.",
    "key": "If alerts or the spec are encrypted with it, they may not arrive.",
}


_CALLED = {
    "iam:CreateAccessKey": "access key",
    "iam:UpdateAccessKey": "access key",
    "iam:CreateLoginProfile": "password",
    "iam:UpdateLoginProfile": "password",
    "iam:UpdateRole": "longest session",
    "ecr:PutLifecyclePolicy": "lifecycle policy",
    "ecr:DeleteLifecyclePolicy": "lifecycle policy",
    "ecr:PutImageTagMutability": "tag mutability",
    "ecr:DeleteSigningConfiguration": "signing of images",
    "ecr:RegisterPullTimeUpdateExclusion": "record of pulls",
    "iam:CreateSAMLProvider": "SAML provider",
    "iam:UpdateSAMLProvider": "SAML provider",
    "iam:UpdateOpenIDConnectProvider": "OIDC provider",
    "iam:UpdateOpenIDConnectProviderThumbprint": "OIDC provider's certificate",
}
"""What calls that change no document make or change."""


def _of_credentials(user: str, what: str) -> _Advice:
    who = f"--profile ... --user-name {user}"
    then = f"aws iam delete-login-profile {who}"
    if what == "access key":
        then = f"aws iam update-access-key {who} --status Inactive --access-key-id ..."
    line = "Whoever has it can do what the user can. No policy has changed, so no audit shows it."
    return "end it if nobody should have it, for ecr-warden does not", then, [line]


def _of_sessions(role: str) -> _Advice:
    lines = (
        "Sessions of it may last up to 12 hours from now on, also if somebody else opens them. No policy has changed.",
        "ecr-warden does not repair it, for the spec does not name the role.",
    )
    return _SEE_NOW, f"aws iam get-role --profile ... --role-name {role}", lines


def _of_images(target: RepositoryTarget, what: str) -> _Advice:
    where = f"--profile ... --region {target.region}"
    shown = f"aws ecr get-lifecycle-policy {where} --repository-name {target.name}"
    if what == "tag mutability":
        shown = f"aws ecr describe-repositories {where} --repository-names {target.name}"
    lines = (
        "It can do what a push does, without one: images expire, or a tag moves to another image.",
        "ecr-warden does not repair it, for the spec does not say how long images and tags last.",
    )
    return _SEE_NOW, shown, lines


_UNNAMED = "role, user or policy"
_OF_UNNAMED: _Advice = (
    "see whether somebody changed the hub's roles: whether its stack has drifted",
    _SEE,
    (
        "CloudTrail does not say which: it leaves out parameters of more than 100 KB, and nobody needs so long a "
        "policy.",
        "The users and roles of the account are compared with the spec now. The roles of ecr-warden's hub are not.",
    ),
)


def _of_provider(what: str) -> _Advice:
    line = "Whoever has its key can issue what roles that trust the provider take. No policy has changed."
    shown = "list-saml-providers" if what == "SAML provider" else "list-open-id-connect-providers"
    return "see whose it is", f"aws iam {shown} --profile ...", [line]


def _of_registry(region: str, what: str) -> _Advice:
    shown = "get-signing-configuration" if what == "signing of images" else "list-pull-time-update-exclusions"
    line = "It weakens what shows who pushed or pulled. ecr-warden does not repair it, for the spec does not say it."
    return _SEE_NOW, f"aws ecr {shown} --profile ... --region {region}", [line]


def _place_of(call: HarmfulCall | ReportCall) -> str:
    if call.target is not None:
        return describe_target(call.target)
    return f"{call.account} {call.region}" if call.region else f"account {call.account}"


class _HarmfulCall(OneByOne[HarmfulCall]):
    def describe_one(self, alert: HarmfulCall) -> Parts:
        what, done = _CALLED.get(alert.cause.action, _UNNAMED), "changed"
        match alert.target:
            case RepositoryTarget() as target:
                asked, then, lines = _of_images(target, what)
            case RoleTarget() as target:
                asked, then, lines = _of_sessions(target.name)
            case None if alert.region:
                asked, then, lines = _of_registry(alert.region, what)
            case None:
                asked, then, lines = _OF_UNNAMED if what == _UNNAMED else _of_provider(what)
            case user:
                (asked, then, lines) = _of_credentials(user.name, what)
                done = "activated" if alert.cause.action == "iam:UpdateAccessKey" else "made"
        return Parts(
            MessageState.OPEN,
            f"{what} of {name_of(alert.target) if alert.target else _place_of(alert)} was {done}",
            [by(alert.cause), Field("Where", _place_of(alert)), to_do(asked), command(then)],
            [listing("line", lines)],
        )


class _JobFailed(Kind[JobFailed]):
    grade = Severity.CRITICAL

    def incident(self, _alert: JobFailed) -> str:
        # What ends one job usually ends others: a broken deployment, an account that does not answer.
        return "failed-jobs"

    def describe(self, alerts: Sequence[JobFailed]) -> Parts:
        lines = [
            f"{about}: {follows}{f': {alert.error}' if alert.error else ''}"
            for alert in alerts
            for about, follows in [_of_job(alert.job, describe_target)]
        ]
        functions = dict.fromkeys(f"ecr-warden-{alert.queue.function}" for alert in alerts)
        about, follows = _of_job(alerts[0].job, name_of)
        is_kept = any(alert.queue is Queue.REPAIR for alert in alerts)
        asked = f"see why in the log of {' and '.join(functions)} (`failed`, `Task timed out`, or out of memory)"
        return Parts(
            MessageState.FAILED,
            f"{about}: {follows.partition(';')[0]}"
            if len(alerts) == 1
            else f"{len(alerts)} jobs failed on their last attempt",
            [
                *([Field("Kept", _KEPT)] if is_kept else []),
                to_do(f"{asked}{'; then have all compared' if is_kept else ''}"),
                command("ecr-warden reconcile" if is_kept else "ecr-warden status"),
            ],
            [listing("job", list(dict.fromkeys(lines)))],
        )


_KEPT = "repairs in the queue ecr-warden-jobs-dlq (docs/safety.md, Dead letters)"
_UNSWEPT = "some targets were not compared with the spec; the next sweep compares them"
_UNJUDGED = "the next sweep asks again; without one the version is held"
_UNSURVEYED = "who can pull and push is not known anew; the next sweep surveys it again"
_JOBS: Mapping[type, tuple[str, str]] = {
    NoneType: ("a job that cannot be read", "nothing was done"),
    ReconcileTarget: ("{place}", "not known whether it is as the spec says; the next sweep tries again"),
    AcceptSpec: ("the uploaded spec", "it was neither accepted nor refused; the next sweep tries again"),
    SweepAll: ("a sweep", _UNSWEPT),
    SweepIdentities: ("the sweep of the users and roles of {job.account}", _UNSWEPT),
    SweepRepositories: ("the sweep of the repositories of {job.account} in {job.region}", _UNSWEPT),
    SurveyIdentities: ("the survey of the users and roles of {job.account}", _UNSURVEYED),
    SurveyRegistry: ("the survey of the registry of {job.account} in {job.region}", _UNSURVEYED),
    AuditAccess: (
        "the audit of access",
        "who can pull and push is not known anew; the next sweep has it audited again",
    ),
    ReadForVersion: ("a verdict on a version of the spec", _UNJUDGED),
    JudgeVersion: ("a verdict on a version of the spec", _UNJUDGED),
    ReportCall: ("a call on {place}", "it is reported nowhere else"),
    FollowSwitch: ("the stop switch", "a turn of it is not announced; the next sweep looks again"),
    FollowClock: ("what has come due", "it is neither announced nor done; the next tick looks again"),
    NoteHeartbeat: ("a heartbeat of {job.account} in {job.region}", "the next one comes within an hour"),
    ReportOwnChange: ("a change of ecr-warden's own {job.thing} in {place}", "it is reported nowhere else"),
}
"""What a job of each kind is about, and what follows from its failure."""


def _of_job(job: Job | None, name: Callable[[Target], str]) -> tuple[str, str]:
    about, follows = _JOBS[type(job)]
    match job:
        case ReconcileTarget(target=target):
            place = name(target)
        case ReportCall():
            place = _place_of(job)
        case ReportOwnChange(account=account):
            place = account or "the hub"
        case _:
            place = ""
    return about.format(job=job, place=place), follows


class _Unlisted(OneByOne[Unlisted]):
    def severity(self, alert: Unlisted) -> Severity:
        return Severity.CRITICAL if {BlockedByDeny.code, Crashed.code} & {*alert.codes} else Severity.WARNING

    def describe(self, alerts: Sequence[Unlisted]) -> Parts:
        places = count(sum(len(alert.problems) + alert.left_out for alert in alerts), "place")
        whole = super().describe(alerts)
        title = f"{places} cannot be listed: what is there is not known"
        return Parts(MessageState.UNKNOWN, title, whole.fields, whole.sections)

    def describe_one(self, alert: Unlisted) -> Parts:
        return Parts(
            MessageState.UNKNOWN,
            "",
            [
                Field("Meanwhile", "sweeps cannot find there what the spec does not name; events are handled as usual"),
                to_do("let ecr-warden list it, as each place says"),
                command("ecr-warden check"),
            ],
            [listing("place", alert.problems, rest=alert.left_out)],
        )


class _EventMissed(Kind[EventMissed]):
    def describe(self, alerts: Sequence[EventMissed]) -> Parts:
        one = name_of(alerts[0].target) if len(alerts) == 1 else count(len(alerts), "target")
        lines = [
            f"{describe_target(alert.target)}: {' or '.join(alert.calls)}, found at {show_time(alert.found)}"
            for alert in alerts
        ]
        return Parts(
            MessageState.UNKNOWN,
            f"no event says who changed {one}",
            [
                Field("Why", "CloudTrail lost the event, or somebody keeps it from arriving"),
                to_do("see whether trails and rules are on: docs/safety.md, The watcher is watched"),
                command("ecr-warden status"),
            ],
            [listing("call", lines, title="Expected, and not reported within 20 minutes:")],
        )


class _LeftOver(Kind[LeftOver]):
    def describe(self, alerts: Sequence[LeftOver]) -> Parts:
        lines, over = [f"{alert.part}: {alert.over}" for alert in alerts], sum(alert.over for alert in alerts)
        return Parts(
            MessageState.OPEN,
            f"{count(over, 'target')} that {'differs waits' if over == 1 else 'differ wait'} for a repair",
            [
                Field("Why", "left to a later sweep, or asked for and not begun"),
                Field(
                    "Meanwhile",
                    "each sweep asks again, what failed last; after an interval their documents count as they are",
                ),
                to_do("nothing, or have all repaired now"),
                command("ecr-warden reconcile"),
            ],
            [listing("part", lines, title="Where:")],
        )


class _WiringChanged(OneByOne[WiringChanged]):
    def severity(self, alert: WiringChanged) -> Severity:
        return highest([wire_texts.severity(wire) for wire in (*alert.broken, *alert.ended)])

    def facts(self, alert: WiringChanged, news: Fact) -> Sequence[Fact]:
        lasts = replace(news, closed=None, is_news=False)
        return [
            replace(lasts, key=_key(alert, wire), title=wire_texts.sentence(wire), severity=wire_texts.severity(wire))
            for wire in alert.broken
        ]

    def ends(self, alert: WiringChanged) -> Sequence[str]:
        return [_key(alert, wire) for wire in alert.ended]

    def incident(self, alert: WiringChanged) -> str:
        return ROLL_OUT if _is_of_roll_out(alert) else super().incident(alert)

    def describe(self, alerts: Sequence[WiringChanged]) -> Parts:
        whole = super().describe(alerts)
        broken = [wire for alert in alerts for wire in alert.broken]
        rest = sum(alert.left_out[0] for alert in alerts)
        ended = sum(len(alert.ended) + alert.left_out[1] for alert in alerts)
        state = MessageState.OPEN if broken or rest else MessageState.CLOSED
        return Parts(state, _title_of_wiring(broken, rest, ended), whole.fields, whole.sections)

    def describe_one(self, alert: WiringChanged) -> Parts:
        place = "the hub" if alert.part == HUB_PART else alert.part
        remedies = dict.fromkeys(filter(None, map(wire_texts.remedy, alert.broken)))
        broken, ended = alert.left_out
        return Parts(
            MessageState.OPEN,
            "",
            [
                Field("Where", place),
                Field("Found after", describe_cause(alert.cause)),
                to_do(next(iter(remedies), "see docs/safety.md" if alert.broken else "nothing")),
                command("ecr-warden status"),
            ],
            [
                listing("wire", [wire_texts.sentence(wire) for wire in alert.broken], rest=broken),
                listing("remedy", list(remedies)[1:]),
                listing("wire", [wire.name for wire in alert.ended], title="As it should be again:", rest=ended),
            ],
        )


def _key(alert: WiringChanged, wire: Wire) -> str:
    return f"wire/{alert.part}/{wire.name}"


def _is_of_roll_out(alert: WiringChanged) -> bool:
    """Whether stacks of another version were seen, or deployed, and nothing else is new."""
    return all(wire.state is WireState.OUTDATED for wire in alert.broken) and all(
        wire.name.startswith(("stack ", "account ")) for wire in alert.ended
    )


def _title_of_wiring(broken: Sequence[Wire], rest: int, ended: int) -> str:
    if not broken:
        return f"in order again: {count(ended, 'thing')} that ecr-warden works through"
    if len(broken) == 1 and not rest:
        return wire_texts.sentence(broken[0])
    return f"{len(broken) + rest} things that ecr-warden works through are not as they should be"


WATCHING: Mapping[type[Alert], Kind[Any]] = {
    OwnChanged: _OwnChanged(),
    HarmfulCall: _HarmfulCall(),
    JobFailed: _JobFailed(),
    WiringChanged: _WiringChanged(),
    EventMissed: _EventMissed(),
    LeftOver: _LeftOver(),
    Unlisted: _Unlisted(),
}
