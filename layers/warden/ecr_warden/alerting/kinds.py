"""Each kind of alert in one class: how severe it is, when it is sent, what its message says, what may be left out.

A new kind needs its type in model/alert.py and its class here, entered in KINDS.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import Any, assert_never

from ecr_warden.alerting import findings, wiring
from ecr_warden.alerting.delivery import (
    FIRST,
    TEXT,
    AtOnce,
    Collected,
    FirstAtOnce,
    Routing,
    bare_drift,
    culprit,
    route_run,
    shorter_runs,
)
from ecr_warden.alerting.layout import Listing, Parts, compose, join, listing
from ecr_warden.alerting.run_messages import describe_run, describe_runs
from ecr_warden.alerting.run_titles import name_of
from ecr_warden.alerting.severity import highest, severity_of_run
from ecr_warden.alerting.wording import (
    call_fields,
    describe_actor,
    describe_address,
    describe_cause,
    describe_sides,
    describe_target,
    uploader,
)
from ecr_warden.alerting.writers import advice, tool_of
from ecr_warden.model.alert import (
    COMPILED_SPEC,
    AccessProved,
    Alert,
    CredentialMade,
    EndMoment,
    EventMissed,
    Field,
    FightMoment,
    Fought,
    GrantsEnd,
    HoldOpened,
    HoldSettled,
    JobFailed,
    Message,
    OwnChanged,
    PauseReached,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
    WiringChanged,
    WritesSwitched,
)
from ecr_warden.model.drift import CRASHED, EXPLICITLY_DENIED
from ecr_warden.model.hold import Hold, HoldState, OfChange, OfVersion
from ecr_warden.model.job import (
    AcceptSpec,
    Cause,
    CauseKind,
    FollowPause,
    FollowSwitch,
    Job,
    NoteHeartbeat,
    PauseMoment,
    ProveAccess,
    ReconcileTarget,
    ReportCredential,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
    short_name,
)
from ecr_warden.model.run import RunReport, Severity
from ecr_warden.model.watch import HUB_PART, Wire
from ecr_warden.policy.printable import count, cut, first, printable, show_time


def severity(alert: Alert) -> Severity:
    """How soon a person should look at it."""
    return KINDS[type(alert)].severity(alert)


def route(alert: Alert) -> Routing:
    """When it is sent."""
    return KINDS[type(alert)].route(alert)


def shorter(alert: Alert) -> Iterator[Alert]:
    """Ever shorter forms of an alert that is too large for an event, each with counts of what it leaves out."""
    yield from KINDS[type(alert)].shorter(alert)


def message_of(alerts: Sequence[Alert], *, is_follow_up: bool = False) -> Message:
    """One message for all alerts of an incident, at least one.

    `is_follow_up`: the first alert of the incident was sent by itself.
    """
    parts = [
        kind.describe(its, is_follow_up=is_follow_up)
        for model, kind in KINDS.items()
        if (its := [alert for alert in alerts if isinstance(alert, model)])
    ]
    whole = join(parts)
    # Runs come last in the title, but their targets come first in the lines.
    sections = [section for part in reversed(parts) for section in part.sections]
    return compose(highest(list(map(severity, alerts))), Parts(whole.title, whole.fields, sections))


def plain_message(alerts: Sequence[Alert], error: str) -> Message:
    """A message on alerts for which `message_of` failed with `error`."""
    lines = [
        f"{alert.plan.target}: {alert.result} (run {alert.run_id})"
        if isinstance(alert, RunReport)
        else type(alert).__name__
        for alert in alerts
    ]
    title = f"{count(len(alerts), 'alert')} that ecr-warden failed to describe ({error})"
    fields = [Field("See", "ecr-warden history; ecr-warden show RUN")]
    return compose(Severity.CRITICAL, Parts(title, fields, [listing("alert", lines)]))


class Kind[A: Alert]:
    """What differs between the kinds of alerts."""

    def severity(self, _alert: A) -> Severity:
        return Severity.WARNING

    def route(self, _alert: A) -> Routing:
        return AtOnce()

    def describe(self, alerts: Sequence[A], *, is_follow_up: bool) -> Parts:  # noqa: ARG002 - of runs alone
        """The parts of the message on all alerts of this kind in one incident."""
        return join([self.describe_one(alert) for alert in alerts])

    def describe_one(self, alert: A) -> Parts:
        raise NotImplementedError

    def shorter(self, _alert: A) -> Iterator[A]:
        """See `shorter`."""
        yield from ()


class _SpecAccepted(Kind[SpecAccepted]):
    def severity(self, alert: SpecAccepted) -> Severity:
        return Severity.WARNING if alert.released or alert.warnings else Severity.INFO

    def route(self, alert: SpecAccepted) -> Routing:
        # With the runs that roll it out: the version is their cause's ID.
        return Collected(f"{CauseKind.SPEC}/{alert.version}")

    def describe_one(self, alert: SpecAccepted) -> Parts:
        changed, released, warnings = alert.left_out
        return Parts(
            f"spec accepted, {count(len(alert.changed) + changed, 'target')} changed",
            [
                _whose(alert.cause),
                Field("Version", alert.version),
                Field("Replaces", alert.replaces or ""),
            ],
            [
                listing("warning", alert.warnings, title="Warnings:", rest=warnings),
                listing("target", alert.released, title="Released, their documents stay:", rest=released),
            ],
        )

    def shorter(self, alert: SpecAccepted) -> Iterator[SpecAccepted]:
        warnings = tuple(cut(one, TEXT) for one in alert.warnings[:_PROBLEMS])
        few = replace(alert, changed=alert.changed[:_KEYS], released=alert.released[:_KEYS], warnings=warnings)
        changed, released, warned = alert.left_out
        left_out = (
            changed + len(alert.changed) - len(few.changed),
            released + len(alert.released) - len(few.released),
            warned + len(alert.warnings) - len(warnings),
        )
        yield replace(few, left_out=left_out)


class _SpecRefused(Kind[SpecRefused]):
    def describe_one(self, alert: SpecRefused) -> Parts:
        deleted = alert.cause.action == "s3:DeleteObject"
        return Parts(
            f"spec refused: {count(len(alert.problems) + alert.left_out, 'problem')}",
            [
                Field("Deleted by" if deleted else "Uploaded by", uploader(alert.cause.actor)),
                Field("Version", alert.version),
                Field("Still enforced", f"version {alert.enforced}" if alert.enforced else "nothing yet"),
                Field("See", "ecr-warden validate access.yaml"),
            ],
            [listing("problem", alert.problems, rest=alert.left_out)],
        )

    def shorter(self, alert: SpecRefused) -> Iterator[SpecRefused]:
        yield _with_fewer_problems(alert)


def _whose(cause: Cause) -> Field:
    """Who uploaded a version, or the person who accepted one that was held."""
    if cause.kind is CauseKind.CALLER:
        return Field("Accepted by", describe_actor(cause.actor))
    return Field("Uploaded by", uploader(cause.actor))


class _GrantsEnd(Kind[GrantsEnd]):
    def severity(self, alert: GrantsEnd) -> Severity:
        return Severity.WARNING if alert.moment is EndMoment.DAY else Severity.INFO

    def describe_one(self, alert: GrantsEnd) -> Parts:
        grants = count(len(alert.grants) + alert.left_out, "grant")
        match alert.moment:
            case EndMoment.WEEK:
                title, remedy = f"{grants} of the spec: the end is a week away", "to prolong one, change its until:"
            case EndMoment.DAY:
                title, remedy = f"{grants} of the spec: the end is a day away", "to prolong one, change its until:"
            case EndMoment.ENDED:
                title, remedy = f"{grants} of the spec: the end has come", "remove what has ended from the spec"
            case _:
                assert_never(alert.moment)
        return Parts(
            title,
            [Field("Spec", alert.version), Field("Next", remedy), Field("See", "ecr-warden grants")],
            [listing("grant", alert.grants, rest=alert.left_out)],
        )

    def shorter(self, alert: GrantsEnd) -> Iterator[GrantsEnd]:
        few = tuple(cut(one, TEXT) for one in alert.grants[:_PROBLEMS])
        yield replace(alert, grants=few, left_out=alert.left_out + len(alert.grants) - len(few))


class _HoldOpened(Kind[HoldOpened]):
    def describe_one(self, alert: HoldOpened) -> Parts:
        hold = alert.hold
        more = f" (and {count(len(hold.why) - 1, 'more reason')})" if len(hold.why) > 1 else ""
        who = _whose(alert.cause) if isinstance(hold.ground, OfVersion) else Field("Who", describe_cause(alert.cause))
        return Parts(
            f"{hold.what} waits for a person: {hold.why[0] if hold.why else 'no reason is known'}{more}",
            [
                who,
                Field("Meanwhile", _meanwhile(hold)),
                Field("Accept", f"ecr-warden accept {hold.id}"),
                Field("Reject", f"ecr-warden reject {hold.id}"),
                Field("Until", show_time(hold.until)),
                Field("See", "ecr-warden held"),
            ],
            [listing("reason", hold.why, title="Why:"), *_effects(hold)],
        )

    def shorter(self, alert: HoldOpened) -> Iterator[HoldOpened]:
        for most in (20, 3):
            yield replace(alert, hold=_with_fewer_effects(alert.hold, most))


class _HoldSettled(Kind[HoldSettled]):
    def severity(self, alert: HoldSettled) -> Severity:
        return Severity.WARNING if alert.hold.state is HoldState.ENDED else Severity.INFO

    def describe_one(self, alert: HoldSettled) -> Parts:
        hold = alert.hold
        decided = [] if hold.decision is None else [Field("Who", describe_actor(hold.decision.by))]
        instead = [Field("Instead", f"ecr-warden held {hold.instead}")] if hold.instead else []
        return Parts(
            f"{hold.what}: {_settled(hold)}",
            [*decided, Field("Hold", hold.id), Field("Held since", show_time(hold.since)), *instead],
            [listing("reason", hold.why, title="It was held because:"), *_effects(hold)],
        )

    def shorter(self, alert: HoldSettled) -> Iterator[HoldSettled]:
        for most in (20, 3):
            yield replace(alert, hold=_with_fewer_effects(alert.hold, most))


def _meanwhile(hold: Hold) -> str:
    match hold.ground:
        case OfVersion(accepted=""):
            return "nothing is written: no version is accepted yet"
        case OfVersion(accepted=accepted):
            return f"version {accepted} stays enforced"
        case OfChange(target=target):
            return f"{describe_target(target)} stays as it is there; whatever removes access is not held"
        case _:
            assert_never(hold.ground)


def _settled(hold: Hold) -> str:
    who = "" if hold.decision is None else f" by {short_name(hold.decision.by)}"
    match hold.state:
        case HoldState.WAITING:
            return "waits for a person"
        case HoldState.ACCEPTED:
            return f"accepted{who}"
        case HoldState.REJECTED:
            return f"rejected{who}"
        case HoldState.VOID:
            return "no longer held, because what it was about has changed"
        case HoldState.ENDED:
            return "nobody decided in time, so it does not take effect"
        case _:
            assert_never(hold.state)


def _effects(hold: Hold) -> Iterator[Listing]:
    gains, loses = hold.left_out
    yield listing("gain", hold.gains, title="Who gains:", rest=gains)
    yield listing("loss", hold.loses, title="Who loses:", rest=loses)


def _with_fewer_effects(hold: Hold, most: int) -> Hold:
    gains, loses = ([cut(one, TEXT) for one in all_of[:most]] for all_of in (hold.gains, hold.loses))
    left_out = (
        hold.left_out[0] + len(hold.gains) - len(gains),
        hold.left_out[1] + len(hold.loses) - len(loses),
    )
    why = tuple(cut(one, TEXT) for one in hold.why)
    return replace(hold, why=why, gains=tuple(gains), loses=tuple(loses), left_out=left_out)


class _OwnChanged(Kind[OwnChanged]):
    def severity(self, alert: OwnChanged) -> Severity:
        return Severity.INFO if _is_by_deployment(alert) else Severity.CRITICAL

    def route(self, alert: OwnChanged) -> Routing:
        # A deployment changes several at once.
        return Collected(f"own/{alert.account}") if _is_by_deployment(alert) else AtOnce()

    def describe(self, alerts: Sequence[OwnChanged], *, is_follow_up: bool) -> Parts:
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        if len(alerts) == 1:
            return whole
        changes = [f"{one.thing}: {one.cause.action} by {short_name(one.cause.actor)}" for one in alerts]
        advice = dict.fromkeys(line for one in alerts for line in _advice(one))
        places = " and ".join(dict.fromkeys(map(_place, alerts)))
        title = f"ecr-warden's own roles in {places} were changed"
        return Parts(title, whole.fields, [listing("change", changes), listing("line", [*advice])])

    def describe_one(self, alert: OwnChanged) -> Parts:
        return Parts(
            f"ecr-warden's own {alert.thing} was changed by {short_name(alert.cause.actor)}",
            [
                Field("Who", describe_actor(alert.cause.actor)),
                *call_fields(alert.cause),
                Field("Where", _place(alert)),
            ],
            [listing("line", list(_advice(alert)))],
        )


def _is_by_deployment(changed: OwnChanged) -> bool:
    """Whether CloudFormation made the call, as it does when a stack is deployed."""
    actor = changed.cause.actor
    return actor is not None and actor.invoked_by == "cloudformation.amazonaws.com"


def _place(changed: OwnChanged) -> str:
    return f"account {changed.account}" if changed.account else "the hub"


def _advice(changed: OwnChanged) -> Iterator[str]:
    if changed.thing.startswith(COMPILED_SPEC):
        yield "Every run reads it, and only accepting a spec writes it: nothing is enforced until it is written again."
        yield "Find out who can write the state bucket, then have the spec compiled again: docs/security.md"
        return
    if _is_by_deployment(changed):
        yield "CloudFormation made the call, as it does when the stacks are deployed. If nobody deployed them:"
    else:
        yield "ecr-warden works through it, and only a deployment of its stacks should change it."
        yield "A caller who can change it can use ecr-warden's access or blind it. ecr-warden does not repair it:"
    # Without profile and region the AWS CLI takes the default account, which need not be the changed one.
    command = "aws cloudformation detect-stack-drift --profile ... --region ... --stack-name ecr-warden-member"
    yield f"see what differs: {command} (or the hub's stack)"
    yield "then deploy the stack again: docs/security.md"


_CREDENTIALS = {
    "iam:CreateAccessKey": "access key",
    "iam:CreateLoginProfile": "password",
    "iam:UpdateLoginProfile": "password",
}


class _CredentialMade(Kind[CredentialMade]):
    def describe_one(self, alert: CredentialMade) -> Parts:
        credential = _CREDENTIALS.get(alert.cause.action, "credential")
        lines = [
            "Whoever has it can do what the user can. No policy has changed, so no proof shows it.",
            "If nobody should have it, delete it in the user's account; ecr-warden does not.",
        ]
        return Parts(
            f"{credential} of {describe_target(alert.target)} was made by {short_name(alert.cause.actor)}",
            [Field("Who", describe_actor(alert.cause.actor)), *call_fields(alert.cause)],
            [listing("line", lines)],
        )


def _paused_targets(alert: TargetsPaused | TargetsResumed | PauseReached) -> str:
    """How many targets, and the patterns: they concern what comes to fit them, too."""
    number = len(alert.targets) + alert.left_out
    if not alert.patterns:
        return count(number, "target")
    shown = first([printable(pattern, 80) for pattern in alert.patterns], _PATTERNS_SHOWN)
    return " and ".join([*([count(number, "target")] if number else []), f"what comes to fit {', '.join(shown)}"])


class _TargetsPaused(Kind[TargetsPaused]):
    def describe_one(self, alert: TargetsPaused) -> Parts:
        targets, names_one = _paused_targets(alert), len(alert.targets) == 1 and not alert.patterns
        return Parts(
            f"{targets} paused by {short_name(alert.cause.actor)}: drift is reported, not repaired",
            [
                Field("Who", describe_actor(alert.cause.actor)),
                Field("Reason", alert.reason),
                Field("Until", show_time(alert.until)),
                Field("Undo", f"ecr-warden resume {alert.targets[0] if names_one else 'TARGET'}"),
            ],
            [listing("target", alert.targets, rest=alert.left_out)],
        )

    def shorter(self, alert: TargetsPaused) -> Iterator[TargetsPaused]:
        yield _with_fewer_targets(alert)


class _TargetsResumed(Kind[TargetsResumed]):
    def severity(self, _alert: TargetsResumed) -> Severity:
        return Severity.INFO

    def describe_one(self, alert: TargetsResumed) -> Parts:
        targets = _paused_targets(alert)
        return Parts(
            f"{targets} resumed by {short_name(alert.cause.actor)}",
            [Field("Who", describe_actor(alert.cause.actor)), Field("See", "ecr-warden status")],
            [listing("target", alert.targets, rest=alert.left_out)],
        )

    def shorter(self, alert: TargetsResumed) -> Iterator[TargetsResumed]:
        yield _with_fewer_targets(alert)


class _PauseReached(Kind[PauseReached]):
    def severity(self, _alert: PauseReached) -> Severity:
        return Severity.INFO

    def describe_one(self, alert: PauseReached) -> Parts:
        targets = _paused_targets(alert)
        match alert.moment:
            case PauseMoment.HALF:
                title = f"half of the pause of {targets} is over: drift is not repaired until {show_time(alert.until)}"
            case PauseMoment.DAY:
                title = f"{targets} still paused: drift is not repaired until {show_time(alert.until)}"
            case PauseMoment.END:
                title = f"the pause of {targets} has ended: each is compared with the spec now"
            case _:
                assert_never(alert.moment)
        return Parts(
            title,
            [
                Field("Paused by", describe_actor(alert.cause.actor)),
                Field("Reason", alert.reason),
                Field("Until", show_time(alert.until)),
                Field("See", "ecr-warden status"),
            ],
            [listing("target", alert.targets, rest=alert.left_out)],
        )

    def shorter(self, alert: PauseReached) -> Iterator[PauseReached]:
        yield _with_fewer_targets(alert)


class _WritesSwitched(Kind[WritesSwitched]):
    def severity(self, alert: WritesSwitched) -> Severity:
        if alert.stopped:
            return Severity.WARNING if alert.since is not None else Severity.CRITICAL
        # They were stopped and are on again, and whoever did both may have used the time between.
        return Severity.WARNING if len(alert.changes) > 1 else Severity.INFO

    def describe_one(self, alert: WritesSwitched) -> Parts:
        if not alert.stopped:
            title, undo = "writes are on again: everything is compared with the spec now", []
        else:
            still = "still " if alert.since is not None else ""
            title, undo = f"{still}nothing is written: drift is reported, not repaired", [Field("Undo", _ENABLE)]
        changes = [
            f"{show_time(one.at)}  {'stopped' if one.stops else 'enabled'} by {describe_actor(one.by)}"
            for one in alert.changes
        ]
        return Parts(
            title,
            [
                Field("Who", describe_actor(alert.cause.actor)),
                Field("Why", alert.stopped),
                *undo,
                Field("See", "ecr-warden status"),
            ],
            [listing("change", changes, title="What the stop switch said:", rest=alert.left_out)],
        )


_ENABLE = "aws ssm put-parameter --name /ecr-warden/writes --value enabled --overwrite"


class _Unlisted(Kind[Unlisted]):
    def severity(self, alert: Unlisted) -> Severity:
        return Severity.CRITICAL if {EXPLICITLY_DENIED, CRASHED} & {*alert.codes} else Severity.WARNING

    def route(self, alert: Unlisted) -> Routing:
        # Each account and region of a sweep has a job of its own.
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[Unlisted], *, is_follow_up: bool) -> Parts:
        places = count(sum(len(alert.problems) + alert.left_out for alert in alerts), "place")
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        title = f"repositories, users or roles cannot be listed in {places}: their state is unknown"
        return Parts(title, whole.fields, whole.sections)

    def describe_one(self, alert: Unlisted) -> Parts:
        return Parts(
            "",
            [
                Field("Spec", alert.version),
                Field("Meanwhile", "sweeps cannot find there what the spec does not name; events are handled as usual"),
                Field("See", "ecr-warden verify --hub"),
            ],
            [listing("place", alert.problems, rest=alert.left_out)],
        )

    def shorter(self, alert: Unlisted) -> Iterator[Unlisted]:
        yield _with_fewer_problems(alert)


class _AccessProved(Kind[AccessProved]):
    def severity(self, alert: AccessProved) -> Severity:
        return findings.severity(alert)

    def describe_one(self, alert: AccessProved) -> Parts:
        appeared, ended = alert.left_out
        return Parts(
            findings.title(alert),
            [
                Field("Found after", describe_cause(alert.cause)),
                Field("Judged by", "the policies that could be read"),
                Field("Spec", alert.version),
                Field("See", "ecr-warden status"),
            ],
            [
                findings.listed(alert.appeared, title="Found:", rest=appeared),
                findings.listed_ended(alert.ended, title="Ended:", rest=ended),
                listing(
                    "place", alert.unread, title="Not known, because it could not be read:", rest=alert.unread_left_out
                ),
            ],
        )

    def shorter(self, alert: AccessProved) -> Iterator[AccessProved]:
        for groups, places in ((100, 50), (20, 5), (5, 2), (1, 1)):
            yield findings.shorter(alert, groups=groups, places=places)


class _EventMissed(Kind[EventMissed]):
    def route(self, alert: EventMissed) -> Routing:
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[EventMissed], *, is_follow_up: bool) -> Parts:  # noqa: ARG002
        one = describe_target(alerts[0].target) if len(alerts) == 1 else count(len(alerts), "target")
        lines = [
            f"{describe_target(alert.target)}: {' or '.join(alert.calls)}, found at {show_time(alert.found)}"
            for alert in alerts
        ]
        return Parts(
            f"no event reported who changed {one}: the sweep found it",
            [
                Field("Why", "CloudTrail lost the event, or somebody keeps it from arriving"),
                Field("See", "ecr-warden status; docs/safety.md, The watcher is watched"),
            ],
            [listing("call", lines, title="Expected, and not reported within 20 minutes:")],
        )


class _WiringChanged(Kind[WiringChanged]):
    def severity(self, alert: WiringChanged) -> Severity:
        return highest([wiring.severity(wire) for wire in (*alert.broken, *alert.ended)])

    def route(self, alert: WiringChanged) -> Routing:
        # Each account and region of a sweep has a job of its own.
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[WiringChanged], *, is_follow_up: bool) -> Parts:
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        broken = [wire for alert in alerts for wire in alert.broken]
        rest = sum(alert.left_out[0] for alert in alerts)
        ended = sum(len(alert.ended) + alert.left_out[1] for alert in alerts)
        return Parts(_title_of_wiring(broken, rest, ended), whole.fields, whole.sections)

    def describe_one(self, alert: WiringChanged) -> Parts:
        place = "the hub" if alert.part == HUB_PART else alert.part
        remedies = dict.fromkeys(filter(None, map(wiring.remedy, alert.broken)))
        broken, ended = alert.left_out
        return Parts(
            "",
            [
                Field("Where", place),
                Field("Found after", describe_cause(alert.cause)),
                Field("See", "ecr-warden status; docs/safety.md"),
            ],
            [
                listing("wire", [wiring.sentence(wire) for wire in alert.broken], rest=broken),
                listing("line", list(remedies)),
                listing("wire", [wire.name for wire in alert.ended], title="As it should be again:", rest=ended),
            ],
        )

    def shorter(self, alert: WiringChanged) -> Iterator[WiringChanged]:
        for kept in (20, 3):
            broken, ended = alert.left_out
            few = tuple(replace(wire, why=cut(wire.why, TEXT)) for wire in alert.broken[:kept])
            left_out = (broken + len(alert.broken) - len(few), ended + len(alert.ended[kept:]))
            yield replace(alert, broken=few, ended=alert.ended[:kept], left_out=left_out)


def _title_of_wiring(broken: Sequence[Wire], rest: int, ended: int) -> str:
    if not broken:
        return f"{count(ended, 'thing')} through which ecr-warden works as it should again"
    if len(broken) == 1 and not rest:
        return wiring.sentence(broken[0])
    return f"{len(broken) + rest} things through which ecr-warden sees or works are not as they should be"


class _JobFailed(Kind[JobFailed]):
    def severity(self, _alert: JobFailed) -> Severity:
        return Severity.CRITICAL

    def route(self, _alert: JobFailed) -> Routing:
        # What ends one job usually ends others: a broken deployment, an account that does not answer.
        return Collected("failed-jobs")

    def describe(self, alerts: Sequence[JobFailed], *, is_follow_up: bool) -> Parts:  # noqa: ARG002
        lines = [
            f"{about}: {follows}{f': {alert.error}' if alert.error else ''}"
            for alert in alerts
            for about, follows in [_of_job(alert.job)]
        ]
        return Parts(
            f"{_of_job(alerts[0].job)[0]}: the job failed on its last attempt"
            if len(alerts) == 1
            else f"{len(alerts)} jobs failed on their last attempt",
            [
                Field("Why", "see the log of ecr-warden-reconcile: `failed`, `Task timed out`, or out of memory"),
                Field("Kept", "in the queue ecr-warden-jobs-dlq.fifo; to run them again: docs/deploy.md, Dead letters"),
                Field("See", "ecr-warden status"),
            ],
            [listing("job", list(dict.fromkeys(lines)))],
        )


def _of_job(job: Job | None) -> tuple[str, str]:  # noqa: PLR0912 - a case for each kind of job
    """What a job was about, and what follows from its failure."""
    match job:
        case None:
            return "a job that cannot be read", "nothing was done"
        case ReconcileTarget(target=target):
            return describe_target(target), "whether it is in sync is unknown; the next sweep tries again"
        case AcceptSpec():
            return "the uploaded spec", "it was neither accepted nor refused; the next sweep tries again"
        case SweepAll():
            return "a sweep", _UNSWEPT
        case SweepIdentities(account=account):
            return f"the sweep of the users and roles of {account}", _UNSWEPT
        case SweepRepositories(account=account, region=region):
            return f"the sweep of the repositories of {account} in {region}", _UNSWEPT
        case SurveyIdentities(account=account):
            return f"the survey of the users and roles of {account}", _UNSURVEYED
        case SurveyRegistry(account=account, region=region):
            return f"the survey of the registry of {account} in {region}", _UNSURVEYED
        case ProveAccess():
            return "the proof of access", "who can pull and push is not known anew; the next sweep has it proved again"
        case ReportCredential(target=target):
            return f"a credential of {describe_target(target)}", "it is reported nowhere else"
        case FollowPause(cause=cause, moment=moment):
            return f"the {moment} of pause {cause.id}", "it is not announced; the next sweep finds what differs"
        case FollowSwitch():
            return "the stop switch", "a change of it is not announced; the next sweep looks again"
        case NoteHeartbeat(account=account, region=region):
            return f"a heartbeat of {account} in {region}", "the next one comes within an hour"
        case ReportOwnChange(account=account, thing=thing):
            return f"a change of ecr-warden's own {thing} in {account or 'the hub'}", "it is reported nowhere else"
        case _:
            assert_never(job)


_UNSWEPT = "some targets were not compared with the spec; the next sweep compares them"
_UNSURVEYED = "who can pull and push is not known anew; the next sweep surveys it again"


class _Run(Kind[RunReport]):
    def severity(self, alert: RunReport) -> Severity:
        return severity_of_run(alert)

    def route(self, alert: RunReport) -> Routing:
        return route_run(alert)

    def describe(self, alerts: Sequence[RunReport], *, is_follow_up: bool) -> Parts:
        return describe_run(alerts[0]) if len(alerts) == 1 else describe_runs(alerts, is_follow_up=is_follow_up)

    def shorter(self, alert: RunReport) -> Iterator[RunReport]:
        return shorter_runs(alert)


class _Fought(Kind[Fought]):
    def severity(self, alert: Fought) -> Severity:
        return alert.severity

    def route(self, alert: Fought) -> Routing:
        # One tool may restore many documents at once.
        return FirstAtOnce(f"{FIRST}/fight-{alert.moment}/{culprit(alert.writer, alert.address.target)}")

    def describe(self, alerts: Sequence[Fought], *, is_follow_up: bool) -> Parts:
        if len(alerts) == 1:
            return self.describe_one(alerts[0])
        documents = [f"{_fought_over(one)}: {_fight_state(one)}" for one in alerts]
        ended = all(one.moment is FightMoment.ENDED for one in alerts)
        more = "more " if is_follow_up else ""
        title = f"{'fights' if ended else 'FIGHTS'} over {len(alerts)} {more}documents"
        fields = [Field("Writer", _writers(alerts)), Field("See", "ecr-warden status")]
        steps = [] if ended else list(dict.fromkeys(line for one in alerts for line in advice(one.writer, one.address)))
        return Parts(title, fields, [listing("document", documents), listing("line", steps, title="What to do:")])

    def describe_one(self, alert: Fought) -> Parts:
        writer = alert.writer
        fields = [
            Field("Writer", describe_actor(writer)),
            Field("Tool", tool_of(writer)),
            Field("User agent", writer.user_agent if writer is not None else ""),
            Field("Where", describe_target(alert.address.target)),
            Field("Since", show_time(alert.since)),
            Field("Last repair", show_time(alert.last)),
            Field(
                "Repairs", f"{alert.repairs}" + (f", {alert.more} more since the last message" if alert.more else "")
            ),
            Field("Run", alert.run_id),
            Field("See", f"ecr-warden history {alert.address.target}"),
        ]
        if alert.moment is FightMoment.ENDED:
            return Parts(f"the fight over the {_fought_over(alert)} is over: {_fight_state(alert)}", fields)
        home = {alert.address.target.account, *alert.accounts}
        sides = describe_sides(alert.drift, home=home) if alert.drift is not None else ()
        return Parts(
            f"FIGHT over the {_fought_over(alert)}: {_fight_state(alert)}",
            fields,
            [
                *sides,
                listing("line", list(advice(writer, alert.address)), title="What to do:"),
                listing("line", _UNTIL_IT_ENDS, title="Until it ends:"),
            ],
        )

    def shorter(self, alert: Fought) -> Iterator[Fought]:
        if alert.drift is not None:
            home = {alert.address.target.account, *alert.accounts}
            for most in (20, 0):
                yield replace(alert, drift=bare_drift(alert.drift, home, most))


_UNTIL_IT_ENDS = (
    "Access that the document gives too much is taken away each time, at once; what is missing is given back at most "
    "every 10 minutes.",
    "These repairs are counted here and not sent one by one, unless they let in outsiders. Each stands in the journal.",
)


def _fought_over(alert: Fought) -> str:
    return f"{cut(describe_address(alert.address), 40)} of {name_of(alert.address.target)}"


def _fight_state(alert: Fought) -> str:
    match alert.moment:
        case FightMoment.BEGAN:
            return f"{short_name(alert.writer)} keeps restoring a version"
        case FightMoment.LASTS:
            return f"{short_name(alert.writer)} goes on, {count(alert.more, 'more repair')}"
        case FightMoment.ENDED:
            return f"no longer restored, {count(alert.more, 'more repair')}"
        case _:
            assert_never(alert.moment)


def _writers(alerts: Sequence[Fought]) -> str:
    return "; ".join(first(list(dict.fromkeys(describe_actor(one.writer) for one in alerts)), 3))


KINDS: Mapping[type[Alert], Kind[Any]] = {
    SpecRefused: _SpecRefused(),
    SpecAccepted: _SpecAccepted(),
    GrantsEnd: _GrantsEnd(),
    HoldOpened: _HoldOpened(),
    HoldSettled: _HoldSettled(),
    OwnChanged: _OwnChanged(),
    CredentialMade: _CredentialMade(),
    TargetsPaused: _TargetsPaused(),
    TargetsResumed: _TargetsResumed(),
    PauseReached: _PauseReached(),
    WritesSwitched: _WritesSwitched(),
    JobFailed: _JobFailed(),
    WiringChanged: _WiringChanged(),
    EventMissed: _EventMissed(),
    Unlisted: _Unlisted(),
    AccessProved: _AccessProved(),
    Fought: _Fought(),
    RunReport: _Run(),
}
"""In the order in which a message on several kinds names them."""

_KEYS, _PROBLEMS = 1000, 100
_PATTERNS_SHOWN = 5


def _with_fewer_problems[A: (SpecRefused, Unlisted)](alert: A) -> A:
    few = tuple(cut(one, TEXT) for one in alert.problems[:_PROBLEMS])
    return replace(alert, problems=few, left_out=alert.left_out + len(alert.problems) - len(few))


def _with_fewer_targets[A: (TargetsPaused, TargetsResumed, PauseReached)](alert: A) -> A:
    few = alert.targets[:_KEYS]
    return replace(alert, targets=few, left_out=alert.left_out + len(alert.targets) - len(few))
